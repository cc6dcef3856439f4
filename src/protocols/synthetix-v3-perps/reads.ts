/** The calls that tell what logs do not, and the storage where no view does. */
import { encodeAbiParameters, encodeFunctionData, keccak256, numberToHex, parseAbi, parseAbiParameters, stringToHex } from 'viem';
import type { Address, Hex, ViewCall } from '../../lib/types.ts';
import { viewCall } from '../../lib/words.ts';

export const calls = {
  // the perps market
  markets: viewCall('function getMarkets()'),
  flagged: viewCall('function flaggedAccounts()'),
  supported: viewCall('function getSupportedCollaterals()'),
  rewardGuards: viewCall('function getKeeperRewardGuards()'),
  costNode: viewCall('function getKeeperCostNodeId()'),
  collateralRewardRatio: viewCall('function getCollateralLiquidateRewardRatio()'),
  collateralRules: viewCall('function getCollateralConfigurationFull(uint128)'),
  metadata: viewCall('function metadata(uint128)'),
  orderFees: viewCall('function getOrderFees(uint128)'),
  fundingRules: viewCall('function getFundingParameters(uint128)'),
  liquidationRules: viewCall('function getLiquidationParameters(uint128)'),
  windowRules: viewCall('function getMaxLiquidationParameters(uint128)'),
  lockedOiRatio: viewCall('function getLockedOiRatio(uint128)'),
  priceData: viewCall('function getPriceData(uint128)'),
  indexPrice: viewCall('function indexPrice(uint128)'),
  skew: viewCall('function skew(uint128)'),
  size: viewCall('function size(uint128)'),
  collateralIds: viewCall('function getAccountCollateralIds(uint128)'),
  collateralAmount: viewCall('function getCollateralAmount(uint128,uint128)'),
  positionMarkets: viewCall('function getAccountOpenPositions(uint128)'),
  debt: viewCall('function debt(uint128)'),
  denied: viewCall('function getFeatureFlagDenyAll(bytes32)'),
  // what the audit asks
  availableMargin: viewCall('function getAvailableMargin(uint128)'),
  requiredMargins: viewCall('function getRequiredMargins(uint128)'),
  canLiquidate: viewCall('function canLiquidate(uint128)'),
  canLiquidateMargin: viewCall('function canLiquidateMarginOnly(uint128)'),
  capacity: viewCall('function liquidationCapacity(uint128)'),
  openPosition: viewCall('function getOpenPosition(uint128,uint128)'),
  // the spot market
  synth: viewCall('function getSynth(uint128)'),
  synthPriceData: viewCall('function getPriceData(uint128)'),
  synthPrice: viewCall('function indexPrice(uint128,uint128,uint8)'),
  synthSkewScale: viewCall('function getMarketSkewScale(uint128)'),
  // Pyth, an Executor, tokens
  pythPrice: viewCall('function getPriceUnsafe(bytes32)'),
  assets: viewCall('function assets()'),
  symbol: viewCall('function symbol()'),
};

/** Transaction.Type.SELL: what a collateral is worth is what it can be sold for. */
export const SELL = 2;
/** Price.Tolerance.DEFAULT of the spot market. */
export const DEFAULT_TOLERANCE = 0;
/** Flags.PERPS_SYSTEM. */
export const PERPS_SYSTEM = BigInt(stringToHex('perpsSystem', { size: 32 }));

const managerAbi = parseAbi([
  'function getNode(bytes32 nodeId) view returns (bytes)',
  'function processWithRuntime(bytes32 nodeId, bytes32[] runtimeKeys, bytes32[] runtimeValues) view returns (bytes)',
]);
/** KeeperCosts.KIND_FLAG and KIND_LIQUIDATE. */
const KIND = { flag: 1n, liquidate: 2n } as const;
const KEYS = ['numberOfUpdatedFeeds', 'executionKind'].map((key) => stringToHex(key, { size: 32 }));
const EMPTY = numberToHex(0, { size: 32 });

export const managerCalls = {
  node: (manager: Address, id: Hex): ViewCall => ({
    to: manager,
    data: encodeFunctionData({ abi: managerAbi, functionName: 'getNode', args: [id] }),
  }),
  /** KeeperCosts._processWithRuntime, whose lists have two empty places. */
  cost: (manager: Address, node: Hex, kind: keyof typeof KIND, feeds: number): ViewCall => {
    const values = [BigInt(feeds), KIND[kind]].map((value) => numberToHex(value, { size: 32 }));
    const args = [node, [...KEYS, EMPTY, EMPTY], [...values, EMPTY, EMPTY]] as const;
    return { to: manager, data: encodeFunctionData({ abi: managerAbi, functionName: 'processWithRuntime', args }) };
  },
};

// ---- storage, by name and key (`load` of each library)

/** PerpsMarketFactory.Data. */
const FACTORY = { oracle: 0n, usdToken: 1n, synthetix: 2n, spotMarket: 3n } as const;
/** PerpsMarket.Data. */
const MARKET = {
  skew: 3n,
  size: 4n,
  lastFundingRate: 5n,
  lastFundingValue: 6n,
  lastFundingTime: 7n,
  positions: 11n,
  liquidated: 12n,
} as const;
const INTEREST_WORDS = 3n;
const POSITION_WORDS = 3n;
const LIQUIDATION_WORDS = 2n;

function namespaced(name: string, id?: bigint): bigint {
  const text = `io.synthetix.perps-market.${name}`;
  const encoded =
    id === undefined
      ? encodeAbiParameters(parseAbiParameters('string'), [text])
      : encodeAbiParameters(parseAbiParameters('string, uint128'), [text, id]);
  return BigInt(keccak256(encoded));
}

function wordAt(contract: Address, slot: bigint): ViewCall {
  return { to: contract, data: numberToHex(BigInt.asUintN(256, slot), { size: 32 }), storage: true };
}

/** The oracle manager, snxUSD, and the spot market. */
export function factoryWords(perps: Address): readonly ViewCall[] {
  const base = namespaced('PerpsMarketFactory');
  return [FACTORY.oracle, FACTORY.usdToken, FACTORY.spotMarket].map((place) => wordAt(perps, base + place));
}

/** Skew, size, and the last funding's rate, value and time. */
export function fundingWords(perps: Address, market: bigint): readonly ViewCall[] {
  const base = namespaced('PerpsMarket', market);
  const { skew, size, lastFundingRate, lastFundingValue, lastFundingTime } = MARKET;
  return [skew, size, lastFundingRate, lastFundingValue, lastFundingTime].map((place) => wordAt(perps, base + place));
}

/** What has accrued, the rate, and since when. */
export function interestWords(perps: Address): readonly ViewCall[] {
  const base = namespaced('InterestRate');
  return Array.from({ length: Number(INTEREST_WORDS) }, (_, place) => wordAt(perps, base + BigInt(place)));
}

/** Market and size; the price and the funding at its last change; its interest then. */
export function positionWords(perps: Address, market: bigint, account: bigint): readonly ViewCall[] {
  const mapping = namespaced('PerpsMarket', market) + MARKET.positions;
  const base = BigInt(keccak256(encodeAbiParameters(parseAbiParameters('uint256, uint256'), [account, BigInt.asUintN(256, mapping)])));
  return Array.from({ length: Number(POSITION_WORDS) }, (_, place) => wordAt(perps, base + BigInt(place)));
}

/** How many blocks of liquidations a market remembers. */
export function liquidationCount(perps: Address, market: bigint): ViewCall {
  return wordAt(perps, namespaced('PerpsMarket', market) + MARKET.liquidated);
}

/** Amount and timestamp of the one with this number. */
export function liquidationWords(perps: Address, market: bigint, place: bigint): readonly ViewCall[] {
  const slot = BigInt.asUintN(256, namespaced('PerpsMarket', market) + MARKET.liquidated);
  const base = BigInt(keccak256(numberToHex(slot, { size: 32 }))) + place * LIQUIDATION_WORDS;
  return [wordAt(perps, base), wordAt(perps, base + 1n)];
}

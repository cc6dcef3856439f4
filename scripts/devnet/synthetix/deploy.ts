/** Deploys Synthetix v3's perps market: a proxy over its real modules, the real oracle manager, Pyth's mock, and doubles of the core system and the spot market. */
import { type Abi, type Address, encodeFunctionData, type Hex, toFunctionSelector } from 'viem';
import { GENESIS_TIMESTAMP } from '../anvil.ts';
import type { SetupChain } from '../chain.ts';
import { lower } from '../perp-v2/deploy.ts';
import { PERPS_MODULES, type SynthetixArtifacts, synthetixContracts } from './contracts.ts';
import { Nodes } from './nodes.ts';

/** Where a price comes from: pulled from Pyth, or pushed to a Chainlink feed of 8 decimals. */
export type PriceFrom =
  | { readonly kind: 'pyth'; readonly priceId: Hex; readonly usd: number }
  | { readonly kind: 'chainlink'; readonly feed: Address };
export type SynthSpec = { readonly id: bigint; readonly symbol: string; readonly from: PriceFrom; readonly skewScale: bigint };
export type PerpsSpec = {
  readonly id: bigint;
  readonly symbol: string;
  readonly from: PriceFrom;
  readonly skewScale: bigint;
  /** Of what its fees and scale let go within a window of half a minute. */
  readonly windowMultiplier: bigint;
};

export type PerpsAt = PerpsSpec & { readonly settlement: Address };
export type SynthAt = SynthSpec & { readonly token: Address };

export type Synthetix = {
  readonly artifacts: SynthetixArtifacts;
  readonly perpsMarket: Address;
  readonly oracleManager: Address;
  readonly pyth: Address;
  readonly usd: Address;
  readonly core: Address;
  readonly spotMarket: Address;
  readonly keeperCosts: Address;
  readonly crowd: Address;
  readonly markets: readonly PerpsAt[];
  readonly synths: readonly SynthAt[];
  readonly fromBlock: number;
};

export const PYTH_FEE_WEI = 5_000n;
export const PYTH_EXPONENT = -8;
/** A price that a liquidation rests on may be as old as this, where it is Pyth's. */
export const STRICT_PYTH_SECONDS = 60;
const STRICT_FEED_SECONDS = 86_400;
/** What everything else tolerates. */
const DEFAULT_SECONDS = 30 * 86_400;
const WAD = 10n ** 18n;
const CREDIT_USD = 100_000_000n * WAD;
const WINDOW_SECONDS = 30n;
const MAX_UINT128 = 2n ** 128n - 1n;
const NO_ID: Hex = `0x${'0'.repeat(64)}`;

/** What the protocol's own deployments are near: fees of 0.02% and 0.1%, 2% least initial margin, half of that to be maintained, 0.05% for flagging. */
const RULES = {
  makerFee: WAD / 5_000n,
  takerFee: WAD / 1_000n,
  maxFundingVelocity: 9n * WAD,
  initialMarginRatio: (3n * WAD) / 2n,
  minimumInitialMarginRatio: WAD / 50n,
  maintenanceMarginScalar: WAD / 2n,
  flagRewardRatio: WAD / 2_000n,
  minimumPositionMargin: 20n * WAD,
  lockedOiRatio: WAD / 2n,
};

export async function deploySynthetix(chain: SetupChain, markets: readonly PerpsSpec[], synths: readonly SynthSpec[]): Promise<Synthetix> {
  const artifacts = await synthetixContracts();
  const fromBlock = (await chain.blockNumber()) + 1;
  const deploy = (name: keyof SynthetixArtifacts, args: readonly unknown[] = []) => lower(chain.deploy(name, artifacts[name], args));
  const call = (to: Address, name: keyof SynthetixArtifacts, functionName: string, args: readonly unknown[]) =>
    chain.call(to, artifacts[name].abi as Abi, functionName, args);

  const oracleManager = deploy('NodeModule');
  const pyth = deploy('MockPyth', [BigInt(DEFAULT_SECONDS), PYTH_FEE_WEI]);
  const usd = deploy('SynthDouble', ['Synthetic USD', 'snxUSD']);
  const core = deploy('SynthetixDouble', [usd, oracleManager, CREDIT_USD]);
  const spotMarket = deploy('SpotMarketDouble', [oracleManager]);
  const keeperCosts = deploy('MockGasPriceNode');
  const tokens = synths.map(({ symbol }) => deploy('SynthDouble', [symbol, symbol]));
  const modules = PERPS_MODULES.map((name) => deploy(name));
  const router = deploy('RouterDouble', [modules, selectorsOf(artifacts)]);
  const perpsMarket = deploy('Proxy', [router, chain.deployer.address]);
  const crowd = deploy('Crowd', [perpsMarket, [usd, ...tokens], core]);
  await chain.mine();

  call(usd, 'SynthDouble', 'setMinter', [core]);
  call(keeperCosts, 'MockGasPriceNode', 'setCosts', [WAD / 10n, WAD / 4n, WAD / 2n]);
  for (const { from } of [...markets, ...synths])
    if (from.kind === 'pyth') await writePyth(chain, { artifacts, pyth }, from, GENESIS_TIMESTAMP);
  await chain.mine();

  const nodes = new Nodes(chain, oracleManager);
  const known = new Map<string, Hex>();
  const nodeOf = (from: PriceFrom): Hex => {
    const key = from.kind === 'pyth' ? from.priceId : from.feed;
    const id = known.get(key) ?? register(nodes, from, pyth);
    known.set(key, id);
    return id;
  };
  for (const [place, { id, from, skewScale }] of synths.entries()) {
    const strictTolerance = BigInt(strictSeconds(from));
    call(spotMarket, 'SpotMarketDouble', 'setSynth', [id, { token: tokens[place], sellFeedId: nodeOf(from), strictTolerance, skewScale }]);
  }
  const costs = nodes.external(keeperCosts);
  call(perpsMarket, 'FeatureFlagModule', 'setFeatureFlagAllowAll', [bytes32('perpsSystem'), true]);
  call(perpsMarket, 'FeatureFlagModule', 'setFeatureFlagAllowAll', [bytes32('createMarket'), true]);
  call(perpsMarket, 'PerpsMarketFactoryModule', 'initializeFactory', [core, spotMarket]);
  const global = (functionName: string, args: readonly unknown[]) => call(perpsMarket, 'GlobalPerpsMarketModule', functionName, args);
  global('updateKeeperCostNodeId', [costs]);
  global('setKeeperRewardGuards', [2n * WAD, WAD / 5n, 500n * WAD, WAD / 3n]);
  global('setPerAccountCaps', [5n, 5n]);
  global('setInterestRateParameters', [WAD / 2_000n, (WAD * 3n) / 4n, WAD / 50n]);
  const collateral = (functionName: string, args: readonly unknown[]) =>
    call(perpsMarket, 'CollateralConfigurationModule', functionName, args);
  collateral('setCollateralLiquidateRewardRatio', [WAD / 100n]);
  collateral('setCollateralConfiguration', [0n, MAX_UINT128, 0n, 0n, 0n]);
  for (const [place, { id }] of synths.entries()) {
    collateral('setCollateralConfiguration', [id, MAX_UINT128, WAD / 20n, WAD / 100n, 2n * WAD]);
    const distributor = deploy('RewardsDistributorDouble', [tokens[place]]);
    collateral('registerDistributor', [tokens[place], distributor, id, [tokens[place]]]);
  }
  const made: PerpsAt[] = [];
  for (const spec of markets) {
    const settlement = deploy('MockPythERC7412Wrapper');
    setUpMarket(call, perpsMarket, spec, nodeOf(spec.from), settlement);
    made.push({ ...spec, settlement });
  }
  await chain.mine();
  return {
    ...{ artifacts, perpsMarket, oracleManager, pyth, usd, core, spotMarket, keeperCosts, crowd, markets: made, fromBlock },
    synths: synths.map((spec, place) => ({ ...spec, token: tokens[place]! })),
  };
}

type Caller = (to: Address, name: keyof SynthetixArtifacts, functionName: string, args: readonly unknown[]) => void;

function setUpMarket(call: Caller, perpsMarket: Address, spec: PerpsSpec, node: Hex, settlement: Address): void {
  const { id, symbol, from, skewScale, windowMultiplier } = spec;
  call(perpsMarket, 'PerpsMarketFactoryModule', 'createMarket', [id, symbol, symbol]);
  const set = (functionName: string, args: readonly unknown[]) =>
    call(perpsMarket, 'MarketConfigurationModule', functionName, [id, ...args]);
  set('updatePriceData', [node, BigInt(strictSeconds(from))]);
  set('setOrderFees', [RULES.makerFee, RULES.takerFee]);
  set('setFundingParameters', [skewScale, RULES.maxFundingVelocity]);
  set('setMaxMarketSize', [10n ** 9n * WAD]);
  set('setLockedOiRatio', [RULES.lockedOiRatio]);
  set('setMaxLiquidationParameters', [windowMultiplier, WINDOW_SECONDS, 0n, `0x${'0'.repeat(40)}`]);
  set('setLiquidationParameters', [
    RULES.initialMarginRatio,
    RULES.minimumInitialMarginRatio,
    RULES.maintenanceMarginScalar,
    RULES.flagRewardRatio,
    RULES.minimumPositionMargin,
  ]);
  const strategy = { strategyType: 0, settlementDelay: 1n, settlementWindowDuration: 3_600n, priceVerificationContract: settlement };
  set('addSettlementStrategy', [
    {
      ...strategy,
      feedId: from.kind === 'pyth' ? from.priceId : NO_ID,
      settlementReward: WAD / 10n,
      disabled: false,
      commitmentPriceDelay: 1n,
    },
  ]);
}

function register(nodes: Nodes, from: PriceFrom, pyth: Address): Hex {
  if (from.kind === 'chainlink') return nodes.fresh(DEFAULT_SECONDS, nodes.chainlink(from.feed, 8));
  return nodes.fresh(DEFAULT_SECONDS, nodes.pyth(pyth, from.priceId), nodes.lookup(pyth, from.priceId, STRICT_PYTH_SECONDS));
}

function strictSeconds({ kind }: PriceFrom): number {
  return kind === 'pyth' ? STRICT_PYTH_SECONDS : STRICT_FEED_SECONDS;
}

/** The first module that has a function serves it. */
function selectorsOf(artifacts: SynthetixArtifacts): readonly (readonly Hex[])[] {
  const taken = new Set<Hex>();
  return PERPS_MODULES.map((name) => {
    const own = artifacts[name].abi.flatMap((item) => (item.type === 'function' ? [toFunctionSelector(item)] : []));
    return own.filter((selector) => !taken.has(selector) && taken.add(selector));
  });
}

/** An update as the mock takes it. */
export function pythUpdate(
  chain: SetupChain,
  { artifacts, pyth }: Pick<Synthetix, 'artifacts' | 'pyth'>,
  priceId: Hex,
  priceRaw: bigint,
  publishTime: number,
): Promise<Hex> {
  const args = [priceId, priceRaw, 1n, PYTH_EXPONENT, priceRaw, 1n, BigInt(publishTime), BigInt(publishTime - 1)];
  return chain.read<Hex>(pyth, artifacts.MockPyth.abi as Abi, 'createPriceFeedUpdateData', args);
}

/** Queues the writing of a price. */
export async function writePyth(
  chain: SetupChain,
  at: Pick<Synthetix, 'artifacts' | 'pyth'>,
  { priceId, usd }: { readonly priceId: Hex; readonly usd: number },
  publishTime: number,
): Promise<void> {
  const blob = await pythUpdate(chain, at, priceId, BigInt(Math.round(usd * 1e8)), publishTime);
  const data = encodeFunctionData({ abi: at.artifacts.MockPyth.abi as Abi, functionName: 'updatePriceFeeds', args: [[blob]] });
  chain.send(chain.deployer, { to: at.pyth, data, value: PYTH_FEE_WEI, gas: 500_000n, label: 'updatePriceFeeds' });
}

function bytes32(text: string): Hex {
  return `0x${Buffer.from(text).toString('hex').padEnd(64, '0')}`;
}

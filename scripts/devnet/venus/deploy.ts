/** Deploys Venus' core pool as on BNB Chain: the diamond comptroller behind its unitroller, markets of real vTokens, one of them of the native token. */
import { type Abi, type Address, type Hex, toFunctionSelector } from 'viem';
import { amountOf, assetOf } from '../assets.ts';
import type { SetupChain } from '../chain.ts';
import type { Feed } from '../oracle/report.ts';
import { type VenusArtifacts, venusContracts } from './contracts.ts';

export type VenusMarket = { readonly symbol: string; readonly address: Address; readonly native: boolean; readonly thresholdBps: bigint };
export type Venus = {
  readonly comptroller: Address;
  readonly fromBlock: number;
  readonly artifacts: VenusArtifacts;
  /** The comptroller's, over all facets. */
  readonly abi: Abi;
  readonly oracle: Address;
  readonly accessControl: Address;
  readonly shareReserve: Address;
  readonly markets: readonly VenusMarket[];
};

/** `legacy`: the release before thresholds, incentives of markets, and pools; it has Compound's own rules. No native market. */
export type Edition = 'pools' | 'legacy';

export type MarketSpec = { readonly symbol: string; readonly native?: true; readonly thresholdBps: bigint; readonly incentiveBps: bigint };

/** Terms of the kind that Venus has; every market with its own incentive. The native token is a market beside its wrapped one. */
export const MARKETS: readonly MarketSpec[] = [
  { symbol: 'WETH', native: true, thresholdBps: 8000n, incentiveBps: 11000n },
  { symbol: 'WBTC', thresholdBps: 7500n, incentiveBps: 11000n },
  { symbol: 'USDC', thresholdBps: 8250n, incentiveBps: 10800n },
  { symbol: 'DAI', thresholdBps: 7500n, incentiveBps: 11000n },
  { symbol: 'LINK', thresholdBps: 6300n, incentiveBps: 11500n },
];

const WAD_PER_BPS = 10n ** 14n;
const WAD = 10n ** 18n;
const MAX_UINT256 = 2n ** 256n - 1n;
const YEAR_BLOCKS = 2_628_000n;
const VENUS_NATIVE: Address = '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB';
/** A market token is worth this much of the underlying at first, and has 8 decimals. */
const FIRST_RATE_WAD = (decimals: number) => 2n * 10n ** BigInt(18 + decimals - 10);
const LEGACY_INCENTIVE_WAD = (11n * WAD) / 10n;
const STALE_SECONDS = 10n ** 9n;

/** Mined on return. */
export async function deployVenus(
  chain: SetupChain,
  tokens: Record<string, Address>,
  feeds: Record<string, Feed>,
  specs: readonly MarketSpec[] = MARKETS,
  edition: Edition = 'pools',
): Promise<Venus> {
  const artifacts = await venusContracts();
  const fromBlock = (await chain.blockNumber()) + 1;
  const { comptroller, abi } = deployComptroller(chain, artifacts, edition);
  const set = (functionName: string, ...args: readonly unknown[]) => chain.call(comptroller, abi, functionName, args);
  const accessControl = chain.deploy('access control', artifacts.AccessControlManagerMock, [chain.deployer.address]);
  const oracle = chain.deploy('Venus oracle', artifacts.VenusOracleDouble);
  const shareReserve = chain.deploy('share reserve', artifacts.ShareReserveDouble);
  const legacy = edition === 'legacy';
  const lens = chain.deploy('comptroller lens', legacy ? artifacts.LegacyLensDouble : artifacts.ComptrollerLens);
  const delegate = chain.deploy('vToken implementation', legacy ? artifacts.VBep20DelegateR1 : artifacts.VBep20Delegate);
  const model = chain.deploy('rate model', artifacts.JumpRateModel, [WAD / 50n, WAD / 5n, 2n * WAD, (8n * WAD) / 10n, YEAR_BLOCKS]);
  await chain.mine();
  set('_setAccessControl', accessControl);
  set('_setPriceOracle', oracle);
  if (!legacy) set('setDeviationBoundedOracle', oracle);
  set('_setComptrollerLens', lens);
  set('_setCloseFactor', WAD / 2n);
  await chain.mine();
  const common = { chain, artifacts, comptroller, model, delegate, accessControl, shareReserve, tokens };
  const markets = specs.map((spec) => ({ ...spec, native: spec.native === true, address: deployMarket(common, spec) }));
  await chain.mine();
  for (const { symbol, native, address } of markets) {
    const asset = native ? VENUS_NATIVE : tokens[symbol]!;
    const config = { asset, feed: feeds[assetOf(symbol).feed]!.proxy, maxStalePeriod: STALE_SECONDS };
    chain.call(oracle, artifacts.VenusOracleDouble.abi, 'setTokenConfig', [config]);
    if (native) chain.call(oracle, artifacts.VenusOracleDouble.abi, 'setNativeMarket', [address]);
    set('_supportMarket', address);
  }
  set(
    '_setMarketSupplyCaps',
    markets.map(({ address }) => address),
    markets.map(() => MAX_UINT256),
  );
  set(
    '_setMarketBorrowCaps',
    markets.map(({ address }) => address),
    markets.map(() => MAX_UINT256),
  );
  if (legacy) set('_setLiquidationIncentive', LEGACY_INCENTIVE_WAD);
  for (const { address, thresholdBps, incentiveBps } of markets) {
    if (legacy) {
      set('_setCollateralFactor', address, thresholdBps * WAD_PER_BPS);
      continue;
    }
    setOverloaded(chain, comptroller, abi, 'setLiquidationIncentive', [address, incentiveBps * WAD_PER_BPS]);
    setOverloaded(chain, comptroller, abi, 'setCollateralFactor', [address, thresholdBps * WAD_PER_BPS, thresholdBps * WAD_PER_BPS]);
    set('setIsBorrowAllowed', 0n, address, true);
  }
  await chain.mine();
  return { comptroller, fromBlock, artifacts, abi, oracle, accessControl, shareReserve, markets };
}

/** The function of this name that takes so many arguments. */
export function setOverloaded(chain: SetupChain, to: Address, abi: Abi, name: string, args: readonly unknown[]): void {
  const item = abi.find((one) => one.type === 'function' && one.name === name && one.inputs.length === args.length);
  if (item === undefined) throw new Error(`no ${name} of ${args.length} arguments`);
  chain.call(to, [item], name, args);
}

const FACETS = ['MarketFacet', 'PolicyFacet', 'RewardFacet', 'SetterFacet'] as const;

/** Behind the unitroller stands the diamond, whose functions are its facets'. */
function deployComptroller(chain: SetupChain, artifacts: VenusArtifacts, edition: Edition): { comptroller: Address; abi: Abi } {
  const { Unitroller } = artifacts;
  const suffix = edition === 'legacy' ? 'R1' : '';
  const Diamond = artifacts[`Diamond${suffix}`];
  const facets = FACETS.map((name) => artifacts[`${name}${suffix}`]);
  const comptroller = chain.deploy('Unitroller', Unitroller);
  const diamond = chain.deploy('Diamond', Diamond);
  chain.call(comptroller, Unitroller.abi, '_setPendingImplementation', [diamond]);
  chain.call(diamond, Diamond.abi, '_become', [comptroller]);
  const known = new Set(selectorsOf(Diamond.abi));
  const cuts = facets.map((facet, place) => {
    const functionSelectors = selectorsOf(facet.abi).filter((selector) => !known.has(selector));
    for (const selector of functionSelectors) known.add(selector);
    return { facetAddress: chain.deploy(FACETS[place]!, facet), action: 0, functionSelectors };
  });
  chain.call(comptroller, Diamond.abi, 'diamondCut', [cuts]);
  const all = [Diamond, ...facets].flatMap(({ abi }) => [...abi]);
  const named = new Map(all.map((item) => [JSON.stringify(item), item]));
  return { comptroller, abi: [...named.values()] };
}

function selectorsOf(abi: Abi): Hex[] {
  return abi.flatMap((item) => (item.type === 'function' ? [toFunctionSelector(item)] : []));
}

type Common = {
  readonly chain: SetupChain;
  readonly artifacts: VenusArtifacts;
  readonly comptroller: Address;
  readonly model: Address;
  readonly delegate: Address;
  readonly accessControl: Address;
  readonly shareReserve: Address;
  readonly tokens: Record<string, Address>;
};

function deployMarket(common: Common, { symbol, native }: MarketSpec): Address {
  const { chain, artifacts, comptroller, model, delegate, tokens } = common;
  const { decimals } = assetOf(symbol);
  const owner = chain.deployer.address;
  const ends = [comptroller, model, FIRST_RATE_WAD(decimals), `Venus ${symbol}`, native ? 'vBNB' : `v${symbol}`, 8, owner];
  const { abi } = artifacts.VBep20Delegate;
  if (native) {
    const market = chain.deploy('vBNB', artifacts.VBNB, ends);
    configure(common, market, artifacts.VBNB.abi);
    return market;
  }
  const market = chain.deploy(`v${symbol}`, artifacts.VBep20Delegator, [tokens[symbol]!, ...ends, delegate, '0x']);
  configure(common, market, abi);
  return market;
}

function configure({ chain, accessControl, shareReserve }: Common, market: Address, abi: Abi): void {
  chain.call(market, abi, 'setAccessControlManager', [accessControl]);
  chain.call(market, abi, 'setProtocolShareReserve', [shareReserve]);
  chain.call(market, abi, 'setReduceReservesBlockDelta', [28_800n]);
  chain.call(market, abi, '_setReserveFactor', [WAD / 5n]);
}

/** What `usd` dollars bought at the start of a market's token. */
export function amountIn(market: Pick<VenusMarket, 'symbol'>, usd: number): bigint {
  return amountOf(assetOf(market.symbol), usd);
}

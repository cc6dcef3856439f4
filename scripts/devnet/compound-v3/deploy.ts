/** Deploys a Compound III market on the devnet's feeds, with reserves below what they should be: what it holds is for sale. */
import { type Address, encodeFunctionData } from 'viem';
import { amountOf, assetOf } from '../assets.ts';
import type { SetupChain } from '../chain.ts';
import type { Feed } from '../oracle/report.ts';
import { erc20Abi, provideTokens } from '../tokens.ts';
import { type CometArtifacts, cometArtifacts } from './contracts.ts';

/** Factors in basis points. */
export type CollateralSpec = { symbol: string; borrow: number; liquidate: number; liquidation: number };
export type CometSpec = {
  name: string;
  base: string;
  reservesUsd: number;
  targetReservesUsd: number;
  borrowMinUsd: number;
  storeFrontPriceFactorBps: number;
  assets: readonly CollateralSpec[];
};
export type CometAsset = CollateralSpec & { token: Address };
export type Comet = {
  spec: CometSpec;
  comet: Address;
  fromBlock: number;
  artifacts: CometArtifacts;
  base: Address;
  assets: CometAsset[];
  /** Creation arguments of the implementation: another configuration begins with them. */
  config: Record<string, unknown>;
};

/** Factors as on Ethereum. */
export const USDC_MARKET: CometSpec = {
  ...{
    name: 'cUSDCv3',
    base: 'USDC',
    reservesUsd: 200_000,
    targetReservesUsd: 5_000_000,
    borrowMinUsd: 10,
    storeFrontPriceFactorBps: 5_000,
  },
  assets: [
    { symbol: 'WETH', borrow: 8_250, liquidate: 8_950, liquidation: 9_500 },
    { symbol: 'WBTC', borrow: 7_000, liquidate: 7_700, liquidation: 9_500 },
    { symbol: 'LINK', borrow: 7_300, liquidate: 7_900, liquidation: 9_300 },
  ],
};

const WAD_PER_BPS = 10n ** 14n;
const SECONDS_PER_YEAR = 31_536_000n;

/** Options for tests: assets before those of the market, and other contracts to take prices from, by symbol. */
export type CometOptions = { before?: readonly Address[]; priceFeeds?: Readonly<Record<string, Address>> };

/** Everything is mined on return. */
export async function deployComet(
  chain: SetupChain,
  tokens: Record<string, Address>,
  feeds: Record<string, Feed>,
  spec: CometSpec,
  { before = [], priceFeeds = {} }: CometOptions = {},
): Promise<Comet> {
  const artifacts = await cometArtifacts();
  const fromBlock = (await chain.blockNumber()) + 1;
  const feedOf = (symbol: string) => priceFeeds[symbol] ?? feeds[assetOf(symbol).feed]!.proxy;
  const base = tokens[spec.base]!;
  const listed = spec.assets.map(({ symbol, ...factors }) => {
    const { decimals } = assetOf(symbol);
    return assetConfig(tokens[symbol]!, feedOf(symbol), decimals, factors);
  });
  const config = {
    ...{ governor: chain.deployer.address, baseToken: base, baseTokenPriceFeed: feedOf(spec.base) },
    ...{ supply: curve(8_000, 325, 4_000, 0), borrow: curve(8_000, 350, 2_500, 150) },
    storeFrontPriceFactor: BigInt(spec.storeFrontPriceFactorBps) * WAD_PER_BPS,
    baseBorrowMin: amountOf(assetOf(spec.base), spec.borrowMinUsd),
    targetReserves: amountOf(assetOf(spec.base), spec.targetReservesUsd),
    assets: [
      ...before.map((token) => assetConfig(token, feedOf(spec.base), 18, { borrow: 5_000, liquidate: 6_000, liquidation: 9_000 })),
      ...listed,
    ],
  };
  const implementation = chain.deploy(`${spec.name} implementation`, artifacts.comet, [config]);
  const comet = chain.deploy(spec.name, artifacts.proxy, [implementation]);
  await chain.mine();
  chain.call(comet, artifacts.comet.abi, 'initializeStorage', []);
  const reserves = amountOf(assetOf(spec.base), spec.reservesUsd);
  provideTokens(chain, tokens, chain.deployer, spec.base, reserves);
  await chain.mine();
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'transfer', args: [comet, reserves] });
  chain.send(chain.deployer, { to: base, data, gas: 100_000n, label: 'reserves' });
  await chain.mine();
  const assets = spec.assets.map((asset) => ({ ...asset, token: tokens[asset.symbol]! }));
  return { spec, comet, fromBlock, artifacts, base, assets, config };
}

function assetConfig(asset: Address, priceFeed: Address, decimals: number, factors: Omit<CollateralSpec, 'symbol'>) {
  return {
    ...{ asset, priceFeed, scale: 10n ** BigInt(decimals) },
    borrowCollateralFactor: BigInt(factors.borrow) * WAD_PER_BPS,
    liquidateCollateralFactor: BigInt(factors.liquidate) * WAD_PER_BPS,
    liquidationFactor: BigInt(factors.liquidation) * WAD_PER_BPS,
  };
}

/** Basis points: the kink, and yearly rates. */
function curve(kink: number, slopeLow: number, slopeHigh: number, base: number) {
  const aSecond = (bps: number) => (BigInt(bps) * WAD_PER_BPS) / SECONDS_PER_YEAR;
  return { kink: BigInt(kink) * WAD_PER_BPS, slopeLow: aSecond(slopeLow), slopeHigh: aSecond(slopeHigh), base: aSecond(base) };
}

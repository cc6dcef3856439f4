/** A whole market on a fresh chain: feeds, tokens, Aave with its reserves listed and lent to, Uniswap with liquidity, Multicall3. */
import type { Address } from 'viem';
import { aaveContracts } from './aave/contracts.ts';
import { type Aave, deployAave } from './aave/deploy.ts';
import { deployLegacyMarket, type LegacyMarket } from './aave/legacy/market.ts';
import { lend } from './aave/lend.ts';
import { listReserves, settleListing } from './aave/listing.ts';
import { ASSETS, assetOf, START_PRICES_USD8 } from './assets.ts';
import { type Borrower, openBorrowers } from './borrowers/open.ts';
import { planBorrowers } from './borrowers/plan.ts';
import type { SetupChain } from './chain.ts';
import { type CometMarket, openComet } from './compound-v3/open.ts';
import { type MorphoMarkets, openMorpho } from './morpho/open.ts';
import { oracleArtifacts } from './oracle/contracts.ts';
import { deployFeeds } from './oracle/feeds.ts';
import type { Feed } from './oracle/report.ts';
import { deployStakedEther } from './oracle/staked-ether.ts';
import { openPerp, type PerpMarkets } from './perp-v2/open.ts';
import { deployTokens, ownContracts } from './tokens.ts';
import { deployUniswap, type Uniswap } from './uniswap/deploy.ts';
import { openVenus, type VenusMarkets } from './venus/open.ts';

const FEED_DECIMALS = 8;
const STAKING_YIELD_BPS = 280n;

export type Market = {
  /** By symbol. */
  tokens: Record<string, Address>;
  /** By name, e.g. `ETH / USD`. */
  feeds: Record<string, Feed>;
  /** Aave's price source of each token, by symbol: a feed's proxy, or the ratio adapter. */
  sources: Record<string, Address>;
  aave: Aave;
  uniswap: Uniswap;
  multicall3: Address;
  borrowers: Borrower[];
  /** Aave v3.0 beside it, when asked for. */
  legacy: LegacyMarket | undefined;
  /** Morpho Blue beside it, when asked for. */
  morpho: MorphoMarkets | undefined;
  /** Compound III beside it, when asked for. */
  comet: CometMarket | undefined;
  /** Venus beside it, when asked for. */
  venus: VenusMarkets | undefined;
  /** Perp v2 beside it, when asked for. */
  perp: PerpMarkets | undefined;
};

/** `legacyPositions`, `morphoPositions`, `cometPositions`, `venusPositions`, `perpPositions`: borrowers of the Aave v3.0 market, of Morpho Blue, Compound III and Venus, and traders of Perp v2, which are there only when given. */
export type MarketOptions = {
  positions: number;
  seed: number;
  legacyPositions?: number | undefined;
  morphoPositions?: number | undefined;
  cometPositions?: number | undefined;
  venusPositions?: number | undefined;
  perpPositions?: number | undefined;
  /** Of the pools, as a part of what uniswap/pools.ts says. */
  poolDepth?: number | undefined;
};
export type Progress = (line: string) => void;

/** Compiles what the market needs (or finds it compiled), two compilers at a time. */
export async function compileMarket(): Promise<void> {
  await Promise.all([aaveContracts(), ownContracts(), oracleArtifacts()]);
}

/** Everything is mined on return. Throws when any transaction of it reverts. */
export async function deployMarket(
  chain: SetupChain,
  { positions, seed, legacyPositions, morphoPositions, cometPositions, venusPositions, perpPositions, poolDepth }: MarketOptions,
  progress: Progress = () => {},
): Promise<Market> {
  const [aaveArtifacts, own] = await Promise.all([aaveContracts(), ownContracts()]);
  const feeds: Record<string, Feed> = {};
  const specs = Object.entries(START_PRICES_USD8).map(([name, initialAnswer]) => ({ name, decimals: FEED_DECIMALS, initialAnswer }));
  for (const feed of await deployFeeds(chain, specs)) feeds[feed.name] = feed;

  const staked = assetOf('wstETH');
  const stakedEther = await deployStakedEther(chain, {
    ethUsdProxy: feeds[staked.feed]!.proxy,
    initialRatioWad: staked.ratioWad!,
    yearlyGrowthBps: STAKING_YIELD_BPS,
  });
  const tokens = { ...deployTokens(chain, aaveArtifacts['WETH9']!, own['DevToken']!), wstETH: stakedEther.token };
  const multicall3 = chain.deploy('Multicall3', own['Multicall3']!);
  await chain.mine();

  const sources = Object.fromEntries(
    ASSETS.map(({ symbol, feed, ratioWad }) => [symbol, ratioWad === undefined ? feeds[feed]!.proxy : stakedEther.adapter]),
  );
  const aave = await deployAave(chain);
  await listReserves(chain, aave, tokens, sources);
  const uniswap = await deployUniswap(chain, tokens, poolDepth);
  progress('Aave v3.6, Uniswap v3 and the feeds are deployed');

  // NOTE: its averages need forty minutes of the chain's time; debts that are opened after it do not age by them.
  const perp = perpPositions === undefined ? undefined : await openPerp(chain, tokens, feeds, { positions: perpPositions, seed });
  if (perp !== undefined) progress(`Perp v2 stands beside it, with ${perp.traders.length} traders`);
  const plans = planBorrowers(positions, seed);
  await lend(chain, aave.pool, tokens, plans, 1);
  const borrowers = await openBorrowers(chain, aave.pool, tokens, plans, seed);
  await settleListing(chain, aave, tokens);
  progress(`${borrowers.length} borrowers have opened their positions`);
  const legacy =
    legacyPositions === undefined
      ? undefined
      : await deployLegacyMarket(chain, tokens, sources, aave.treasury, { positions: legacyPositions, seed });
  if (legacy !== undefined) progress(`Aave v3.0 stands beside it, with ${legacy.borrowers.length} borrowers`);
  const morpho = morphoPositions === undefined ? undefined : await openMorpho(chain, tokens, feeds, { positions: morphoPositions, seed });
  if (morpho !== undefined) progress(`Morpho Blue stands beside it, with ${morpho.borrowers.length} borrowers`);
  const comet = cometPositions === undefined ? undefined : await openComet(chain, tokens, feeds, { positions: cometPositions, seed });
  if (comet !== undefined) progress(`Compound III stands beside it, with ${comet.borrowers.length} borrowers`);
  const venus = venusPositions === undefined ? undefined : await openVenus(chain, tokens, feeds, { positions: venusPositions, seed });
  if (venus !== undefined) progress(`Venus stands beside it, with ${venus.borrowers.length} borrowers`);
  return { tokens, feeds, sources, aave, uniswap, multicall3, borrowers, legacy, morpho, comet, venus, perp };
}

/**
 * The devnet's assets: what they are, what they cost at the start, and how Aave lists them. Risk parameters, rates and fees are those of Aave's
 * Ethereum market in 2025, rounded; SNX is isolated there behind a debt ceiling, BAL is frozen.
 */

/** All in basis points. */
type Collateral = { ltv: number; liquidationThreshold: number; liquidationBonus: number; protocolFee: number };
/** Basis points: utilisation at the kink, yearly rates at zero, up to the kink, and from there to full use. */
type Rates = { optimalUsageRatio: number; baseVariableBorrowRate: number; variableRateSlope1: number; variableRateSlope2: number };

export type Asset = {
  symbol: string;
  name: string;
  decimals: number;
  /** Name of its Chainlink feed. The staked ETH has none: its source multiplies this one by its ratio. */
  feed: string;
  /** ETH per token at the start, in wei, for the staked ETH alone. */
  ratioWad?: bigint;
  collateral: Collateral;
  rates: Rates;
  reserveFactorBps: number;
  /** Whole tokens. */
  supplyCap: bigint;
  borrowCap: bigint;
  borrowableInIsolation: boolean;
  /** Whole dollars; 0: not isolated. */
  debtCeilingUsd: bigint;
  /** Frozen once the borrowers have opened their positions. */
  frozen: boolean;
  /** Dollars that lenders supply before anybody borrows: what there is to borrow, to seize and to flash-borrow. */
  lentUsd: number;
  /** The part of that which is borrowed all the time, so that interest accrues as on a real market. */
  usedShare: number;
};

/** USD with 8 decimals, by the name of the feed. */
export const START_PRICES_USD8: Readonly<Record<string, bigint>> = {
  'ETH / USD': 3_000_00000000n,
  'BTC / USD': 95_000_00000000n,
  'USDC / USD': 99_995_000n,
  'DAI / USD': 99_990_000n,
  'LINK / USD': 15_20000000n,
  'SNX / USD': 1_85000000n,
  'BAL / USD': 2_10000000n,
};

const rates = (optimalUsageRatio: number, variableRateSlope1: number, variableRateSlope2: number): Rates => ({
  optimalUsageRatio,
  baseVariableBorrowRate: 0,
  variableRateSlope1,
  variableRateSlope2,
});
const collateral = (ltv: number, liquidationThreshold: number, liquidationBonus: number): Collateral => ({
  ltv,
  liquidationThreshold,
  liquidationBonus,
  protocolFee: 1000,
});
const ORDINARY = { borrowableInIsolation: false, debtCeilingUsd: 0n, frozen: false };

export const ASSETS: readonly Asset[] = [
  {
    ...ORDINARY,
    ...{ symbol: 'WETH', name: 'Wrapped Ether', decimals: 18, feed: 'ETH / USD', reserveFactorBps: 1500, lentUsd: 120e6, usedShare: 0.6 },
    ...{ collateral: collateral(8050, 8300, 10500), rates: rates(9200, 270, 8000), supplyCap: 3_000_000n, borrowCap: 2_700_000n },
  },
  {
    ...ORDINARY,
    ...{ symbol: 'wstETH', name: 'Wrapped liquid staked Ether', decimals: 18, feed: 'ETH / USD', ratioWad: 1_215_000_000_000_000_000n },
    ...{ reserveFactorBps: 3500, lentUsd: 40e6, usedShare: 0.05, collateral: collateral(7850, 8100, 10600), rates: rates(8000, 100, 8500) },
    ...{ supplyCap: 1_300_000n, borrowCap: 48_000n },
  },
  {
    ...ORDINARY,
    ...{ symbol: 'WBTC', name: 'Wrapped BTC', decimals: 8, feed: 'BTC / USD', reserveFactorBps: 5000, lentUsd: 50e6, usedShare: 0.1 },
    ...{ collateral: collateral(7300, 7800, 10500), rates: rates(8000, 400, 30000), supplyCap: 43_000n, borrowCap: 28_000n },
  },
  {
    ...ORDINARY,
    ...{ symbol: 'USDC', name: 'USD Coin', decimals: 6, feed: 'USDC / USD', reserveFactorBps: 1000, lentUsd: 150e6, usedShare: 0.65 },
    ...{ collateral: collateral(7500, 7800, 10450), rates: rates(9200, 550, 6000), supplyCap: 4_500_000_000n, borrowCap: 4_000_000_000n },
    borrowableInIsolation: true,
  },
  {
    ...ORDINARY,
    ...{ symbol: 'DAI', name: 'Dai Stablecoin', decimals: 18, feed: 'DAI / USD', reserveFactorBps: 2500, lentUsd: 60e6, usedShare: 0.65 },
    ...{ collateral: collateral(6300, 7700, 10500), rates: rates(9200, 550, 7500), supplyCap: 338_000_000n, borrowCap: 271_000_000n },
    borrowableInIsolation: true,
  },
  {
    ...ORDINARY,
    ...{ symbol: 'LINK', name: 'ChainLink Token', decimals: 18, feed: 'LINK / USD', reserveFactorBps: 2000, lentUsd: 5e6, usedShare: 0.05 },
    ...{ collateral: collateral(6600, 7100, 10700), rates: rates(4500, 700, 30000), supplyCap: 15_000_000n, borrowCap: 13_000_000n },
  },
  {
    ...ORDINARY,
    ...{
      symbol: 'SNX',
      name: 'Synthetix Network Token',
      decimals: 18,
      feed: 'SNX / USD',
      reserveFactorBps: 9500,
      lentUsd: 0.2e6,
      usedShare: 0,
    },
    ...{ collateral: collateral(4900, 6500, 10850), rates: rates(4500, 1500, 30000), supplyCap: 20_000_000n, borrowCap: 1_100_000n },
    debtCeilingUsd: 25_000_000n,
  },
  {
    ...ORDINARY,
    ...{ symbol: 'BAL', name: 'Balancer', decimals: 18, feed: 'BAL / USD', reserveFactorBps: 2000, lentUsd: 0.5e6, usedShare: 0.1 },
    ...{ collateral: collateral(5700, 5900, 10830), rates: rates(8000, 2000, 15000), supplyCap: 20_000_000n, borrowCap: 700_000n },
    frozen: true,
  },
];

/** Efficiency modes: one category of correlated ETH, one of dollars, one with its own terms for ETH against dollars. Basis points. */
export type EMode = {
  id: number;
  label: string;
  ltv: number;
  liquidationThreshold: number;
  liquidationBonus: number;
  collateral: readonly string[];
  borrowable: readonly string[];
};

export const EMODES: readonly EMode[] = [
  {
    ...{ id: 1, label: 'ETH correlated', ltv: 9300, liquidationThreshold: 9500, liquidationBonus: 10100 },
    ...{ collateral: ['wstETH', 'WETH'], borrowable: ['WETH', 'wstETH'] },
  },
  {
    ...{ id: 2, label: 'Stablecoins', ltv: 9000, liquidationThreshold: 9300, liquidationBonus: 10200 },
    ...{ collateral: ['USDC', 'DAI'], borrowable: ['USDC', 'DAI'] },
  },
  {
    ...{ id: 3, label: 'ETH / USDC', ltv: 8400, liquidationThreshold: 8700, liquidationBonus: 10400 },
    ...{ collateral: ['wstETH', 'WETH'], borrowable: ['USDC'] },
  },
];

export function assetOf(symbol: string): Asset {
  const asset = ASSETS.find((candidate) => candidate.symbol === symbol);
  if (!asset) throw new Error(`no asset ${symbol} on the devnet`);
  return asset;
}

/** A token's price in USD at the start, 8 decimals. */
export function startPriceUsd8({ feed, ratioWad }: Asset): bigint {
  const price = START_PRICES_USD8[feed]!;
  return ratioWad === undefined ? price : (price * ratioWad) / 10n ** 18n;
}

/** The token amount that `usd` dollars bought at the start. */
export function amountOf(asset: Asset, usd: number): bigint {
  return (BigInt(Math.round(usd * 1e6)) * 100n * 10n ** BigInt(asset.decimals)) / startPriceUsd8(asset);
}

/**
 * The devnet's pools. Sizes are chosen against the borrowers': the majors are deep enough to sell a seized collateral near its price,
 * LINK and SNX lose a few percent on larger clips, and BAL cannot be sold in size at all.
 */
export type PoolSpec = {
  pair: readonly [string, string];
  /** Hundredths of a basis point: 500 is 0.05%. */
  fee: number;
  /** Dollars on both sides together. */
  usd: number;
  /** Width of each position to either side of the price, and its part of the dollars. */
  ranges: readonly { width: number; share: number }[];
};

const AROUND = [
  { width: 0.02, share: 0.2 },
  { width: 0.12, share: 0.35 },
  { width: 0.45, share: 0.3 },
  { width: 0.95, share: 0.15 },
];
const PEGGED = [
  { width: 0.002, share: 0.7 },
  { width: 0.03, share: 0.25 },
  { width: 0.5, share: 0.05 },
];
const WIDE = [
  { width: 0.3, share: 0.4 },
  { width: 0.95, share: 0.6 },
];

export const POOLS: readonly PoolSpec[] = [
  { pair: ['WETH', 'USDC'], fee: 500, usd: 90e6, ranges: AROUND },
  { pair: ['WETH', 'USDC'], fee: 3000, usd: 40e6, ranges: AROUND },
  { pair: ['WETH', 'USDC'], fee: 10000, usd: 4e6, ranges: WIDE },
  { pair: ['WBTC', 'WETH'], fee: 500, usd: 40e6, ranges: AROUND },
  { pair: ['WBTC', 'WETH'], fee: 3000, usd: 60e6, ranges: AROUND },
  { pair: ['WBTC', 'USDC'], fee: 3000, usd: 25e6, ranges: AROUND },
  { pair: ['WETH', 'DAI'], fee: 500, usd: 3e6, ranges: AROUND },
  { pair: ['WETH', 'DAI'], fee: 3000, usd: 15e6, ranges: AROUND },
  { pair: ['USDC', 'DAI'], fee: 100, usd: 30e6, ranges: PEGGED },
  { pair: ['USDC', 'DAI'], fee: 500, usd: 2e6, ranges: PEGGED },
  { pair: ['wstETH', 'WETH'], fee: 100, usd: 40e6, ranges: PEGGED },
  { pair: ['wstETH', 'WETH'], fee: 500, usd: 6e6, ranges: PEGGED },
  { pair: ['LINK', 'WETH'], fee: 3000, usd: 6e6, ranges: AROUND },
  { pair: ['LINK', 'USDC'], fee: 10000, usd: 0.5e6, ranges: WIDE },
  { pair: ['SNX', 'WETH'], fee: 10000, usd: 0.9e6, ranges: WIDE },
  { pair: ['BAL', 'WETH'], fee: 10000, usd: 0.12e6, ranges: WIDE },
];

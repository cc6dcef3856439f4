/** The derived figures as the modules that hold them. */
import type { Auction } from './auctions.ts';

export const PRIOR_FILE = 'src/strategy/bids/rivals.ts';
export const HELD_OUT_FILE = 'scripts/bids/held-out.ts';

const SOURCE = `Aave v3 liquidations on Ethereum won in Chainlink SVR auctions, blocks 22,838,366 to 25,466,366 (public-chain
 * events as collected by kelbic/edge-research)`;

export type Figures = readonly { readonly decade: number; readonly sharesBps: readonly number[] }[];
type Fit = { readonly auctions: number; readonly spread: number; readonly trend: number };

export function priorModule(figures: Figures, levels: readonly number[], { auctions, spread, trend }: Fit): string {
  const rows = figures.map(({ decade, sharesBps }) => `  { decade: ${decade}, sharesBps: [${sharesBps.join(', ')}] },`);
  return `/**
 * What the best rival pays, by size. Derived by scripts/bids/derive.ts, which writes this file, from ${auctions} of 1,800
 * ${SOURCE}: those with an even FNV-1a of their block number.
 * A winner's payment is the refund observed / 0.9. Widths, in decades, by cross-validation: ${spread} for the spread, ${trend} for the trend.
 */
export type RivalShares = {
  /** log10 of what is bid on: gross profit less gas, in USD. */
  readonly decade: number;
  /** Shares of it, in basis points, below which the best rival stays in LEVELS percent of the auctions. 10,000: no rival is beaten with profit. */
  readonly sharesBps: readonly number[];
};

export const LEVELS: readonly number[] = [${levels.join(', ')}];

export const RIVALS: readonly RivalShares[] = [
${rows.join('\n')}
];
`;
}

/** Bounds of the classes of size, USD. */
const BOUNDS = [10, 100, 1_000, 10_000, 30_000, 100_000, 300_000, 2_000_000];
const STEPS = 20;

/** Plain quantiles of sizes and shares in classes of size: nothing is smoothed over classes, unlike in the prior. */
export function heldOutModule(auctions: readonly Auction[]): string {
  const rows = BOUNDS.slice(1).map((below, index) => {
    const within = auctions.filter(({ surplusUsd }) => surplusUsd >= BOUNDS[index]! && surplusUsd < below);
    const sizes = quantiles(within.map(({ surplusUsd }) => surplusUsd)).map(Math.round);
    const shares = quantiles(within.map(({ share }) => Math.min(1, share))).map((share) => Math.round(share * 10_000));
    return `  { auctions: ${within.length}, fromUsd: ${BOUNDS[index]}, belowUsd: ${below}, sizesUsd: [${sizes.join(', ')}], sharesBps: [${shares.join(', ')}] },`;
  });
  return `/**
 * The auctions that the prior has not seen, as quantiles: derived by scripts/bids/derive.ts, which writes this file, from
 * ${SOURCE}: those with an odd FNV-1a of their block number.
 */
export type SizeClass = {
  readonly auctions: number;
  readonly fromUsd: number;
  readonly belowUsd: number;
  /** Quantiles 0, 5, … 100% of gross profit less gas. */
  readonly sizesUsd: readonly number[];
  /** Quantiles 0, 5, … 100% of the winner's whole payment as a share of that, basis points, at most 10,000. */
  readonly sharesBps: readonly number[];
};

export const HELD_OUT: readonly SizeClass[] = [
${rows.join('\n')}
];
`;
}

function quantiles(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const place = (step / STEPS) * (sorted.length - 1);
    const low = Math.min(Math.floor(place), sorted.length - 2);
    return sorted[low]! + (sorted[low + 1]! - sorted[low]!) * (place - low);
  });
}

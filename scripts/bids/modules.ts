/** The derived figures as the modules that hold them. */
import type { Auction } from './auctions.ts';
import { LEVELS, SPREADS, TRENDS } from './estimate.ts';

export const PRIOR_FILE = 'src/strategy/bids/rivals.ts';
export const HELD_OUT_FILE = 'scripts/bids/held-out.ts';

const SOURCE = `Aave v3 liquidations on Ethereum won in Chainlink SVR auctions, blocks 22,838,366 to 25,466,366 (public-chain
 * events as collected by kelbic/edge-research)`;

export type Figures = readonly { readonly decade: number; readonly sharesBps: readonly number[] }[];

export function priorModule(figures: Figures, auctions: number): string {
  return `/**
 * What the best rival pays, by size. Derived by scripts/bids/derive.ts, which writes this file, from ${auctions} of 1,800
 * ${SOURCE}: those with an even FNV-1a of their block number.
 * A winner's payment is the refund observed / 0.9. Smoothed over size: means over widths of ${SPREADS.join(', ')} decades for the spread and of ${TRENDS.join(', ')} for the trend.
 */
export type RivalShares = {
  /** log10 of what is bid on: gross profit less gas, in USD. */
  readonly decade: number;
  /** Shares of it, in basis points, below which the best rival stays in LEVELS percent of the auctions. 10,000: no rival is beaten with profit. */
  readonly sharesBps: readonly number[];
};

export const LEVELS: readonly number[] = [${LEVELS.join(', ')}];

export const RIVALS: readonly RivalShares[] = [
${rowsOf(figures)}
];
`;
}

/** Bounds of the classes of size, USD. */
const BOUNDS = [10, 100, 1_000, 10_000, 30_000, 100_000, 300_000, 2_000_000];
const STEPS = 20;

/** Plain quantiles of sizes in classes, and rivals' shares by size, estimated as in the prior but from auctions that it has not seen. */
export function heldOutModule(auctions: readonly Auction[], figures: Figures): string {
  const rows = BOUNDS.slice(1).map((below, index) => {
    const within = auctions.filter(({ surplusUsd }) => surplusUsd >= BOUNDS[index]! && surplusUsd < below);
    const sizes = quantiles(within.map(({ surplusUsd }) => surplusUsd)).map(Math.round);
    return `  { auctions: ${within.length}, fromUsd: ${BOUNDS[index]}, belowUsd: ${below}, sizesUsd: [${sizes.join(', ')}] },`;
  });
  return `import type { RivalShares } from '../../src/strategy/bids/rivals.ts';

/**
 * The auctions that the prior has not seen: derived by scripts/bids/derive.ts, which writes this file, from
 * ${SOURCE}: those with an odd FNV-1a of their block number.
 */
export type SizeClass = {
  readonly auctions: number;
  readonly fromUsd: number;
  readonly belowUsd: number;
  /** Quantiles 0, 5, … 100% of gross profit less gas. */
  readonly sizesUsd: readonly number[];
};

export const SIZES: readonly SizeClass[] = [
${rows.join('\n')}
];

/** As RIVALS in src/strategy/bids/rivals.ts. */
export const UNSEEN_RIVALS: readonly RivalShares[] = [
${rowsOf(figures)}
];
`;
}

function rowsOf(figures: Figures): string {
  return figures.map(({ decade, sharesBps }) => `  { decade: ${decade}, sharesBps: [${sharesBps.join(', ')}] },`).join('\n');
}

function quantiles(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const place = (step / STEPS) * (sorted.length - 1);
    const low = Math.min(Math.floor(place), sorted.length - 2);
    return sorted[low]! + (sorted[low + 1]! - sorted[low]!) * (place - low);
  });
}

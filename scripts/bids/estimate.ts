/** Rivals' shares by size, estimated from auctions: smooth in log size, without assuming a shape. */
import type { Auction } from './auctions.ts';

/** The shares below which a rival's bid is with these chances, in percent. */
export const LEVELS = Array.from({ length: 19 }, (_, index) => 5 * (index + 1));
/** Decades of USD at which the figures stand. */
export const DECADES = Array.from({ length: 11 }, (_, index) => 1 + index / 2);

/** How far, in decades, an auction tells of others: of their spread, and of their trend. */
type Widths = { readonly spread: number; readonly trend: number };

/** By left-out auctions none is better than another by more than half a percent, so all of them are asked, and their mean is taken. */
export const SPREADS = [0.25, 0.4, 0.6, 0.8];
export const TRENDS = [0.4, 0.7, 1];

/** Quantiles of the best rival's share at a size: of LEVELS percent of the auctions. */
export function sharesAt(decade: number, auctions: readonly Auction[]): readonly number[] {
  const asked = SPREADS.flatMap((spread) => TRENDS.map((trend) => quantilesAt(decade, auctions, { spread, trend })));
  return LEVELS.map((_, place) => asked.reduce((sum, shares) => sum + shares[place]!, 0) / asked.length);
}

const LEAST = 0.02;
const MOST = 0.995;

/**
 * Auctions near in log size are shifted along the trend of the shares (local linear regression of the logit),
 * then counted with a Gaussian weight. Those above 1 stay there: nobody beats them with profit. Shares above 1 come out as 1.
 */
function quantilesAt(decade: number, auctions: readonly Auction[], widths: Widths): readonly number[] {
  const points = auctions.map(({ surplusUsd, share }) => ({ at: Math.log10(surplusUsd), share, logit: logit(share) }));
  const beatable = points.filter(({ share }) => share < 1);
  const slope = slopeAt(decade, beatable, widths.trend);
  const weighted = points.map(({ at, share, logit: value }) => ({
    weight: gauss((at - decade) / widths.spread),
    share: share >= 1 ? 1 : logistic(value - slope * (at - decade)),
  }));
  weighted.sort((a, b) => a.share - b.share);
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  let passed = 0;
  let next = 0;
  return LEVELS.map((level) => {
    while (next < weighted.length - 1 && passed + weighted[next]!.weight < (total * level) / 100) passed += weighted[next++]!.weight;
    return weighted[next]!.share;
  });
}

function slopeAt(decade: number, points: readonly { readonly at: number; readonly logit: number }[], width: number) {
  let [s0, s1, s2, t0, t1] = [0, 0, 0, 0, 0];
  for (const { at, logit: value } of points) {
    const [w, x] = [gauss((at - decade) / width), at - decade];
    [s0, s1, s2, t0, t1] = [s0 + w, s1 + w * x, s2 + w * x * x, t0 + w * value, t1 + w * x * value];
  }
  return (s0 * t1 - s1 * t0) / (s0 * s2 - s1 * s1);
}

function gauss(x: number): number {
  return Math.exp(-0.5 * x * x);
}

function logit(share: number): number {
  const inside = Math.min(Math.max(share, LEAST), MOST);
  return Math.log(inside / (1 - inside));
}

function logistic(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

import type { Regime } from '../protocols/types.ts';

/** The share of a regime (1/64) over which the slope at its upper end is felt. */
const SLOPE_SHARE = 64n;
const MAX_STEPS = 48;
/** What could still be found is this share of what was: not worth another look. */
export const ENOUGH = 1 / 2_500;
/** The least step of the search, as a share of the amount. */
const NEAR = 1 / 50;
const GOLDEN = 0.381_966;

/**
 * Amount of greatest `value` over the regimes. `value` is taken to be concave within each regime (bonus is linear in the amount, price
 * impact convex; further swaps' gas makes steps too small to matter), so the slope at the upper end tells whether the whole regime pays; otherwise the
 * best is looked for at the top of the parabola through three amounts around it, as Brent's method does (Algorithms for Minimization without
 * Derivatives, ch. 5), until what concavity leaves room for is not worth another look. `value` answers undefined where the amount cannot be done; such
 * amounts lose.
 *
 * @param regimes `mostWei`: none of its amounts makes more, where that is known
 * @param beyondWei only more than this is of use: where concavity leaves no room for it the search ends
 */
export function bestAmount<T extends { readonly valueWei: bigint }>(
  regimes: readonly (Regime & { readonly mostWei?: number })[],
  value: (amountRaw: bigint) => T | undefined,
  beyondWei = 0n,
): T | undefined {
  let best: T | undefined;
  for (const regime of regimes) {
    const floorWei = best === undefined || best.valueWei < beyondWei ? beyondWei : best.valueWei;
    if (floorWei > 0n && regime.mostWei !== undefined && regime.mostWei <= Number(floorWei)) continue;
    best = better(best, bestInRegime(regime, value, Number(floorWei)));
  }
  return best;
}

function better<T extends { readonly valueWei: bigint }>(a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined) return b;
  return b !== undefined && b.valueWei > a.valueWei ? b : a;
}

function bestInRegime<T extends { readonly valueWei: bigint }>(
  { minRaw, maxRaw }: Regime,
  value: (amountRaw: bigint) => T | undefined,
  floor: number,
): T | undefined {
  let best: T | undefined;
  const look = (amountRaw: bigint): Point => {
    const found = value(amountRaw);
    best = better(best, found);
    return { amountRaw, value: found === undefined ? Number.NEGATIVE_INFINITY : Number(found.valueWei) };
  };
  let right = look(maxRaw);
  if (minRaw === maxRaw) return best;
  let middle = look(maxRaw - (maxRaw - minRaw + SLOPE_SHARE - 1n) / SLOPE_SHARE);
  if (right.value >= middle.value && Number.isFinite(right.value)) return best;

  let left = look(minRaw);
  let halved = true;
  for (let step = 0; step < MAX_STEPS && isWorthALook(left, middle, right, floor); step++) {
    const width = right.amountRaw - left.amountRaw;
    const next = look(halved ? nextAmount(left, middle, right) : goldenAmount(left, middle, right));
    const [low, high] = next.amountRaw < middle.amountRaw ? [next, middle] : [middle, next];
    // An amount that cannot be done is too large: pools run dry from above.
    if (high.value < low.value || !Number.isFinite(high.value)) [middle, right] = [low, high];
    else [left, middle] = [low, high];
    halved = (right.amountRaw - left.amountRaw) * 2n <= width;
  }
  return best;
}

/** What an amount makes: minus infinity where it cannot be done. */
type Point = { readonly amountRaw: bigint; readonly value: number };

function isWorthALook(left: Point, middle: Point, right: Point, floor: number): boolean {
  if (right.amountRaw - left.amountRaw <= 2n) return middle.amountRaw - left.amountRaw === 2n || right.amountRaw - middle.amountRaw === 2n;
  if (!Number.isFinite(middle.value)) return true;
  const gain = Math.max(rise(right, middle, left), rise(left, middle, right));
  return !(gain <= Math.abs(middle.value) * ENOUGH || middle.value + gain <= floor);
}

/** A concave curve stays below the line through two of its points, outside of them: most that it gains from the second one to the third. */
function rise(from: Point, through: Point, to: Point): number {
  if (!Number.isFinite(from.value)) return Number.POSITIVE_INFINITY;
  const slope = (through.value - from.value) / Number(through.amountRaw - from.amountRaw);
  return slope * Number(to.amountRaw - through.amountRaw);
}

/** The top of the parabola, or a small step to where there is more room, when that is where we are. */
function nextAmount(left: Point, middle: Point, right: Point): bigint {
  if (!Number.isFinite(left.value) || !Number.isFinite(right.value)) return goldenAmount(left, middle, right);
  const [below, above] = [Number(left.amountRaw - middle.amountRaw), Number(right.amountRaw - middle.amountRaw)];
  const [toLeft, toRight] = [left.value - middle.value, right.value - middle.value];
  const divisor = 2 * (above * toLeft - below * toRight);
  const top = divisor === 0 ? 0 : (above * above * toLeft - below * below * toRight) / divisor;
  const least = Number(middle.amountRaw) * NEAR;
  if (Math.abs(top) >= least) return between(left, middle, right, top);
  const step = -below > above ? Math.max(-least, below / 2) : Math.min(least, above / 2);
  return between(left, middle, right, step);
}

/** Into the wider side. */
function goldenAmount(left: Point, middle: Point, right: Point): bigint {
  const [below, above] = [Number(left.amountRaw - middle.amountRaw), Number(right.amountRaw - middle.amountRaw)];
  return between(left, middle, right, GOLDEN * (-below > above ? below : above));
}

/** So far from the middle, and none of the three. */
function between(left: Point, middle: Point, right: Point, offset: number): bigint {
  const amountRaw = middle.amountRaw + BigInt(Math.round(offset));
  if (amountRaw > left.amountRaw && amountRaw < right.amountRaw && amountRaw !== middle.amountRaw) return amountRaw;
  const lowest = left.amountRaw + 1n;
  return middle.amountRaw - left.amountRaw > right.amountRaw - middle.amountRaw
    ? (lowest + middle.amountRaw) / 2n
    : (middle.amountRaw + right.amountRaw + 1n) / 2n;
}

/** The most that an option makes with the impact on all pools of its ways: closer than a bound from either end of them (bounds.ts), and dearer. */
import type { Option } from '../protocols/types.ts';
import { type Bound, bounded, type Ends } from './bounds.ts';
import { countedIn } from './evaluate.ts';
import { type FrontierOf, type Most, waysOut } from './exits.ts';
import type { Terms } from './terms.ts';

/** Floats, and units that protocols round away. */
const SLACK = 1 + 1e-6;
/** The share of a regime over which the slope at its upper end is felt. */
const SLOPE_SHARE = 1 / 64;
const STEPS = 9;
/** What so few steps may miss. */
const NEARLY = 1.001;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * A bound brought down to what the best of the ways reaches at pools that nothing has moved. @param enoughWei a bound of so much needs not be brought down
 *
 * NOTE: no single way keeps below its own reach. A second exchange may go back through pools that the first has made better for it; but what goes forth and back
 * comes to no more than one of the other ways.
 */
export function closer(
  option: Option,
  ends: readonly Ends[],
  bound: Bound,
  frontierOf: FrontierOf,
  terms: Terms,
  enoughWei: number,
): Bound {
  // What changes the pools first, and what comes out at a venue of its own, is only known once it is quoted.
  if (option.prepared !== undefined || option.financing.kind === 'margin') return bound;
  const tokens = { ...option, numeraire: countedIn(option, terms) };
  const enoughGross = enoughWei + Number(bound.gasWei + (option.feeWei ?? 0n));
  let most = Number.NEGATIVE_INFINITY;
  for (const way of waysOut(tokens)) {
    const mostOf = way.most(frontierOf, tokens);
    if (mostOf === undefined) return bound;
    for (const regime of ends) {
      most = Math.max(most, reachOf(regime, mostOf, enoughGross));
      if (most >= enoughGross) return bound;
    }
  }
  const grossWei = most > Number(bound.grossWei) ? bound.grossWei : wholeWei(most) - (option.feeWei ?? 0n);
  return grossWei < bound.grossWei ? bounded(grossWei, bound, bound.grossOf) : bound;
}

/** Over a regime, in the numeraire, before gas and loan. */
function reachOf([least, largest]: Ends, mostOf: Most, enough: number): number {
  const [seized, owed] = [Number(least.seizedRaw) * SLACK, Number(least.repayRaw)];
  const [seizes, owes] = [Number(largest.seizedRaw) * SLACK - seized, Number(largest.repayRaw) - owed];
  return peak((part) => mostOf(seized + seizes * part, owed + owes * part), enough);
}

function wholeWei(amount: number): bigint {
  return amount > 0 ? BigInt(Math.ceil(amount * SLACK)) : 0n;
}

/** The greatest value between 0 and 1 of a concave function, to within `NEARLY`, or one that is enough: at its upper end, or by golden sections. */
function peak(value: (part: number) => number, enough: number): number {
  const last = value(1);
  if (last >= enough) return last;
  const before = value(1 - SLOPE_SHARE);
  if (before >= enough) return before;
  if (last >= before && Number.isFinite(last)) return last;
  let [low, high] = [0, 1];
  let [left, right] = [1 - GOLDEN, GOLDEN];
  let [atLeft, atRight] = [value(left), value(right)];
  let most = Math.max(before, atLeft, atRight, value(0));
  for (let step = 0; step < STEPS && most < enough; step++) {
    // What cannot be done is too much.
    if (atLeft >= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - GOLDEN * (high - low);
      atLeft = value(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + GOLDEN * (high - low);
      atRight = value(right);
    }
    most = Math.max(most, atLeft, atRight);
  }
  return most > 0 ? most * NEARLY : most;
}

/** The most that an option makes with the impact on all pools of its ways: closer than a bound from either end of them (bounds.ts), and dearer. */
import type { Option } from '../protocols/types.ts';
import type { Bound, Ends } from './bounds.ts';
import { countedIn } from './evaluate.ts';
import { type ExitTokens, type FrontierOf, type Way, waysOut } from './exits.ts';
import type { Terms } from './terms.ts';

/** Floats, and units that protocols round away. */
const SLACK = 1 + 1e-6;
/** The share of a regime over which the slope at its upper end is felt. */
const SLOPE_SHARE = 1 / 64;
const STEPS = 18;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * A bound brought down to what the best of the ways reaches at pools that nothing has moved.
 *
 * NOTE: no single way keeps below its own reach. A second exchange may go back through pools that the first has made better for it; but what goes forth and back
 * comes to no more than one of the other ways.
 */
export function closer(option: Option, ends: readonly Ends[], bound: Bound, frontierOf: FrontierOf, terms: Terms): Bound {
  // What changes the pools first, and what comes out at a venue of its own, is only known once it is quoted.
  if (option.prepared !== undefined || option.financing.kind === 'margin') return bound;
  const tokens = { ...option, numeraire: countedIn(option, terms) };
  let most = Number.NEGATIVE_INFINITY;
  for (const way of waysOut(tokens))
    for (const regime of ends) {
      const reach = reachOf(tokens, regime, way, frontierOf);
      if (reach === undefined) return bound;
      most = Math.max(most, reach);
    }
  const grossWei = most > Number(bound.grossWei) ? bound.grossWei : wholeWei(most) - (option.feeWei ?? 0n);
  return grossWei < bound.grossWei ? { ...bound, grossWei, valueWei: grossWei - bound.gasWei } : bound;
}

/** Over a regime, in the numeraire, before gas and loan; undefined where it is not known. */
function reachOf(tokens: ExitTokens, [least, largest]: Ends, way: Way, frontierOf: FrontierOf): number | undefined {
  const [seized, owed] = [Number(least.seizedRaw) * SLACK, Number(least.repayRaw)];
  const [seizes, owes] = [Number(largest.seizedRaw) * SLACK - seized, Number(largest.repayRaw) - owed];
  return peak((part) => way.most(frontierOf, tokens, seized + seizes * part, owed + owes * part));
}

function wholeWei(amount: number): bigint {
  return amount > 0 ? BigInt(Math.ceil(amount * SLACK)) : 0n;
}

/** The greatest value between 0 and 1 of a concave function: at its upper end, or by golden sections. */
function peak(value: (part: number) => number | undefined): number | undefined {
  const [last, before] = [value(1), value(1 - SLOPE_SHARE)];
  if (last === undefined || before === undefined) return undefined;
  if (last >= before && Number.isFinite(last)) return last;
  let [low, high] = [0, 1];
  let [left, right] = [1 - GOLDEN, GOLDEN];
  let [atLeft, atRight] = [value(left)!, value(right)!];
  let most = Math.max(before, atLeft, atRight, value(0)!);
  for (let step = 0; step < STEPS; step++) {
    // What cannot be done is too much.
    if (atLeft >= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - GOLDEN * (high - low);
      atLeft = value(left)!;
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + GOLDEN * (high - low);
      atRight = value(right)!;
    }
    most = Math.max(most, atLeft, atRight);
  }
  return most;
}

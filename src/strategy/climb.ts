/** The best amount where each look tells the slope too: mostly the first one is enough, since what pays at all pays in full. */
import type { Regime } from '../protocols/types.ts';
import { ENOUGH } from './size.ts';

/** `slopeWei`: what a raw unit less would have made less, about; undefined where that is not known. `gasWei`: what is lost at an amount of nothing. */
export type Sloped = { readonly valueWei: bigint; readonly gasWei: bigint; readonly slopeWei: number | undefined };

type Point = { readonly amountRaw: bigint; readonly value: number; readonly slope: number; readonly gas: number };

const MAX_LOOKS = 24;
/** A slope by which all of the amount would make less than this share of the profit: the parabola is believed to have its top there. */
const FLAT = 1 / 50;
/** The least part of what is left open that a look cuts off on either side, and that is left while nothing is known to rise. */
const LEAST_CUT = 1 / 20;
const LEAST_LEFT = 1 / 5;
const GOLDEN = 0.618_034;
/** So many are enough where the slope changes evenly; where a pool ends it falls at once, and from then on every other look halves what is left open. */
const SMOOTH_LOOKS = 6;
/** Where the slope is not known it is measured over this share of the amount. */
const SLOPE_SHARE = 64n;

/**
 * Amount of greatest `value`, which is taken to be concave over all regimes together, gaps left out: the root of the slope, by regula falsi between an amount
 * where it rises and one where it falls, until what the tangents leave room for is not worth another look. While only falling ones are known, the next is the
 * top of the parabola through the last one, with its slope, and through what an amount of nothing makes.
 *
 * @param regimes ascending
 * @param beyondWei only more than this is of use
 * @param startRaw where it was at another depth, or on another way; absent: all that is allowed
 */
export function bestBySlope<T extends Sloped>(
  regimes: readonly Regime[],
  value: (amountRaw: bigint) => T | undefined,
  beyondWei = 0n,
  startRaw = regimes.at(-1)!.maxRaw,
): T | undefined {
  const [leastRaw, mostRaw] = [regimes[0]!.minRaw, regimes.at(-1)!.maxRaw];
  let best: T | undefined;
  let [rises, falls]: (Point | undefined)[] = [];
  let nextRaw = startRaw;
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const found = value(nextRaw);
    if (found !== undefined && (best === undefined || found.valueWei > best.valueWei)) best = found;
    let slope = found?.slopeWei;
    if (found !== undefined && slope === undefined) {
      const lessRaw = allowed(nextRaw - nextRaw / SLOPE_SHARE - 1n, regimes, leastRaw - 1n, nextRaw);
      const less = lessRaw === undefined ? undefined : value(lessRaw);
      if (less !== undefined && less.valueWei > best!.valueWei) best = less;
      slope = less === undefined ? 0 : Number(found.valueWei - less.valueWei) / Number(nextRaw - lessRaw!);
    }
    const point = pointOf(nextRaw, found, slope);
    if (point.slope >= 0) rises = point;
    else falls = point;
    if (rises?.amountRaw === mostRaw || falls?.amountRaw === leastRaw) return best;
    const floor = Math.max(Number(best?.valueWei ?? 0n) * (1 + ENOUGH), Number(beyondWei));
    if (!mayExceed(rises, falls, leastRaw, mostRaw, floor)) return best;
    const next = allowed(
      nextAmount(rises, falls, leastRaw, mostRaw, looks >= SMOOTH_LOOKS && looks % 2 === 0),
      regimes,
      rises?.amountRaw ?? leastRaw - 1n,
      falls?.amountRaw ?? mostRaw + 1n,
    );
    if (next === undefined) return best;
    nextRaw = next;
  }
  return best;
}

/** An amount that cannot be done is too large: pools run dry from above. */
function pointOf(amountRaw: bigint, found: Sloped | undefined, slope = 0): Point {
  if (found === undefined) return { amountRaw, value: Number.NEGATIVE_INFINITY, slope: Number.NEGATIVE_INFINITY, gas: 0 };
  return { amountRaw, value: Number(found.valueWei), slope, gas: Number(found.gasWei) };
}

/** Whether the tangents at what is known leave room for more than `floor` between. */
function mayExceed(rises: Point | undefined, falls: Point | undefined, leastRaw: bigint, mostRaw: bigint, floor: number): boolean {
  const known = falls !== undefined && Number.isFinite(falls.value) ? falls : undefined;
  if (rises === undefined) {
    if (known === undefined) return true;
    const whole = -known.slope * Number(known.amountRaw - leastRaw);
    if (known.value + whole <= floor) return false;
    return whole > known.value * FLAT || known.value + gainOf(known) > floor;
  }
  const width = Number((falls?.amountRaw ?? mostRaw) - rises.amountRaw);
  if (known === undefined) return rises.value + rises.slope * width > floor;
  // Where both tangents meet.
  const part = meetingOf(rises, known, width);
  return rises.value + rises.slope * part > floor;
}

function meetingOf(rises: Point, falls: Point, width: number): number {
  const part = (falls.value - falls.slope * width - rises.value) / (rises.slope - falls.slope);
  return Math.min(Math.max(part, 0), width);
}

/** The parabola's curvature, from a point with its slope and from what an amount of nothing makes: its gas, lost. */
function bendOf({ amountRaw, value, slope, gas }: Point): number {
  const amount = Number(amountRaw);
  return (value + gas - slope * amount) / (amount * amount);
}

function gainOf(point: Point): number {
  const bend = bendOf(point);
  return bend > 0 ? (point.slope * point.slope) / (4 * bend) : 0;
}

function nextAmount(rises: Point | undefined, falls: Point | undefined, leastRaw: bigint, mostRaw: bigint, halves: boolean): bigint {
  if (falls === undefined) return mostRaw;
  const low = rises?.amountRaw ?? leastRaw;
  const width = Number(falls.amountRaw - low);
  let part: number;
  if (!Number.isFinite(falls.slope)) part = GOLDEN;
  else if (rises !== undefined && halves) part = 0.5;
  else if (rises !== undefined) part = rises.slope / (rises.slope - falls.slope);
  else {
    const bend = bendOf(falls);
    part = bend > 0 ? 1 + falls.slope / (2 * bend * width) : 0.5;
  }
  // Beside one that rises already the other end moves in by itself.
  const [least, most] = rises === undefined ? [LEAST_LEFT, 1 - LEAST_CUT / 10] : [LEAST_CUT, 1 - LEAST_CUT];
  return low + BigInt(Math.round(Math.min(Math.max(part, least), most) * width));
}

/** The amount that is allowed nearest to one, above `low` and below `high`; undefined where none is between. */
function allowed(amountRaw: bigint, regimes: readonly Regime[], low: bigint, high: bigint): bigint | undefined {
  let below: bigint | undefined;
  for (const { minRaw, maxRaw } of regimes) {
    const [from, to] = [minRaw > low ? minRaw : low + 1n, maxRaw < high ? maxRaw : high - 1n];
    if (from > to) continue;
    if (amountRaw < from) return below === undefined || from - amountRaw < amountRaw - below ? from : below;
    if (amountRaw <= to) return amountRaw;
    below = to;
  }
  return below;
}

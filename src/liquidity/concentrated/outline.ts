/** A v3 pool's curve in one direction as floats. */
import type { Outline } from '../outline.ts';
import { firstAbove, type Ladder } from './ladder.ts';
import type { Curve } from './swap.ts';

const Q96 = 2 ** 96;
const PIPS = 1e6;
/** Further from the price than this many changes of liquidity, or stops, nothing is worth planning. */
const MAX_STRETCHES = 96;
const MAX_STOPS = 400;

/** @param tick that the swap starts at, as in `swapExactIn` */
export function outlineOf(curve: Curve, tick: number, ladder: Ladder, feePips: number, zeroForOne: boolean): Outline {
  const stops = zeroForOne ? ladder.down : ladder.up;
  const root = Math.sqrt(1 - feePips / PIPS);
  const sAt = (sqrtPriceX96: bigint) => (zeroForOne ? Q96 / (root * Number(sqrtPriceX96)) : Number(sqrtPriceX96) / (Q96 * root));
  const from: number[] = [];
  const depth: number[] = [];
  const step = zeroForOne ? -1 : 1;
  let at = firstAbove(stops.ticks, tick) - (zeroForOne ? 1 : 0);
  let s = sAt(curve.sqrtPriceX96);
  let { liquidity } = curve;
  let here = Number(liquidity) / root;
  let passed = 0;
  for (; passed < MAX_STOPS && from.length < MAX_STRETCHES && stops.pricesX96[at] !== undefined; passed++) {
    const last = depth.at(-1);
    // It begins where something can be had; stretches without liquidity count only between others.
    if (here !== last && (here > 0 || last !== undefined)) {
      from.push(s);
      depth.push(here);
    }
    const net = stops.nets[at];
    // Most stops are ends of words, where nothing changes.
    if (net !== undefined) {
      s = sAt(stops.pricesX96[at]!);
      liquidity += zeroForOne ? -net : net;
      here = Number(liquidity) / root;
    }
    at += step;
  }
  const to = passed === 0 ? s : sAt(stops.pricesX96[at - step]!);
  return { from, depth, to, ...(stops.pricesX96[at] !== undefined && { further: true }) };
}

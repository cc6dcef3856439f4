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
  let at = firstAbove(stops.ticks, tick) - (zeroForOne ? 1 : 0);
  let s = sAt(curve.sqrtPriceX96);
  let { liquidity } = curve;
  for (let stop = 0; stop < MAX_STOPS && from.length < MAX_STRETCHES; stop++) {
    const price = stops.pricesX96[at];
    if (price === undefined) break;
    const last = depth.at(-1);
    const here = Number(liquidity) / root;
    // It begins where something can be had; stretches without liquidity count only between others.
    if (here !== last && (here > 0 || last !== undefined)) {
      from.push(s);
      depth.push(here);
    }
    s = sAt(price);
    liquidity += (zeroForOne ? -1n : 1n) * (stops.nets[at] ?? 0n);
    at += zeroForOne ? -1 : 1;
  }
  return { from, depth, to: s, ...(stops.pricesX96[at] !== undefined && { further: true }) };
}

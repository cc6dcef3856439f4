/**
 * A whole swap: `UniswapV3Pool.swap` with `SwapMath.computeSwapStep` written into its loop, once for an exact input and once for an exact
 * output. No price limit: a swap that a pool cannot complete within the ticks that are known is no swap.
 */
import { mulDivUp } from '../../lib/math.ts';
import { firstAbove, type Ladder } from './ladder.ts';
import {
  amount0Down,
  amount0Up,
  amount1Down,
  amount1Up,
  priceAfterToken0In,
  priceAfterToken0Out,
  priceAfterToken1In,
  priceAfterToken1Out,
} from './sqrt-price-math.ts';

const PIPS = 1_000_000n;

/** The part of a pool's state that a swap moves. `tick` is undefined where it follows from the price. */
export type Curve = { readonly sqrtPriceX96: bigint; readonly tick: number | undefined; readonly liquidity: bigint };

export type Swap = {
  readonly amountInRaw: bigint;
  readonly amountOutRaw: bigint;
  readonly end: Curve;
  /** Initialised ticks crossed, and other pauses: what the gas depends on. */
  readonly crossed: number;
  readonly paused: number;
};

/**
 * Sells exactly `amountInRaw` (above 0), starting at `tick`. Undefined when the pool, or what is known of it, runs out first.
 *
 * NOTE: a step that ends short of its stop never ends on it: the price is rounded away from the stop (see `getNextSqrtPriceFromInput`).
 */
export function swapExactIn(
  start: Curve,
  tick: number,
  ladder: Ladder,
  feePips: bigint,
  zeroForOne: boolean,
  amountInRaw: bigint,
): Swap | undefined {
  const stops = zeroForOne ? ladder.down : ladder.up;
  const kept = PIPS - feePips;
  let at = zeroForOne ? firstAbove(stops.ticks, tick) - 1 : firstAbove(stops.ticks, tick);
  let price = start.sqrtPriceX96;
  let liquidity = start.liquidity;
  let endTick = start.tick;
  let remaining = amountInRaw;
  let out = 0n;
  let crossed = 0;
  let paused = 0;
  while (remaining > 0n) {
    const target = stops.pricesX96[at];
    if (target === undefined) return undefined;
    if (liquidity > 0n) {
      const lessFee = (remaining * kept) / PIPS;
      const wanted = zeroForOne ? amount0Up(target, price, liquidity) : amount1Up(price, target, liquidity);
      if (lessFee < wanted) {
        const end = zeroForOne ? priceAfterToken0In(price, liquidity, lessFee) : priceAfterToken1In(price, liquidity, lessFee);
        out += zeroForOne ? amount1Down(end, price, liquidity) : amount0Down(price, end, liquidity);
        if (end !== price) endTick = undefined;
        price = end;
        break;
      }
      out += zeroForOne ? amount1Down(target, price, liquidity) : amount0Down(price, target, liquidity);
      remaining -= wanted + mulDivUp(wanted, feePips, kept);
    }
    price = target;
    endTick = zeroForOne ? stops.ticks[at]! - 1 : stops.ticks[at]!;
    const net = stops.nets[at]!;
    if (net === 0n) paused++;
    else crossed++;
    liquidity += zeroForOne ? -net : net;
    at += zeroForOne ? -1 : 1;
  }
  return { amountInRaw, amountOutRaw: out, end: { sqrtPriceX96: price, tick: endTick, liquidity }, crossed, paused };
}

/** Buys exactly `amountOutRaw` (above 0), starting at `tick`. Undefined when the pool, or what is known of it, runs out first. */
export function swapExactOut(
  start: Curve,
  tick: number,
  ladder: Ladder,
  feePips: bigint,
  zeroForOne: boolean,
  amountOutRaw: bigint,
): Swap | undefined {
  const stops = zeroForOne ? ladder.down : ladder.up;
  const kept = PIPS - feePips;
  let at = zeroForOne ? firstAbove(stops.ticks, tick) - 1 : firstAbove(stops.ticks, tick);
  let price = start.sqrtPriceX96;
  let liquidity = start.liquidity;
  let endTick = start.tick;
  let remaining = amountOutRaw;
  let paid = 0n;
  let crossed = 0;
  let paused = 0;
  while (remaining > 0n) {
    const target = stops.pricesX96[at];
    if (target === undefined) return undefined;
    if (liquidity > 0n) {
      let end = target;
      const available = zeroForOne ? amount1Down(target, price, liquidity) : amount0Down(price, target, liquidity);
      if (remaining < available) {
        end = zeroForOne ? priceAfterToken1Out(price, liquidity, remaining) : priceAfterToken0Out(price, liquidity, remaining);
        remaining = 0n;
      } else {
        remaining -= available;
      }
      const taken = zeroForOne ? amount0Up(end, price, liquidity) : amount1Up(price, end, liquidity);
      paid += taken + mulDivUp(taken, feePips, kept);
      // NOTE: a step short of its stop rounds its price towards the stop, so it may end on it, and then crosses it.
      if (end !== target) {
        if (end !== price) endTick = undefined;
        price = end;
        break;
      }
    }
    price = target;
    endTick = zeroForOne ? stops.ticks[at]! - 1 : stops.ticks[at]!;
    const net = stops.nets[at]!;
    if (net === 0n) paused++;
    else crossed++;
    liquidity += zeroForOne ? -net : net;
    at += zeroForOne ? -1 : 1;
  }
  return { amountInRaw: paid, amountOutRaw, end: { sqrtPriceX96: price, tick: endTick, liquidity }, crossed, paused };
}

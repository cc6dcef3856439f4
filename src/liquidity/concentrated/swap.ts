/**
 * A whole swap: `UniswapV3Pool.swap` with `SwapMath.computeSwapStep` written into its loop, once for an exact input and once for an exact
 * output. No price limit: a swap that a pool cannot complete within the ticks that are known is no swap.
 */
import { mulDivUp } from '../../lib/math.ts';
import { firstAbove, type Ladder, type Stops, type WholeStep } from './ladder.ts';
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

/** Told of each step through liquidity: what some charge is rounded at each. */
export type Visit = (priceFromX96: bigint, priceToX96: bigint, liquidity: bigint) => void;

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
  visit?: Visit,
): Swap | undefined {
  const stops = zeroForOne ? ladder.down : ladder.up;
  let at = zeroForOne ? firstAbove(stops.ticks, tick) - 1 : firstAbove(stops.ticks, tick);
  let price = start.sqrtPriceX96;
  let liquidity = start.liquidity;
  let endTick = start.tick;
  let remaining = amountInRaw;
  let out = 0n;
  let crossed = 0;
  let paused = 0;
  for (let whole = false; remaining > 0n; whole = true) {
    const target = stops.pricesX96[at];
    if (target === undefined) return undefined;
    if (liquidity > 0n) {
      const step = whole ? wholeStep(stops, at, price, target, liquidity, feePips, zeroForOne) : undefined;
      // The contract compares what is left after the fee with the amount before it; rounded as both are, this is the same.
      const taken = step ? step.takenRaw : takenBetween(price, target, liquidity, feePips, zeroForOne);
      if (remaining < taken) {
        const lessFee = (remaining * (PIPS - feePips)) / PIPS;
        const end = zeroForOne ? priceAfterToken0In(price, liquidity, lessFee) : priceAfterToken1In(price, liquidity, lessFee);
        out += givenBetween(price, end, liquidity, zeroForOne);
        visit?.(price, end, liquidity);
        if (end !== price) endTick = undefined;
        price = end;
        break;
      }
      visit?.(price, target, liquidity);
      out += step ? step.givenRaw : givenBetween(price, target, liquidity, zeroForOne);
      remaining -= taken;
    }
    price = target;
    endTick = zeroForOne ? stops.ticks[at]! - 1 : stops.ticks[at]!;
    const net = stops.nets[at];
    if (net === undefined) paused++;
    else {
      crossed++;
      liquidity += zeroForOne ? -net : net;
    }
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
  visit?: Visit,
): Swap | undefined {
  const stops = zeroForOne ? ladder.down : ladder.up;
  let at = zeroForOne ? firstAbove(stops.ticks, tick) - 1 : firstAbove(stops.ticks, tick);
  let price = start.sqrtPriceX96;
  let liquidity = start.liquidity;
  let endTick = start.tick;
  let remaining = amountOutRaw;
  let paid = 0n;
  let crossed = 0;
  let paused = 0;
  for (let whole = false; remaining > 0n; whole = true) {
    const target = stops.pricesX96[at];
    if (target === undefined) return undefined;
    if (liquidity > 0n) {
      const step = whole ? wholeStep(stops, at, price, target, liquidity, feePips, zeroForOne) : undefined;
      const given = step ? step.givenRaw : givenBetween(price, target, liquidity, zeroForOne);
      if (remaining < given) {
        const end = zeroForOne ? priceAfterToken1Out(price, liquidity, remaining) : priceAfterToken0Out(price, liquidity, remaining);
        paid += takenBetween(price, end, liquidity, feePips, zeroForOne);
        visit?.(price, end, liquidity);
        remaining = 0n;
        // NOTE: a step short of its stop rounds its price towards the stop, so it may end on it, and then crosses it.
        if (end !== target) {
          if (end !== price) endTick = undefined;
          price = end;
          break;
        }
      } else {
        visit?.(price, target, liquidity);
        paid += step ? step.takenRaw : takenBetween(price, target, liquidity, feePips, zeroForOne);
        remaining -= given;
      }
    }
    price = target;
    endTick = zeroForOne ? stops.ticks[at]! - 1 : stops.ticks[at]!;
    const net = stops.nets[at];
    if (net === undefined) paused++;
    else {
      crossed++;
      liquidity += zeroForOne ? -net : net;
    }
    at += zeroForOne ? -1 : 1;
  }
  return { amountInRaw: paid, amountOutRaw, end: { sqrtPriceX96: price, tick: endTick, liquidity }, crossed, paused };
}

/** What moves the price from `price` to `end`, the fee on top: the amount and `feeAmount` of `computeSwapStep`. */
function takenBetween(price: bigint, end: bigint, liquidity: bigint, feePips: bigint, zeroForOne: boolean): bigint {
  const amount = zeroForOne ? amount0Up(end, price, liquidity) : amount1Up(price, end, liquidity);
  return amount + mulDivUp(amount, feePips, PIPS - feePips);
}

function givenBetween(price: bigint, end: bigint, liquidity: bigint, zeroForOne: boolean): bigint {
  return zeroForOne ? amount1Down(end, price, liquidity) : amount0Down(price, end, liquidity);
}

/** A step from the stop before to stop `at`. It depends on nothing but the ladder (and its pool's fee), so it is worked out once. */
function wholeStep(
  stops: Stops,
  at: number,
  price: bigint,
  target: bigint,
  liquidity: bigint,
  feePips: bigint,
  zeroForOne: boolean,
): WholeStep {
  const known = stops.steps[at];
  if (known !== undefined && known.liquidity === liquidity) return known;
  const takenRaw = takenBetween(price, target, liquidity, feePips, zeroForOne);
  const step = { liquidity, takenRaw, givenRaw: givenBetween(price, target, liquidity, zeroForOne) };
  stops.steps[at] = step;
  return step;
}

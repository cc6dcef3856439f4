import { NO_OUTLINE, type Outline } from '../outline.ts';
import type { Ladder } from './ladder.ts';
import { outlineOf } from './outline.ts';
import { type Curve, type Swap, swapExactIn, swapExactOut } from './swap.ts';
import { tickAtSqrtPrice } from './tick-math.ts';

/** What a swap in each direction pays, in hundredths of a basis point, off the input. */
export type FeesPips = { readonly zeroForOne: number; readonly oneForZero: number };

/** A price with the liquidity around it, as a value: what swaps between ticks come to, whichever contract keeps them. */
export class TickCurve {
  readonly curve: Curve;
  readonly ladder: Ladder;
  readonly feesPips: FeesPips;
  #tick: number | undefined;
  #down: Outline | undefined;
  #up: Outline | undefined;

  constructor(curve: Curve, ladder: Ladder, feesPips: FeesPips) {
    this.curve = curve;
    this.ladder = ladder;
    this.feesPips = feesPips;
    this.#tick = curve.tick;
  }

  get initialized(): boolean {
    return this.curve.sqrtPriceX96 !== 0n;
  }

  /** The pool's own tick. NOTE: after a swap down to a tick it is one below the price's own tick. */
  get tick(): number {
    this.#tick ??= tickAtSqrtPrice(this.curve.sqrtPriceX96);
    return this.#tick;
  }

  /** Undefined where the pool, or what is known of it, runs out first, and for a swap that gives nothing for something. */
  sell(zeroForOne: boolean, amountInRaw: bigint): Swap | undefined {
    if (!this.#quotable) return undefined;
    return filled(swapExactIn(this.curve, this.tick, this.ladder, this.#feePips(zeroForOne), zeroForOne, amountInRaw));
  }

  buy(zeroForOne: boolean, amountOutRaw: bigint): Swap | undefined {
    if (!this.#quotable) return undefined;
    return filled(swapExactOut(this.curve, this.tick, this.ladder, this.#feePips(zeroForOne), zeroForOne, amountOutRaw));
  }

  outline(zeroForOne: boolean): Outline {
    if (!this.#quotable) return NO_OUTLINE;
    if (zeroForOne) {
      this.#down ??= outlineOf(this.curve, this.tick, this.ladder, this.feesPips.zeroForOne, true);
      return this.#down;
    }
    this.#up ??= outlineOf(this.curve, this.tick, this.ladder, this.feesPips.oneForZero, false);
    return this.#up;
  }

  /** The same with another price. */
  at(curve: Curve): TickCurve {
    return new TickCurve(curve, this.ladder, this.feesPips);
  }

  /** Liquidity added (or, below zero, removed) between two ticks: it counts at once where they hold the current one. Throws as `Ladder.withLiquidity` does. */
  withLiquidity(lower: number, upper: number, delta: bigint): TickCurve {
    const active = lower <= this.tick && this.tick < upper;
    const curve = active ? { ...this.curve, liquidity: this.curve.liquidity + delta } : this.curve;
    return new TickCurve(curve, this.ladder.withLiquidity(lower, upper, delta), this.feesPips);
  }

  withFees(feesPips: FeesPips): TickCurve {
    return new TickCurve(this.curve, this.ladder, feesPips);
  }

  #feePips(zeroForOne: boolean): bigint {
    return BigInt(zeroForOne ? this.feesPips.zeroForOne : this.feesPips.oneForZero);
  }

  /** False where the price is not set, or has left the ticks that are known. */
  get #quotable(): boolean {
    if (!this.initialized) return false;
    const { window } = this.ladder;
    return window === undefined || (this.tick >= window.low && this.tick < window.high);
  }
}

function filled(swap: Swap | undefined): Swap | undefined {
  return swap === undefined || swap.amountInRaw === 0n || swap.amountOutRaw === 0n ? undefined : swap;
}

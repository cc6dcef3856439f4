import { encodeFunctionData, prepareEncodeFunctionData } from 'viem';
import { encodeSteps } from '../../lib/encode-steps.ts';
import type { Step } from '../../lib/steps.ts';
import { NO_OUTLINE, type Outline } from '../outline.ts';
import type { Hop, HopOrder, Pool, PoolIdentity } from '../pool.ts';
import { tokenInOf } from '../pool.ts';
import { poolAbi, SWAP_CALLBACK } from './abi.ts';
import { CROSSED_TICK_GAS, PAUSE_GAS, SWAP_GAS } from './gas.ts';
import type { Ladder } from './ladder.ts';
import { outlineOf } from './outline.ts';
import { type Curve, type Swap, swapExactIn, swapExactOut } from './swap.ts';
import { MAX_SQRT_PRICE_X96, MIN_SQRT_PRICE_X96, tickAtSqrtPrice } from './tick-math.ts';

const swap = prepareEncodeFunctionData({ abi: poolAbi, functionName: 'swap' });

const MAX_INT256 = (1n << 255n) - 1n;
/** `amountSpecified` in the calldata of `swap`: after the selector, the third word. */
const AMOUNT_OFFSET = 4 + 2 * 32;
const CALLBACK_DATA_ARGUMENT = 2;

/** What a pool holds beside its curve. */
export type Balances = { readonly balance0Raw: bigint; readonly balance1Raw: bigint };

/**
 * A v3 pool's state. Not part of it: the protocol's fee (it is taken out of the liquidity providers' part, so no amount depends on it) and the
 * oracle's observations.
 *
 * NOTE: a token that takes a fee on its transfers, or whose balances change by themselves, is not noticed here, but by
 * trial (transfers.ts): amounts are then other than quoted.
 */
export class UniswapV3Pool implements Pool {
  readonly identity: PoolIdentity;
  readonly curve: Curve;
  readonly ladder: Ladder;
  readonly balances: Balances;
  readonly #feePips: bigint;
  #tick: number | undefined;
  #down: Outline | undefined;
  #up: Outline | undefined;

  constructor(identity: PoolIdentity, curve: Curve, ladder: Ladder, balances: Balances) {
    this.identity = identity;
    this.curve = curve;
    this.ladder = ladder;
    this.balances = balances;
    this.#feePips = BigInt(identity.feePips);
    this.#tick = curve.tick;
  }

  get heldRaw(): readonly [bigint, bigint] {
    return [this.balances.balance0Raw, this.balances.balance1Raw];
  }

  get initialized(): boolean {
    return this.curve.sqrtPriceX96 !== 0n;
  }

  /** `slot0.tick`. NOTE: after a swap down to a tick it is one below the price's own tick. */
  get tick(): number {
    this.#tick ??= tickAtSqrtPrice(this.curve.sqrtPriceX96);
    return this.#tick;
  }

  sell(zeroForOne: boolean, amountInRaw: bigint): Hop | undefined {
    if (!this.#quotable || amountInRaw > MAX_INT256) return undefined;
    return this.#hop(zeroForOne, 'in', swapExactIn(this.curve, this.tick, this.ladder, this.#feePips, zeroForOne, amountInRaw));
  }

  buy(zeroForOne: boolean, amountOutRaw: bigint): Hop | undefined {
    if (!this.#quotable || amountOutRaw > MAX_INT256) return undefined;
    return this.#hop(zeroForOne, 'out', swapExactOut(this.curve, this.tick, this.ladder, this.#feePips, zeroForOne, amountOutRaw));
  }

  outline(zeroForOne: boolean): Outline {
    if (!this.#quotable) return NO_OUTLINE;
    if (zeroForOne) {
      this.#down ??= outlineOf(this.curve, this.tick, this.ladder, this.identity.feePips, true);
      return this.#down;
    }
    this.#up ??= outlineOf(this.curve, this.tick, this.ladder, this.identity.feePips, false);
    return this.#up;
  }

  /** The pool sends the output, calls back, and is paid what it then asks for. */
  steps(hop: Hop, order: HopOrder): readonly Step[] {
    const { address } = this.identity;
    const tokenIn = tokenInOf(hop);
    const payload = encodeSteps([{ kind: 'pay', token: tokenIn, argument: hop.zeroForOne ? 0 : 1 }]);
    const data = encodeFunctionData({
      ...swap,
      args: [
        order.recipient,
        hop.zeroForOne,
        order.exact === 'in' ? hop.amountInRaw : -hop.amountOutRaw,
        hop.zeroForOne ? MIN_SQRT_PRICE_X96 + 1n : MAX_SQRT_PRICE_X96 - 1n,
        payload,
      ],
    });
    const callback = { caller: address, selector: SWAP_CALLBACK, argument: CALLBACK_DATA_ARGUMENT, payload, answer: '0x' } as const;
    const patch = order.sellGain ? { patch: { token: tokenIn, offset: AMOUNT_OFFSET } } : {};
    return [{ kind: 'enter', target: address, valueWei: 0n, data, ...patch, callback }];
  }

  /** False where the price is not set, or has left the ticks that are known. */
  get #quotable(): boolean {
    if (!this.initialized) return false;
    const { window } = this.ladder;
    return window === undefined || (this.tick >= window.low && this.tick < window.high);
  }

  #hop(zeroForOne: boolean, exact: 'in' | 'out', swap: Swap | undefined): Hop | undefined {
    // A swap that gives nothing for something is no fill.
    if (swap === undefined || swap.amountInRaw === 0n || swap.amountOutRaw === 0n) return undefined;
    return {
      before: this,
      after: new UniswapV3Pool(this.identity, swap.end, this.ladder, this.balances),
      zeroForOne,
      exact,
      amountInRaw: swap.amountInRaw,
      amountOutRaw: swap.amountOutRaw,
      gasUnits: SWAP_GAS + BigInt(swap.crossed) * CROSSED_TICK_GAS + BigInt(swap.paused) * PAUSE_GAS,
    };
  }
}

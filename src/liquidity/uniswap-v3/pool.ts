import { getAbiItem } from 'viem/utils';
import { calldataOf } from '../../lib/calldata.ts';
import { encodeSteps } from '../../lib/encode-steps.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Ladder } from '../concentrated/ladder.ts';
import type { Curve, Swap } from '../concentrated/swap.ts';
import { TickCurve } from '../concentrated/tick-curve.ts';
import { MAX_SQRT_PRICE_X96, MIN_SQRT_PRICE_X96 } from '../concentrated/tick-math.ts';
import type { Outline } from '../outline.ts';
import type { Hop, HopOrder, Pool, PoolIdentity } from '../pool.ts';
import { tokenInOf } from '../pool.ts';
import { poolAbi, SWAP_CALLBACK } from './abi.ts';
import { CROSSED_TICK_GAS, PAUSE_GAS, SWAP_GAS } from './gas.ts';

const swap = calldataOf(getAbiItem({ abi: poolAbi, name: 'swap' }));

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
  readonly ticks: TickCurve;
  readonly balances: Balances;

  constructor(identity: PoolIdentity, curve: Curve, ladder: Ladder, balances: Balances) {
    this.identity = identity;
    this.ticks = new TickCurve(curve, ladder, { zeroForOne: identity.feePips, oneForZero: identity.feePips });
    this.balances = balances;
  }

  get holder(): Address {
    return this.identity.address;
  }

  get heldRaw(): readonly [bigint, bigint] {
    return [this.balances.balance0Raw, this.balances.balance1Raw];
  }

  get curve(): Curve {
    return this.ticks.curve;
  }

  get ladder(): Ladder {
    return this.ticks.ladder;
  }

  get initialized(): boolean {
    return this.ticks.initialized;
  }

  /** `slot0.tick`. */
  get tick(): number {
    return this.ticks.tick;
  }

  sell(zeroForOne: boolean, amountInRaw: bigint): Hop | undefined {
    return amountInRaw > MAX_INT256 ? undefined : this.#hop(zeroForOne, 'in', this.ticks.sell(zeroForOne, amountInRaw));
  }

  buy(zeroForOne: boolean, amountOutRaw: bigint): Hop | undefined {
    return amountOutRaw > MAX_INT256 ? undefined : this.#hop(zeroForOne, 'out', this.ticks.buy(zeroForOne, amountOutRaw));
  }

  outline(zeroForOne: boolean): Outline {
    return this.ticks.outline(zeroForOne);
  }

  /** The pool sends the output, calls back, and is paid what it then asks for. */
  steps(hop: Hop, order: HopOrder): readonly Step[] {
    const { address } = this.identity;
    const tokenIn = tokenInOf(hop);
    const payload = encodeSteps([{ kind: 'pay', token: tokenIn, argument: hop.zeroForOne ? 0 : 1 }]);
    const data = swap(
      order.recipient,
      hop.zeroForOne,
      order.exact === 'in' ? hop.amountInRaw : -hop.amountOutRaw,
      hop.zeroForOne ? MIN_SQRT_PRICE_X96 + 1n : MAX_SQRT_PRICE_X96 - 1n,
      payload,
    );
    const callback = { caller: address, selector: SWAP_CALLBACK, argument: CALLBACK_DATA_ARGUMENT, payload, answer: '0x' } as const;
    const patch = order.sellGain ? { patch: { token: tokenIn, offset: AMOUNT_OFFSET } } : {};
    return [{ kind: 'enter', target: address, valueWei: 0n, data, ...patch, callback }];
  }

  #hop(zeroForOne: boolean, exact: 'in' | 'out', swap: Swap | undefined): Hop | undefined {
    if (swap === undefined) return undefined;
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

import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { Swap } from '../concentrated/swap.ts';
import type { TickCurve } from '../concentrated/tick-curve.ts';
import type { Outline } from '../outline.ts';
import type { Hop, HopOrder, Pool, PoolIdentity } from '../pool.ts';
import { CROSSED_TICK_GAS, NATIVE_GAS, PAUSE_GAS, SWAP_GAS } from './gas.ts';
import { type Listing, NONE } from './key.ts';
import { type Manager, swapSteps } from './steps.ts';

/** `BalanceDelta` has two of them. */
const MAX_INT128 = (1n << 127n) - 1n;

/**
 * A hookless v4 pool's state. Not part of it: what liquidity providers and the protocol have earned, by swaps or donations, which no amount depends on.
 *
 * NOTE: the curve is the pool's own, between its currencies; where those are flipped, so is every direction.
 */
export class UniswapV4Pool implements Pool {
  readonly listing: Listing;
  readonly ticks: TickCurve;
  /** What the manager had of its tokens, for all pools together, when they were read. */
  readonly heldRaw: readonly [bigint, bigint];
  readonly #manager: Manager;

  constructor(manager: Manager, listing: Listing, ticks: TickCurve, heldRaw: readonly [bigint, bigint]) {
    this.#manager = manager;
    this.listing = listing;
    this.ticks = ticks;
    this.heldRaw = heldRaw;
  }

  get identity(): PoolIdentity {
    return this.listing.identity;
  }

  get holder(): Address {
    return this.#manager.address;
  }

  sell(zeroForOne: boolean, amountInRaw: bigint): Hop | undefined {
    return this.#hop(zeroForOne, 'in', amountInRaw > MAX_INT128 ? undefined : this.ticks.sell(this.#own(zeroForOne), amountInRaw));
  }

  buy(zeroForOne: boolean, amountOutRaw: bigint): Hop | undefined {
    return this.#hop(zeroForOne, 'out', amountOutRaw > MAX_INT128 ? undefined : this.ticks.buy(this.#own(zeroForOne), amountOutRaw));
  }

  outline(zeroForOne: boolean): Outline {
    return this.ticks.outline(this.#own(zeroForOne));
  }

  /** NOTE: the recipient has to be the Executor: what it is owed is looked up by its address, and native tokens come to it to be wrapped. */
  steps(hop: Hop, order: HopOrder): readonly Step[] {
    const amount = order.exact === 'in' ? -hop.amountInRaw : hop.amountOutRaw;
    return swapSteps(this.#manager, this.listing.key, this.#own(hop.zeroForOne), amount, order.sellGain, order.recipient);
  }

  with(ticks: TickCurve): UniswapV4Pool {
    return new UniswapV4Pool(this.#manager, this.listing, ticks, this.heldRaw);
  }

  #own(zeroForOne: boolean): boolean {
    return zeroForOne !== this.listing.flipped;
  }

  #hop(zeroForOne: boolean, exact: 'in' | 'out', swap: Swap | undefined): Hop | undefined {
    if (swap === undefined || swap.amountInRaw > MAX_INT128 || swap.amountOutRaw > MAX_INT128) return undefined;
    const native = this.listing.key.currency0 === NONE ? NATIVE_GAS : 0n;
    return {
      before: this,
      after: this.with(this.ticks.at(swap.end)),
      zeroForOne,
      exact,
      amountInRaw: swap.amountInRaw,
      amountOutRaw: swap.amountOutRaw,
      gasUnits: SWAP_GAS + native + BigInt(swap.crossed) * CROSSED_TICK_GAS + BigInt(swap.paused) * PAUSE_GAS,
    };
  }
}

import { byProfit } from '../strategy/block.ts';
import type { Plan } from '../strategy/types.ts';

/** So many at once are never too many to try again. */
const ENOUGH = 256;

/**
 * How many liquidations fit into the time that a block leaves. Where nothing was signed before the next block came, half as many are tried then; each
 * block that was in time allows twice as many. Without that, a crash that brings more than can be rehearsed in a slot would bring nothing at all,
 * block after block, while it grows.
 */
export class Pace {
  #most = Number.POSITIVE_INFINITY;

  /** Those to try: the most profitable, in the order in which they stand. */
  keep<T extends Pick<Plan, 'profitWei'>>(plans: readonly T[]): readonly T[] {
    if (plans.length <= this.#most) return plans;
    const best = new Set(plans.toSorted(byProfit).slice(0, this.#most));
    return plans.filter((plan) => best.has(plan));
  }

  /** @param tried how many were tried in a block */
  note(tried: number, inTime: boolean): void {
    if (tried === 0) return;
    if (!inTime) this.#most = Math.max(1, Math.floor(tried / 2));
    else if (this.#most < ENOUGH) this.#most *= 2;
    else this.#most = Number.POSITIVE_INFINITY;
  }
}

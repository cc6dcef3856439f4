import type { Settled } from '../execution/tracker.ts';
import type { OutcomeKind } from '../ledger/types.ts';
import type { Candidate } from '../risk/types.ts';
import { nameOf } from '../strategy/bids/book.ts';
import { byProfit } from '../strategy/block.ts';
import type { Plan } from '../strategy/types.ts';

/** So many at once are never too many to try again. */
const ENOUGH = 256;
/** A bundle of so few came to nothing for another reason: a relay, a rival. */
const FEW = 32;

/** When a block's bundle was out: early leaves room for more. */
export type Timing = 'early' | 'in time' | 'late';

/** Of what was too many, so much is gone up to fast, and beyond it by a sixteenth a block. */
const SAFELY = 0.75;
const CAREFULLY = 1 / 16;

/**
 * How many liquidations fit into the time that a block leaves. Where nothing was signed before the next block came, or what was sent came too late, half as many
 * are tried then; blocks in time allow more again, with care where it was too many the last time. Without that, a crash that brings more than can be planned
 * and rehearsed in a slot would bring nothing at all, block after block, while it grows.
 */
export class Pace {
  #most = Number.POSITIVE_INFINITY;
  #tooMany = Number.POSITIVE_INFINITY;
  /** What was signed in time and not mined. */
  #missed: ReadonlySet<string> = new Set();

  /** As many as there is time for. */
  get most(): number {
    return this.#most;
  }

  /** Those to try: the most profitable, in the order in which they stand. */
  keep<T extends Pick<Plan, 'profitWei'>>(plans: readonly T[]): readonly T[] {
    if (plans.length <= this.#most) return plans;
    const best = new Set(plans.toSorted(byProfit).slice(0, this.#most));
    return plans.filter((plan) => best.has(plan));
  }

  /** How our transactions ended. */
  settled(settled: readonly Pick<Settled, 'transaction' | 'result'>[]): void {
    const bundled = settled.filter(({ transaction }) => transaction.channel === 'bundle');
    const namesOf = (outcome: OutcomeKind) =>
      bundled.filter(({ result }) => result.outcome === outcome).flatMap(({ transaction }) => transaction.attempts.map(nameOf));
    // Of several variants one is mined at most.
    const included = new Set(namesOf('included'));
    this.#missed = new Set(namesOf('missed').filter((name) => !included.has(name)));
  }

  /** Many that were missed and are still there were taken by nobody else: they came too late for their block, or were too much for it. */
  see(candidates: readonly Candidate[]): void {
    const left = candidates.reduce((count, candidate) => count + (this.#missed.has(nameOf(candidate)) ? 1 : 0), 0);
    if (left > FEW && left * 2 > this.#missed.size) this.note(this.#missed.size, 'late');
    this.#missed = new Set();
  }

  /** @param tried how many were tried in a block */
  note(tried: number, timing: Timing): void {
    if (tried === 0) return;
    if (timing === 'late') {
      this.#tooMany = tried;
      this.#most = Math.max(1, Math.floor(tried / 2));
      return;
    }
    if (tried >= this.#tooMany) this.#tooMany = Number.POSITIVE_INFINITY;
    const safe = timing === 'early' ? this.#tooMany : Math.floor(this.#tooMany * SAFELY);
    this.#most = this.#most < safe ? Math.min(this.#most * 2, safe) : Math.ceil(this.#most * (1 + CAREFULLY));
    if (this.#most >= ENOUGH) this.#most = Number.POSITIVE_INFINITY;
  }
}

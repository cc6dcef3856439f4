import { setImmediate } from 'node:timers/promises';
import type { PriceMoves } from '../risk/price-moves.ts';
import type { Outlook } from '../strategy/outlook.ts';
import { type ExecutionRisk, type Odds, simulate } from '../strategy/risk.ts';
import type { Plan } from '../strategy/types.ts';
import type { OwnBids } from './own-bids.ts';

/** Between so many paths whatever else waits has its turn: a fraction of a millisecond. */
const PATHS_AT_ONCE = 16;
/** Plans that wait to be simulated, each a hundredth of a second's work: of a crowd, in which the next block waits for the time, the best; the others are told without. */
const MOST_WAITING = 24;

/** States the risk of plans beside the way of sending: one after another, in small pieces, each plan once. */
export class RiskDesk {
  readonly #moves: PriceMoves;
  readonly #channel: Odds['channel'];
  readonly #ownBids: Pick<OwnBids, 'at' | 'outcomes'>;
  readonly #known = new WeakMap<Plan, ExecutionRisk>();
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(moves: PriceMoves, channel: Odds['channel'], ownBids: Pick<OwnBids, 'at' | 'outcomes'>) {
    this.#moves = moves;
    this.#channel = channel;
    this.#ownBids = ownBids;
  }

  /** What is known of a plan by now. */
  of(plan: Plan): ExecutionRisk | undefined {
    return this.#known.get(plan);
  }

  /** In its turn; undefined where too many wait already, or there is nothing to state. */
  async state(plan: Plan): Promise<ExecutionRisk | undefined> {
    const { outlook } = plan;
    if (outlook === undefined || this.#waiting >= MOST_WAITING) return undefined;
    this.#waiting++;
    const turn = this.#last.then(() => this.#simulated(plan, outlook)).finally(() => this.#waiting--);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #simulated(plan: Plan, outlook: Outlook): Promise<ExecutionRisk> {
    const simulation = simulate(plan, outlook, this.#moves, this.#odds(outlook));
    for (let path = 1; ; path++) {
      if (path % PATHS_AT_ONCE === 0) await setImmediate();
      const step = simulation.next();
      if (!step.done) continue;
      this.#known.set(plan, step.value);
      return step.value;
    }
  }

  #odds({ block }: Outlook): Odds {
    return { channel: this.#channel, book: this.#ownBids.at(block - 1), outcomes: this.#ownBids.outcomes };
  }
}

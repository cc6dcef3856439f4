import type { Backran, Backrunner } from '../execution/backrun.ts';
import type { Dispatcher } from '../execution/dispatcher.ts';
import type { ExecutionChain, ForeignTransaction } from '../execution/types.ts';
import type { OpenTransaction } from '../ledger/types.ts';
import { explainError } from '../lib/errors.ts';
import type { Address, Head, Hex } from '../lib/types.ts';
import type { FeedAnswer, FeedId } from '../oracles/types.ts';
import type { Watch } from '../risk/candidates.ts';
import type { Candidate } from '../risk/types.ts';
import type { Plan } from '../strategy/types.ts';
import type { Chronicle } from './chronicle.ts';
import { type DecisionWorld, decideBlock } from './decide.ts';
import type { Approve } from './on-block.ts';
import type { OwnBids } from './own-bids.ts';
import type { Settings } from './settings.ts';

/** A signed price update that is not mined yet, and what the feeds that it moves will answer once it is. */
export type PendingUpdate = ForeignTransaction & { readonly feeds: ReadonlyMap<FeedId, FeedAnswer> };

/** What came of a set of pending updates; undefined where they make nothing liquidatable that pays. */
export type UpdateOutcome = { readonly plans: readonly Plan[]; readonly backran: Backran; readonly updates: readonly PendingUpdate[] };

/** Pending price updates, from what they will make liquidatable to bundles behind them, in their own block. */
export class UpdatePipeline {
  readonly #settings: Settings;
  readonly #backrunner: Backrunner;
  readonly #dispatcher: Dispatcher;
  readonly #chain: ExecutionChain;
  readonly #lane: Address;
  readonly #approve: Approve;
  readonly #ownBids: Pick<OwnBids, 'at'>;
  readonly #chronicle: Chronicle;
  readonly #watch: Watch;
  #nonce: { readonly head: Hex; readonly next: Promise<number> } | undefined;

  constructor(parts: {
    settings: Settings;
    backrunner: Backrunner;
    dispatcher: Dispatcher;
    chain: ExecutionChain;
    lane: Address;
    approve: Approve;
    ownBids: Pick<OwnBids, 'at'>;
    chronicle: Chronicle;
    watch: Watch;
  }) {
    this.#settings = parts.settings;
    this.#backrunner = parts.backrunner;
    this.#dispatcher = parts.dispatcher;
    this.#chain = parts.chain;
    this.#lane = parts.lane;
    this.#approve = parts.approve;
    this.#ownBids = parts.ownBids;
    this.#chronicle = parts.chronicle;
    this.#watch = parts.watch;
  }

  /**
   * @param updates everything pending, in the order in which it may be mined
   * @param open transactions of ours that are not settled
   * @param stillCurrent false once a newer head or a further update has arrived
   */
  async onUpdates(
    world: DecisionWorld,
    head: Head,
    updates: readonly PendingUpdate[],
    open: readonly OpenTransaction[],
    stillCurrent: () => boolean,
  ): Promise<UpdateOutcome | undefined> {
    // Asked for while there is planning to do.
    const nonce = this.#nextNonce(head);
    const at = world.next(answersOf(updates));
    const { candidates } = this.#watch.foresee(world.protocols, at, head.number + 1);
    const named = candidates.map((candidate) => (candidate.sinceBlock > head.number ? madeBy(candidate, updates) : candidate));
    const fresh = new Set(named.filter(({ updateTxHash }) => updateTxHash !== undefined));
    if (fresh.size === 0) return undefined;
    const { decisions, terms } = decideBlock(world, this.#settings, named, head, at, 0n, this.#ownBids.at(head.number));
    // What was liquidatable before is planned along: it has a bundle at the same nonce, and only one of the two can be mined.
    const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
    const skips = decisions.flatMap((decision) => (decision.kind === 'skip' && fresh.has(decision.candidate) ? [decision] : []));
    let outcome: UpdateOutcome | undefined;
    if (terms !== undefined && plans.some(({ candidate }) => fresh.has(candidate))) {
      try {
        const standing = await this.#dispatcher.standing(open, head, at);
        const nextNonce = standing.lanes?.find(({ lane }) => lane === this.#lane)?.nextNonce ?? (await nonce);
        const elsewhere = accountsElsewhere(open, this.#lane, nextNonce);
        const free = plans.filter(({ candidate }) => !elsewhere.has(candidate.account));
        const { verdicts, budget } = await this.#approve(free, terms, at);
        const approved = free.filter((_, index) => verdicts[index] === undefined);
        for (const [index, { candidate }] of free.entries())
          if (verdicts[index] !== undefined) skips.push({ kind: 'skip', candidate, skip: verdicts[index] });
        const backran = await this.#backrunner.run({ updates, plans: approved, head, at, terms, nextNonce, budget, stillCurrent });
        for (const { plan, skip } of backran.skipped) skips.push({ kind: 'skip', candidate: plan.candidate, skip });
        outcome = { plans: approved, backran, updates };
      } catch (error) {
        const skip = { reason: 'simulation-unavailable', figures: { cause: explainError(error) } } as const;
        for (const { candidate } of plans) skips.push({ kind: 'skip', candidate, skip });
      }
    }
    for (const candidate of fresh) this.#chronicle.found(candidate);
    for (const plan of plans) if (fresh.has(plan.candidate)) await this.#chronicle.planned(plan, head);
    for (const { candidate, skip } of skips) await this.#chronicle.skipped(candidate, skip, head);
    return outcome;
  }

  /** One call a head at most, and none while no update is pending. */
  #nextNonce(head: Head): Promise<number> {
    if (this.#nonce?.head !== head.hash) {
      const next = this.#chain.nonceOf(this.#lane, head.hash);
      // A rejection is met where the nonce is needed; until then it must not count as unhandled.
      next.catch(() => {
        this.#nonce = undefined;
      });
      this.#nonce = { head: head.hash, next };
    }
    return this.#nonce.next;
  }
}

/** The newest answer of each feed: an older report does not take the place of a newer one. */
function answersOf(updates: readonly PendingUpdate[]): ReadonlyMap<FeedId, FeedAnswer> {
  const answers = new Map<FeedId, FeedAnswer>();
  for (const { feeds } of updates)
    for (const [feed, answer] of feeds) {
      const known = answers.get(feed);
      if (known === undefined || answer.roundId > known.roundId) answers.set(feed, answer);
    }
  return answers;
}

/** With several pending, the last one stands for them. */
function madeBy(candidate: Candidate, updates: readonly PendingUpdate[]): Candidate {
  const last = updates.at(-1);
  return last === undefined ? candidate : { ...candidate, updateTxHash: last.txHash };
}

/**
 * Whose liquidation something of ours could carry out that stands at another nonce than the bundle to come. What begins at the same one cannot be mined
 * beside it, and neither can what follows that in its own bundle.
 */
function accountsElsewhere(open: readonly OpenTransaction[], lane: Address, nextNonce: number): ReadonlySet<Address> {
  const bundlesHere = open.some(({ channel, nonce }) => channel === 'bundle' && nonce === nextNonce);
  const elsewhere = open.filter((one) => one.lane !== lane || (one.nonce !== nextNonce && !(one.channel === 'bundle' && bundlesHere)));
  return new Set(elsewhere.flatMap(({ attempts }) => attempts.map(({ account }) => account)));
}

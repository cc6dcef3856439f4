import type { Backran, Backrunner } from '../execution/backrun.ts';
import type { Dispatcher } from '../execution/dispatcher.ts';
import type { ExecutionChain } from '../execution/types.ts';
import type { OpenTransaction } from '../ledger/types.ts';
import { explainError } from '../lib/errors.ts';
import type { Address, Head, Hex } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { PriceUpdate } from '../oracles/updates.ts';
import type { Watch } from '../risk/candidates.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan, SkipReason } from '../strategy/types.ts';
import type { Chronicle } from './chronicle.ts';
import type { DecisionWorld } from './decide.ts';
import { foresee, type Unmoved, unmovedAt, unmovedBy } from './foresight.ts';
import { Nursery } from './nursery.ts';
import type { Approve, BlockOutcome } from './on-block.ts';
import type { OwnBids } from './own-bids.ts';
import type { Pace } from './pace.ts';
import type { Settings } from './settings.ts';

/** Who goes behind updates now: a lane that rests leaves it to another. */
export type BackrunLanes = { now(): { readonly lane: Address; readonly backrunner: Backrunner } };

/** So few are planned anew for an update, as what is mined right behind it: nobody comes between. */
const CROWD = 64;

/** Pending price updates, from what they will make liquidatable to bundles behind them, in their own block. */
export class UpdatePipeline {
  readonly #settings: Settings;
  readonly #dispatcher: Pick<Dispatcher, 'standing'>;
  readonly #chain: ExecutionChain;
  readonly #lanes: BackrunLanes;
  readonly #approve: Approve;
  readonly #ownBids: Pick<OwnBids, 'at'>;
  readonly #pace: Pick<Pace, 'most'>;
  readonly #chronicle: Chronicle;
  readonly #watch: Watch;
  readonly #nursery = new Nursery();
  #unmoved: Unmoved | undefined;
  #nonce: { readonly head: Hex; readonly lane: Address; readonly next: Promise<number> } | undefined;

  constructor(parts: {
    settings: Settings;
    dispatcher: Pick<Dispatcher, 'standing'>;
    chain: ExecutionChain;
    lanes: BackrunLanes;
    approve: Approve;
    ownBids: Pick<OwnBids, 'at'>;
    pace: Pick<Pace, 'most'>;
    chronicle: Chronicle;
    watch: Watch;
  }) {
    this.#settings = parts.settings;
    this.#dispatcher = parts.dispatcher;
    this.#chain = parts.chain;
    this.#lanes = parts.lanes;
    this.#approve = parts.approve;
    this.#ownBids = parts.ownBids;
    this.#pace = parts.pace;
    this.#chronicle = parts.chronicle;
    this.#watch = parts.watch;
  }

  /**
   * What was sent; undefined where the updates make nothing liquidatable that pays.
   *
   * @param updates everything pending, in the order in which it may be mined
   * @param open transactions of ours that are not settled
   * @param known everything of ours that is in the ledger for this block
   * @param superseded aborts once a newer head or a further update has arrived
   */
  async onUpdates(
    world: DecisionWorld,
    head: Head,
    updates: readonly PriceUpdate[],
    open: readonly OpenTransaction[],
    superseded: AbortSignal,
    known: readonly Hex[] = open.map(({ txHash }) => txHash),
  ): Promise<Backran | undefined> {
    // Asked for while there is planning to do.
    const { lane, backrunner } = this.#lanes.now();
    const nonce = this.#nextNonce(lane, head);
    const unmoved = this.#unmovedAt(world, head);
    const foresight = foresee(world, this.#settings, this.#watch, head, updates, this.#goingAt(head), unmoved);
    if (foresight === undefined) return undefined;
    const { fresh, terms, backruns } = foresight;
    const skips: { candidate: Plan['candidate']; skip: SkipReason }[] = [...foresight.skips];
    let backran: Backran | undefined;
    if (terms !== undefined && backruns.length > 0) {
      try {
        const standing = await this.#dispatcher.standing(open, head, world.next());
        const nextNonce = standing.lanes?.find((one) => one.lane === lane)?.nextNonce ?? (await nonce);
        const elsewhere = accountsElsewhere(open, lane, nextNonce);
        const approved = await this.#approved(backruns, terms, elsewhere, skips);
        const { budget } = approved;
        const later = async () => {
          const variants = foresight.later();
          const { allowed } = await this.#approved(variants, terms, elsewhere, skips, approved.allowed);
          return variants.map((variant) => ({ ...variant, plans: variant.plans.filter((plan) => allowed.has(keyOf(plan))) }));
        };
        backran = await backrunner.run({ backruns: approved.backruns, head, terms, nextNonce, budget, known, superseded, later });
        for (const { plans: together, gasUnits } of backran.rehearsed) world.gasUse.note(together, gasUnits);
        for (const { plan, skip } of backran.skipped) skips.push({ candidate: plan.candidate, skip });
      } catch (error) {
        const skip = { reason: 'simulation-unavailable', figures: { cause: explainError(error) } } as const;
        for (const { candidate } of plansOf(backruns)) skips.push({ candidate, skip });
      }
    }
    for (const candidate of fresh) this.#chronicle.found(candidate);
    for (const plan of plansOf(backruns)) if (plan.candidate.sinceBlock > head.number) this.#chronicle.planned(plan, head);
    for (const { candidate, skip } of skips) this.#chronicle.skipped(candidate, skip, head);
    if (backran?.reverting === undefined || superseded.aborted) return backran;
    const others = updates.filter(({ sighting }) => sighting.txHash !== backran.reverting);
    return (
      (await this.onUpdates(world, head, others, open, superseded, [...known, ...backran.sent.map(({ txHash }) => txHash)])) ?? backran
    );
  }

  /** Between a block and the next update there is time for what every update of that block needs; to plan a crowd a second time there is not. */
  prepare(world: DecisionWorld, head: Head, { decisions, standing }: Pick<BlockOutcome, 'decisions' | 'standing'>): void {
    if (decisions.length > CROWD && standing !== undefined) this.#unmoved = unmovedBy(standing.decided, head, standing.at);
    const { terms, at } = this.#unmovedAt(world, head);
    // What was spent holds until something is written. Whoever needs it asks again, and meets the failure.
    if (terms !== undefined) this.#approve([], terms, at).catch(() => {});
    this.#nursery.tidy();
  }

  /** The same head may have other state from now on. */
  forget(): void {
    this.#unmoved = undefined;
    this.#nonce = undefined;
  }

  #unmovedAt(world: DecisionWorld, head: Head): Unmoved {
    if (this.#unmoved?.head !== head.hash) this.#unmoved = unmovedAt(world, this.#settings, this.#watch, head, this.#goingAt(head));
    return this.#unmoved;
  }

  #goingAt(head: Head) {
    return { own: this.#ownBids.at(head.number), mostPlans: this.#pace.most };
  }

  /** Each account is judged once, by the plan that it has first; what was refused stands in no variant. */
  async #approved<T extends { readonly plans: readonly Plan[]; readonly at: Moment }>(
    backruns: readonly T[],
    terms: Terms,
    elsewhere: ReadonlySet<Address>,
    skips: { candidate: Plan['candidate']; skip: SkipReason }[],
    before: ReadonlySet<string> = new Set(),
  ) {
    const plans = plansOf(backruns).filter((plan) => !elsewhere.has(plan.candidate.account) && !before.has(keyOf(plan)));
    const { verdicts, budget } = await this.#approve(plans, terms, backruns[0]!.at);
    for (const [index, { candidate }] of plans.entries())
      if (verdicts[index] !== undefined) skips.push({ candidate, skip: verdicts[index] });
    const allowed = new Set([...before, ...plans.flatMap((plan, index) => (verdicts[index] === undefined ? [keyOf(plan)] : []))]);
    const approved = backruns.map((one) => ({ ...one, plans: one.plans.filter((plan) => allowed.has(keyOf(plan))) }));
    return { budget, backruns: approved, allowed };
  }

  /** One call a head at most, and none while no update is pending. */
  #nextNonce(lane: Address, head: Head): Promise<number> {
    if (this.#nonce?.head !== head.hash || this.#nonce.lane !== lane) {
      const next = this.#chain.nonceOf(lane, head.hash);
      // A rejection is met where the nonce is needed; until then it must not count as unhandled.
      next.catch(() => {
        this.#nonce = undefined;
      });
      this.#nonce = { head: head.hash, lane, next };
    }
    return this.#nonce.next;
  }
}

/** One plan for each account: the first. */
function plansOf(backruns: readonly { readonly plans: readonly Plan[] }[]): readonly Plan[] {
  const plans = new Map<string, Plan>();
  for (const plan of backruns.flatMap(({ plans: own }) => own)) if (!plans.has(keyOf(plan))) plans.set(keyOf(plan), plan);
  return [...plans.values()];
}

function keyOf({ candidate }: Plan): string {
  return `${candidate.deployment}/${candidate.market}/${candidate.account}`;
}

/**
 * Whose liquidation something of ours could carry out that stands at another nonce than the bundle to come. What begins at the same one cannot be mined
 * beside it, and neither can what follows that in its own bundle.
 */
function accountsElsewhere(open: readonly OpenTransaction[], lane: Address, nextNonce: number): ReadonlySet<Address> {
  const bundlesHere = open.some((one) => one.lane === lane && one.channel === 'bundle' && one.nonce === nextNonce);
  const elsewhere = open.filter((one) => one.lane !== lane || (one.nonce !== nextNonce && !(one.channel === 'bundle' && bundlesHere)));
  return new Set(elsewhere.flatMap(({ attempts }) => attempts.map(({ account }) => account)));
}

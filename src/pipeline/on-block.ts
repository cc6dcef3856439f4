import { type Dispatched, type Dispatcher, NOTHING } from '../execution/dispatcher.ts';
import type { LaneBook } from '../execution/lane-book.ts';
import type { Standing } from '../execution/standing.ts';
import type { TopUps } from '../execution/top-ups.ts';
import type { Settled } from '../execution/tracker.ts';
import type { Budget } from '../guard/budget.ts';
import type { Repeats } from '../guard/repeats.ts';
import { LedgerError } from '../ledger/database.ts';
import type { OpenTransaction } from '../ledger/types.ts';
import { explainError } from '../lib/errors.ts';
import type { Head } from '../lib/types.ts';
import type { Depth } from '../liquidity/types.ts';
import type { PulledPrices } from '../oracles/pull/pulled.ts';
import type { FeedId, Moment } from '../oracles/types.ts';
import type { Protocol } from '../protocols/types.ts';
import type { Judged, Watch } from '../risk/candidates.ts';
import { noTime } from '../strategy/skips.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Decision, Plan, SkipReason } from '../strategy/types.ts';
import type { Chronicle } from './chronicle.ts';
import { type Carry, type Decided, type DecisionWorld, decideBlock } from './decide.ts';
import type { HedgeMoment, Hedger } from './hedger.ts';
import type { OwnBids } from './own-bids.ts';
import type { Pace, Timing } from './pace.ts';
import { patienceOf } from './patience.ts';
import type { Settings } from './settings.ts';
import type { Unwinder } from './unwinder.ts';

/** Says whether a plan may be sent now; asked for one plan after another, so that what earlier ones may cost counts. And what may be risked in all. */
export type Approve = (
  plans: readonly Plan[],
  terms: Terms,
  at: Moment,
) => Promise<{ readonly verdicts: readonly (SkipReason | undefined)[]; readonly budget: Budget }>;

export type BlockOutcome = {
  readonly judged: Judged;
  readonly decisions: readonly Decision[];
  readonly dispatched: Dispatched | undefined;
  /** What was decided, where it rests on mirrored prices alone and pays no tip: an update's block begins with the same. */
  readonly standing: { readonly decided: Decided; readonly at: Moment } | undefined;
};

type Skip = Extract<Decision, { kind: 'skip' }>;

/** What sending a block's plans goes by. */
type Now = {
  readonly head: Head;
  readonly at: Moment;
  readonly terms: Terms;
  readonly open: readonly OpenTransaction[];
  readonly stillCurrent: () => boolean;
  /** When the block's turn began, by performance.now(). */
  readonly beganMs: number;
};

/** Of a slot: builders and relays need time too. */
const EARLY = 0.4;
const SECOND_MS = 1_000;

/** One block, from candidates to sent bundles. Decides everything anew from the mirrored state: nothing is remembered but what to say only once. */
export class BlockPipeline {
  readonly #settings: Settings;
  readonly #dispatcher: Dispatcher;
  readonly #lanes: LaneBook;
  readonly #topUps: TopUps | undefined;
  readonly #approve: Approve;
  readonly #ownBids: Pick<OwnBids, 'at' | 'rivalsAt'>;
  readonly #repeats: Repeats;
  readonly #chronicle: Chronicle;
  readonly #watch: Watch;
  readonly #pulled: PulledPrices | undefined;
  readonly #hedger: Hedger | undefined;
  readonly #unwinder: Unwinder | undefined;
  readonly #pace: Pace;

  /**
   * @param parts.topUps undefined where lanes are given nothing
   * @param parts.pulled undefined where no prices are asked for that could be carried
   * @param parts.hedger undefined where nothing is sent
   * @param parts.unwinder undefined where nothing that is seized is kept
   */
  constructor(parts: {
    settings: Settings;
    dispatcher: Dispatcher;
    lanes: LaneBook;
    topUps: TopUps | undefined;
    approve: Approve;
    ownBids: Pick<OwnBids, 'at' | 'rivalsAt'>;
    repeats: Repeats;
    pace: Pace;
    chronicle: Chronicle;
    watch: Watch;
    pulled: PulledPrices | undefined;
    hedger: Hedger | undefined;
    unwinder: Unwinder | undefined;
  }) {
    this.#settings = parts.settings;
    this.#dispatcher = parts.dispatcher;
    this.#lanes = parts.lanes;
    this.#topUps = parts.topUps;
    this.#approve = parts.approve;
    this.#ownBids = parts.ownBids;
    this.#repeats = parts.repeats;
    this.#pace = parts.pace;
    this.#chronicle = parts.chronicle;
    this.#watch = parts.watch;
    this.#pulled = parts.pulled;
    this.#hedger = parts.hedger;
    this.#unwinder = parts.unwinder;
  }

  /**
   * @param open transactions of ours that are not settled
   * @param stillCurrent false once a newer head has arrived
   */
  async onBlock(
    world: DecisionWorld,
    head: Head,
    tipWei: bigint,
    open: readonly OpenTransaction[],
    stillCurrent: () => boolean,
  ): Promise<BlockOutcome> {
    const beganMs = performance.now();
    const answers = this.#pulled?.answers();
    const at = world.next(answers);
    const judged = this.#watch.judge(world.protocols, at, head.number);
    this.#pulled?.need(waitedFor(world.protocols, judged.candidates, at));
    const carry: Carry = (feeds) => answers && this.#pulled?.carriedFor(feeds, answers);
    const own = this.#ownBids.at(head.number);
    const patience = patienceOf(world.recovery, this.#ownBids.rivalsAt(head.number));
    this.#pace.see(judged.candidates);
    const circumstances = { own, carry, moves: world.priceMoves, patience, mostPlans: this.#pace.most };
    const decided = decideBlock(world, this.#settings, judged.candidates, head, at, tipWei, circumstances);
    const { decisions, terms } = decided;
    const whole = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
    const skips = decisions.flatMap((decision) => (decision.kind === 'skip' ? [decision] : []));
    const moment = { head, at, terms, open };
    // What is held goes first: nothing else is worth more than its end.
    const legs = [
      ...(await this.#legs(world, whole, skips, moment)),
      ...(await this.#inventory(world, whole, skips, moment, decided.after)),
    ];
    const kept = this.#pace.keep(whole);
    skips.push(...whole.filter((plan) => !kept.includes(plan)).map(({ candidate }) => noTime(candidate)));
    const plans = [...legs, ...kept];
    const dispatched = terms === undefined ? undefined : await this.#send(plans, skips, { head, at, terms, open, stillCurrent, beganMs });
    for (const { plans: together, gasUnits } of dispatched?.rehearsed ?? []) world.gasUse.note(together, gasUnits);
    for (const candidate of judged.candidates) this.#chronicle.found(candidate);
    for (const plan of plans) this.#chronicle.planned(plan, head);
    for (const { candidate, skip } of skips) this.#chronicle.skipped(candidate, skip, head);
    this.#chronicle.forget(judged.candidates);
    const standing = answers === undefined && tipWei === 0n ? { decided, at } : undefined;
    return { judged, decisions, dispatched, standing };
  }

  /** How our transactions ended, before the block that tells so is decided. */
  settled(settled: readonly Settled[]): void {
    this.#pace.settled(settled);
  }

  /** The second legs of this block, or the first of a takeover that is left out otherwise: its skip is taken back. */
  async #legs(world: DecisionWorld, whole: readonly Plan[], skips: Skip[], moment: HedgeMoment): Promise<readonly Plan[]> {
    if (this.#hedger === undefined) return [];
    const closing = await this.#hedger.onBlock(world.protocols, (protocol) => world.suspended(protocol), moment);
    // Margin is for what needs one transaction first.
    if (closing.length > 0 || whole.some(({ margin }) => margin !== undefined)) return closing;
    const opening = await this.#hedger.open(world.protocols, skips, moment);
    if (opening === undefined) return [];
    takeBack(skips, opening);
    return [opening];
  }

  /** The child orders of this block, and a liquidation that leaves inventory: what was decided of its candidate otherwise is taken back. */
  async #inventory(
    world: DecisionWorld,
    whole: Plan[],
    skips: Skip[],
    moment: HedgeMoment,
    after: Depth | undefined,
  ): Promise<readonly Plan[]> {
    if (this.#unwinder === undefined || after === undefined) return [];
    const market = { venue: world.venue, flashes: world.flashes, usd: world.usd };
    const trusted = world.protocols.some((protocol) => world.suspended(protocol) === undefined);
    const children = await this.#unwinder.onBlock(market, trusted, moment);
    // Depth is sold to once in a block.
    if (children.length > 0) return children;
    const opening = await this.#unwinder.open(world.protocols, market, { whole, skips, after }, moment);
    if (opening === undefined) return [];
    takeBack(skips, opening);
    takeBack(whole, opening);
    return [opening];
  }

  async #send(plans: readonly Plan[], skips: Skip[], now: Now): Promise<Dispatched | undefined> {
    const { head, at, terms, open, stillCurrent } = now;
    let approved: readonly Plan[] = plans;
    try {
      const standing = await this.#dispatcher.standing(open, head, at);
      const idle = (standing.lanes ?? []).every(({ places }) => places.length === 0);
      if (plans.length === 0 && idle) return await this.#topUp(now, standing);
      const { verdicts, budget } = await this.#approve(plans, terms, at);
      approved = plans.filter((_, index) => verdicts[index] === undefined);
      for (const [index, plan] of plans.entries()) if (verdicts[index] !== undefined) skips.push(skipOf(plan, verdicts[index]));
      if (approved.length === 0 && idle) return await this.#topUp(now, standing);
      // NOTE: nothing is told or recorded before the bundle is out: the slot is short.
      const { sender } = this.#settings;
      const dispatched = await this.#dispatcher.dispatch({ plans: approved, head, at, terms, sender, standing, budget, stillCurrent });
      this.#pace.note(approved.length, timingOf(now, dispatched.sent.length > 0 || stillCurrent()));
      this.#repeats.sent(dispatched.sent, approved);
      skips.push(...dispatched.skipped.map(({ plan, skip }) => skipOf(plan, skip)));
      if (!idle || dispatched.sent.length > 0) return dispatched;
      return { ...dispatched, ...(await this.#topUp(now, standing)), skipped: dispatched.skipped };
    } catch (error) {
      // A ledger that cannot be written or an endpoint that is gone stops this block's sending, never the watching.
      const cause = explainError(error);
      const reason = error instanceof LedgerError ? 'ledger-unavailable' : 'simulation-unavailable';
      skips.push(...approved.map((plan) => skipOf(plan, { reason, figures: { cause } })));
      return undefined;
    }
  }

  /** In a block that nothing else is sent in: looks after lanes that are short of gas. */
  async #topUp({ head, at, terms, stillCurrent }: Now, { bundleOpen }: Standing): Promise<Dispatched | undefined> {
    const looked = await this.#lanes.glance(at);
    const resting = this.#lanes.states.some((state) => state.resting);
    if (!looked || !resting || bundleOpen || this.#topUps === undefined) return undefined;
    const { budget } = await this.#approve([], terms, at);
    const done = await this.#topUps.run({ head, at, terms, budget, stillCurrent });
    if (done === undefined) return undefined;
    const { sent, settled, answers, topUp } = done;
    return { ...NOTHING, sent, settled, relays: answers, topUps: [topUp], sentAtMs: performance.now() };
  }
}

function timingOf({ head, at, beganMs }: Now, inTime: boolean): Timing {
  if (!inTime) return 'late';
  const slotMs = (at.timestamp - head.timestamp) * SECOND_MS;
  return performance.now() - beganMs < slotMs * EARLY ? 'early' : 'in time';
}

/** The feeds that what is liquidatable has to wait for. */
function waitedFor(protocols: readonly Protocol[], candidates: Judged['candidates'], at: Moment): readonly FeedId[] {
  const byId = new Map(protocols.map((protocol) => [protocol.id, protocol]));
  return candidates.flatMap(({ deployment, slot }) => byId.get(deployment)?.tooOld?.(slot, at) ?? []);
}

/** Another plan of the same candidate takes its place. */
function takeBack(decided: { readonly candidate: Plan['candidate'] }[], { candidate }: Plan): void {
  const index = decided.findIndex((one) => one.candidate === candidate);
  if (index >= 0) decided.splice(index, 1);
}

function skipOf(plan: Plan, skip: SkipReason): Skip {
  return { kind: 'skip', candidate: plan.candidate, skip };
}

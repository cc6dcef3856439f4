import type { Dispatched, Dispatcher } from '../execution/dispatcher.ts';
import type { Budget } from '../guard/budget.ts';
import { LedgerError } from '../ledger/database.ts';
import type { Ledger, OpenTransaction } from '../ledger/types.ts';
import { explainError } from '../lib/errors.ts';
import type { Head } from '../lib/types.ts';
import { usdText } from '../lib/usd.ts';
import type { Moment } from '../oracles/types.ts';
import { type Judged, Watch } from '../risk/candidates.ts';
import type { Candidate } from '../risk/types.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Decision, Plan, SkipReason } from '../strategy/types.ts';
import type { Emit } from '../telemetry/events.ts';
import { type DecisionWorld, decideBlock } from './decide.ts';
import type { Settings } from './settings.ts';

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
};

type Skip = Extract<Decision, { kind: 'skip' }>;

/** What sending a block's plans goes by. */
type Now = {
  readonly head: Head;
  readonly at: Moment;
  readonly terms: Terms;
  readonly open: readonly OpenTransaction[];
  readonly stillCurrent: () => boolean;
};

/** One block, from candidates to sent bundles. Decides everything anew from the mirrored state: nothing is remembered but what to say only once. */
export class BlockPipeline {
  readonly #settings: Settings;
  readonly #ledger: Ledger;
  readonly #dispatcher: Dispatcher;
  readonly #approve: Approve;
  readonly #emit: Emit;
  readonly #watch = new Watch();
  readonly #said = new Map<string, string>();

  constructor(parts: { settings: Settings; ledger: Ledger; dispatcher: Dispatcher; approve: Approve; emit: Emit }) {
    this.#settings = parts.settings;
    this.#ledger = parts.ledger;
    this.#dispatcher = parts.dispatcher;
    this.#approve = parts.approve;
    this.#emit = parts.emit;
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
    const at = world.next();
    const judged = this.#watch.judge(world.protocols, at, head.number);
    const { decisions, terms } = decideBlock(world, this.#settings, judged.candidates, head, at, tipWei);
    const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
    const skips = decisions.flatMap((decision) => (decision.kind === 'skip' ? [decision] : []));
    const dispatched = terms === undefined ? undefined : await this.#send(plans, skips, { head, at, terms, open, stillCurrent });
    for (const candidate of judged.candidates) this.#sayFound(candidate);
    for (const plan of plans) await this.#sayPlanned(plan, head);
    for (const skip of skips) await this.#saySkipped(skip.candidate, skip.skip, head);
    this.#forget(judged.candidates);
    return { judged, decisions, dispatched };
  }

  async #send(plans: readonly Plan[], skips: Skip[], now: Now): Promise<Dispatched | undefined> {
    const { head, at, terms, open, stillCurrent } = now;
    let approved: readonly Plan[] = plans;
    try {
      const standing = await this.#dispatcher.standing(open, head, at);
      if (plans.length === 0 && standing.places.length === 0) return undefined;
      const { verdicts, budget } = await this.#approve(plans, terms, at);
      approved = plans.filter((_, index) => verdicts[index] === undefined);
      for (const [index, plan] of plans.entries()) if (verdicts[index] !== undefined) skips.push(skipOf(plan, verdicts[index]));
      if (approved.length === 0 && standing.places.length === 0) return undefined;
      // NOTE: nothing is told or recorded before the bundle is out: the slot is short.
      const { sender } = this.#settings;
      const dispatched = await this.#dispatcher.dispatch({ plans: approved, head, at, terms, sender, standing, budget, stillCurrent });
      skips.push(...dispatched.skipped.map(({ plan, skip }) => skipOf(plan, skip)));
      return dispatched;
    } catch (error) {
      // A ledger that cannot be written or an endpoint that is gone stops this block's sending, never the watching.
      const cause = explainError(error);
      const reason = error instanceof LedgerError ? 'ledger-unavailable' : 'simulation-unavailable';
      skips.push(...approved.map((plan) => skipOf(plan, { reason, figures: { cause } })));
      return undefined;
    }
  }

  #sayFound(candidate: Candidate): void {
    const key = `found ${keyOf(candidate)}`;
    if (this.#said.has(key)) return;
    this.#said.set(key, '');
    const { protocol, market, account, healthFactorWad, sinceBlock } = candidate;
    this.#emit('candidate.found', { protocol, market, account, healthFactorWad: String(healthFactorWad), sinceBlock });
  }

  async #sayPlanned(plan: Plan, head: Head): Promise<void> {
    const { candidate } = plan;
    const fields = describePlan(plan);
    this.#emit('plan.made', {
      protocol: candidate.protocol,
      market: candidate.market,
      account: candidate.account,
      block: head.number,
      ...fields,
    });
    this.#said.delete(`skip ${keyOf(candidate)}`);
    await this.#ledger.decide({
      block: head.number,
      protocol: candidate.protocol,
      market: candidate.market,
      account: candidate.account,
      kind: 'plan',
      detail: JSON.stringify(fields),
    });
  }

  /** Told when the reason changes, not every block. */
  async #saySkipped(candidate: Candidate, skip: SkipReason, head: Head): Promise<void> {
    const key = `skip ${keyOf(candidate)}`;
    if (this.#said.get(key) === skip.reason) return;
    this.#said.set(key, skip.reason);
    const { protocol, market, account } = candidate;
    this.#emit('plan.skipped', { protocol, market, account, block: head.number, reason: skip.reason, ...skip.figures });
    await this.#ledger.decide({ block: head.number, protocol, market, account, kind: 'skip', detail: JSON.stringify(skip) });
  }

  #forget(candidates: readonly Candidate[]): void {
    const alive = new Set(candidates.flatMap((candidate) => [`found ${keyOf(candidate)}`, `skip ${keyOf(candidate)}`]));
    for (const key of this.#said.keys()) if (!alive.has(key)) this.#said.delete(key);
  }
}

/** A plan's figures for people and records. */
export function describePlan(plan: Plan): Readonly<Record<string, string>> {
  return {
    option: plan.option,
    repayRaw: String(plan.repayRaw),
    seizedRaw: String(plan.seizedRaw),
    repayUsd: usdText(plan.repayUsd8),
    route: plan.route,
    flash: plan.flash,
    grossWei: String(plan.grossWei),
    gasWei: String(plan.gasWei),
    bidWei: String(plan.bidWei),
    profitWei: String(plan.profitWei),
    profitUsd: usdText(plan.profitUsd8),
  };
}

function skipOf(plan: Plan, skip: SkipReason): Skip {
  return { kind: 'skip', candidate: plan.candidate, skip };
}

function keyOf(candidate: Candidate): string {
  return `${candidate.protocol}/${candidate.market}/${candidate.account}`;
}

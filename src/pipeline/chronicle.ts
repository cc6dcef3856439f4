import type { Ledger } from '../ledger/types.ts';
import { explainError } from '../lib/errors.ts';
import type { Head } from '../lib/types.ts';
import { usdText } from '../lib/usd.ts';
import type { Candidate } from '../risk/types.ts';
import type { ExecutionRisk } from '../strategy/risk.ts';
import type { Plan, SkipReason } from '../strategy/types.ts';
import type { Emit } from '../telemetry/events.ts';
import type { RiskDesk } from './risk-desk.ts';

/** What is decided, told once: a line for people and a record in the ledger when it changes, not every block. */
export class Chronicle {
  readonly #ledger: Ledger;
  readonly #emit: Emit;
  readonly #risks: Pick<RiskDesk, 'state'>;
  readonly #said = new Map<string, string>();
  #telling: Promise<void> = Promise.resolve();

  constructor(ledger: Ledger, emit: Emit, risks: Pick<RiskDesk, 'state'>) {
    this.#ledger = ledger;
    this.#emit = emit;
    this.#risks = risks;
  }

  /** Everything that was decided has been told. */
  async told(): Promise<void> {
    await this.#telling;
  }

  found(candidate: Candidate): void {
    const key = `found ${keyOf(candidate)}`;
    if (this.#said.has(key)) return;
    this.#said.set(key, '');
    const { protocol, market, account, healthFactorWad, sinceBlock } = candidate;
    this.#emit('candidate.found', { protocol, market, account, healthFactorWad: String(healthFactorWad), sinceBlock });
  }

  /** Told once its risk is known: nobody waits for that. */
  planned(plan: Plan, head: Head): void {
    this.#said.delete(`skip ${keyOf(plan.candidate)}`);
    this.#beside(this.#tell(plan, head), head);
  }

  #beside(work: Promise<void>, head: Head): void {
    const telling = work.catch((error: unknown) => this.#emit('block.failed', { block: head.number, reason: explainError(error) }));
    this.#telling = Promise.all([this.#telling, telling]).then(() => {});
  }

  async #tell(plan: Plan, head: Head): Promise<void> {
    const { candidate } = plan;
    const fields = describePlan(plan, await this.#risks.state(plan));
    this.#emit('plan.made', {
      protocol: candidate.protocol,
      market: candidate.market,
      account: candidate.account,
      block: head.number,
      ...fields,
    });
    await this.#ledger.decide({
      block: head.number,
      protocol: candidate.protocol,
      market: candidate.market,
      account: candidate.account,
      kind: 'plan',
      detail: JSON.stringify(fields),
    });
  }

  /** Written while other things are done: a crash leaves thousands alone. */
  skipped(candidate: Candidate, skip: SkipReason, head: Head): void {
    const key = `skip ${keyOf(candidate)}`;
    if (this.#said.get(key) === skip.reason) return;
    this.#said.set(key, skip.reason);
    const { protocol, market, account } = candidate;
    this.#emit('plan.skipped', { protocol, market, account, block: head.number, reason: skip.reason, ...skip.figures });
    this.#beside(this.#ledger.decide({ block: head.number, protocol, market, account, kind: 'skip', detail: JSON.stringify(skip) }), head);
  }

  /** What is not liquidatable any more is news again when it comes back. */
  forget(candidates: readonly Candidate[]): void {
    const alive = new Set(candidates.flatMap((candidate) => [`found ${keyOf(candidate)}`, `skip ${keyOf(candidate)}`]));
    for (const key of this.#said.keys()) if (!alive.has(key)) this.#said.delete(key);
  }
}

/** A plan's figures for people and records. */
export function describePlan(plan: Plan, risk: ExecutionRisk | undefined): Readonly<Record<string, string>> {
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
    ...plan.told,
    ...(risk && describeRisk(risk)),
  };
}

/** The same words as in the API, flat. */
function describeRisk(risk: ExecutionRisk): Readonly<Record<string, string>> {
  const { slippageBps } = risk;
  return {
    includedBps: String(risk.includedBps),
    revertedBps: String(risk.revertedBps),
    slippageP5Bps: String(slippageBps.p5),
    slippageP50Bps: String(slippageBps.p50),
    slippageP95Bps: String(slippageBps.p95),
    expectedProfitWei: String(risk.expectedProfitWei),
    expectedProfitUsd: usdText(risk.expectedProfitUsd8),
    worstProfitWei: String(risk.worstProfitWei),
    worstProfitUsd: usdText(risk.worstProfitUsd8),
    riskPaths: String(risk.paths),
    riskSeed: String(risk.seed),
    riskBlocksSeen: String(risk.blocksSeen),
  };
}

function keyOf(candidate: Candidate): string {
  return `${candidate.protocol}/${candidate.market}/${candidate.account}`;
}

import type { Ledger } from '../ledger/types.ts';
import type { Head } from '../lib/types.ts';
import { usdText } from '../lib/usd.ts';
import type { Candidate } from '../risk/types.ts';
import type { Plan, SkipReason } from '../strategy/types.ts';
import type { Emit } from '../telemetry/events.ts';

/** What is decided, told once: a line for people and a record in the ledger when it changes, not every block. */
export class Chronicle {
  readonly #ledger: Ledger;
  readonly #emit: Emit;
  readonly #said = new Map<string, string>();

  constructor(ledger: Ledger, emit: Emit) {
    this.#ledger = ledger;
    this.#emit = emit;
  }

  found(candidate: Candidate): void {
    const key = `found ${keyOf(candidate)}`;
    if (this.#said.has(key)) return;
    this.#said.set(key, '');
    const { protocol, market, account, healthFactorWad, sinceBlock } = candidate;
    this.#emit('candidate.found', { protocol, market, account, healthFactorWad: String(healthFactorWad), sinceBlock });
  }

  async planned(plan: Plan, head: Head): Promise<void> {
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

  async skipped(candidate: Candidate, skip: SkipReason, head: Head): Promise<void> {
    const key = `skip ${keyOf(candidate)}`;
    if (this.#said.get(key) === skip.reason) return;
    this.#said.set(key, skip.reason);
    const { protocol, market, account } = candidate;
    this.#emit('plan.skipped', { protocol, market, account, block: head.number, reason: skip.reason, ...skip.figures });
    await this.#ledger.decide({ block: head.number, protocol, market, account, kind: 'skip', detail: JSON.stringify(skip) });
  }

  /** What is not liquidatable any more is news again when it comes back. */
  forget(candidates: readonly Candidate[]): void {
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
    ...plan.told,
  };
}

function keyOf(candidate: Candidate): string {
  return `${candidate.protocol}/${candidate.market}/${candidate.account}`;
}

import type { Moment } from '../oracles/types.ts';
import type { Option } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { type Market, planCandidate } from './candidate.ts';
import { type Terms, TRANSACTION_GAS } from './terms.ts';
import type { Decision, Plan } from './types.ts';

/**
 * Decides a whole block: candidates share pools and the block's gas, so each is first planned alone, then, best first, planned again at the
 * depth that the better ones leave. Pure.
 *
 * @param optionsOf the ways to liquidate a candidate at `at`
 */
export function planBlock(
  candidates: readonly Candidate[],
  optionsOf: (candidate: Candidate) => readonly Option[],
  market: Market,
  terms: Terms,
  at: Moment,
): readonly Decision[] {
  const untouched = market.venue.depth();
  const decisions: Decision[] = [];
  const ranked: { plan: Plan; options: readonly Option[] }[] = [];
  for (const candidate of candidates) {
    const options = optionsOf(candidate);
    const { decision } = planCandidate(candidate, options, market, untouched, terms, at);
    if (decision.kind === 'skip') decisions.push(decision);
    else ranked.push({ plan: decision.plan, options: options.filter((option) => option.label === decision.plan.option) });
  }
  ranked.sort((a, b) => (a.plan.profitWei === b.plan.profitWei ? 0 : a.plan.profitWei > b.plan.profitWei ? -1 : 1));

  let depth = untouched;
  let gasLeft = terms.maxBlockGas;
  for (const { plan, options } of ranked) {
    const { decision, after } = planCandidate(plan.candidate, options, market, depth, terms, at);
    if (decision.kind === 'plan' && decision.plan.gasUnits > gasLeft) {
      decisions.push({
        kind: 'skip',
        candidate: plan.candidate,
        skip: { reason: 'block-full', figures: { gas: String(decision.plan.gasUnits), gasLeft: String(gasLeft) } },
      });
      continue;
    }
    decisions.push(decision);
    if (decision.kind !== 'plan') continue;
    depth = after;
    gasLeft -= decision.plan.gasUnits;
  }
  return decisions;
}

/** Gas of a plan when it shares its transaction with others. */
export function groupGas(plan: Plan): bigint {
  return plan.gasUnits - TRANSACTION_GAS;
}

/** Plans packed, in order, into as few transactions as the gas cap allows. `headroomBps` widens each estimate. */
export function packTransactions(plans: readonly Plan[], maxTransactionGas: bigint, headroomBps: bigint): readonly (readonly Plan[])[] {
  const transactions: Plan[][] = [];
  let used = 0n;
  for (const plan of plans) {
    const gas = (groupGas(plan) * headroomBps) / 10_000n;
    const current = transactions.at(-1);
    if (current === undefined || used + gas > maxTransactionGas) {
      transactions.push([plan]);
      used = TRANSACTION_GAS + gas;
    } else {
      current.push(plan);
      used += gas;
    }
  }
  return transactions;
}

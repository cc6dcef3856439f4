import type { Moment } from '../oracles/types.ts';
import type { Option } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { separate } from './bids/transaction.ts';
import { type Market, planCandidate } from './candidate.ts';
import { type Terms, TRANSACTION_GAS } from './terms.ts';
import type { Decision, Plan } from './types.ts';

/**
 * Decides a whole block: candidates share pools and the block's gas. Each is first planned alone; the most profitable that fit the gas are
 * chosen, and planned again one after another at the depth that those before leave, the least profitable first: what the pools pay for all
 * together hardly depends on the order, and a small one moves them little, while behind a large one it would not pay. Pure.
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
  const untouched = market.venue.depth(at);
  const decisions: Decision[] = [];
  const ranked: { plan: Plan; options: readonly Option[] }[] = [];
  for (const candidate of candidates) {
    const options = optionsOf(candidate);
    const { decision } = planCandidate(candidate, options, market, untouched, terms, at);
    if (decision.kind === 'skip') decisions.push(decision);
    else ranked.push({ plan: decision.plan, options });
  }
  ranked.sort((a, b) => byProfit(a.plan, b.plan));

  let gasLeft = terms.maxBlockGas;
  const chosen = ranked.filter(({ plan }) => {
    if (plan.gasUnits > gasLeft) {
      const figures = { gas: String(plan.gasUnits), gasLeft: String(gasLeft) };
      decisions.push({ kind: 'skip', candidate: plan.candidate, skip: { reason: 'block-full', figures } });
      return false;
    }
    gasLeft -= plan.gasUnits;
    return true;
  });
  chosen.reverse();
  let depth = untouched;
  for (const { plan, options } of chosen) {
    const { decision, after } = planCandidate(plan.candidate, options, market, depth, terms, at);
    decisions.push(decision);
    depth = after;
  }
  return decisions;
}

/** The most profitable first. */
export function byProfit(a: Plan, b: Plan): number {
  return descending(a.profitWei, b.profitWei);
}

function descending(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a > b ? -1 : 1;
}

/** Gas of a plan when it shares its transaction with others. */
export function groupGas(plan: Plan): bigint {
  return plan.gasUnits - TRANSACTION_GAS;
}

/** Plans packed, in order, into as few transactions as their bids and the gas cap allow; those on margin each alone. `headroomBps` widens each estimate of gas. */
export function packTransactions(plans: readonly Plan[], terms: Terms, headroomBps: bigint): readonly (readonly Plan[])[] {
  const ordinary = plans.filter(({ margin }) => margin === undefined);
  const onMargin = plans.filter(({ margin }) => margin !== undefined);
  const packed = separate(ordinary, terms).flatMap((together) => packByGas(together, terms.maxTransactionGas, headroomBps));
  return [...packed, ...onMargin.map((plan) => [plan])];
}

function packByGas(plans: readonly Plan[], maxTransactionGas: bigint, headroomBps: bigint): readonly (readonly Plan[])[] {
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

/**
 * The plans that leave most of all that one transaction could hold, in order: of those whose bids go together, the most profitable that fit the gas. Where a
 * small one would hold the bid for large ones down, it is left for the next block; so is whatever runs on margin.
 */
export function packOne(plans: readonly Plan[], terms: Terms, headroomBps: bigint): readonly (readonly Plan[])[] {
  const ordinary = plans.filter(({ margin }) => margin === undefined);
  const fillings = separate(ordinary, terms).map((together) => fill(together, terms.maxTransactionGas, headroomBps));
  const [best] = fillings.filter((filling) => filling.length > 0).toSorted((a, b) => descending(profitOf(a), profitOf(b)));
  return best === undefined ? [] : [best];
}

function fill(plans: readonly Plan[], maxTransactionGas: bigint, headroomBps: bigint): readonly Plan[] {
  let used = TRANSACTION_GAS;
  const chosen = new Set<Plan>();
  for (const plan of plans.toSorted(byProfit)) {
    const gas = (groupGas(plan) * headroomBps) / 10_000n;
    if (used + gas > maxTransactionGas) continue;
    used += gas;
    chosen.add(plan);
  }
  return plans.filter((plan) => chosen.has(plan));
}

function profitOf(plans: readonly Plan[]): bigint {
  return plans.reduce((sum, { profitWei }) => sum + profitWei, 0n);
}

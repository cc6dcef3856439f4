import type { Moment } from '../oracles/types.ts';
import type { Option } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { separate } from './bids/transaction.ts';
import { type Market, type Prospect, planProspect, prospectOf } from './candidate.ts';
import { type Alone, blockFull, planTogether } from './joint.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';
import type { Decision, Plan } from './types.ts';

/**
 * Decides a whole block: candidates share pools and the block's gas. What none of them can exceed is told first, from prices alone; those that could be among
 * the block's most profitable are planned one by one, and what is chosen is planned again, each at the depth that those before leave (joint.ts). Pure.
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
  const prospects: Prospect[] = [];
  for (const candidate of candidates) {
    const prospect = prospectOf(candidate, optionsOf(candidate), market, untouched, terms, at);
    if ('kind' in prospect) decisions.push(prospect);
    else prospects.push(prospect);
  }
  // Those without a bound come first: anything may be in them.
  prospects.sort((a, b) => (a.mostWei === undefined ? -1 : b.mostWei === undefined ? 1 : descending(a.mostWei, b.mostWei)));

  let chosen: Alone[] = [];
  for (const prospect of prospects) {
    const { gasLeft, leastWei } = roomIn(chosen, terms.maxBlockGas);
    const gasUnits = leastGas(prospect);
    if (gasUnits > gasLeft && prospect.mostWei !== undefined && prospect.mostWei <= leastWei) {
      decisions.push(blockFull(prospect.candidate, gasUnits, gasLeft));
      continue;
    }
    const { decision, evaluation } = planProspect(prospect, market, untouched, terms, at);
    if (decision.kind === 'skip' || evaluation === undefined) {
      decisions.push(decision);
      continue;
    }
    const { kept, left } = mostProfitable([...chosen, { prospect, plan: decision.plan, evaluation }], terms.maxBlockGas);
    chosen = kept;
    const room = roomIn(chosen, terms.maxBlockGas);
    for (const { plan } of left) decisions.push(blockFull(plan.candidate, plan.gasUnits, room.gasLeft));
  }
  return [...decisions, ...planTogether(chosen, market, untouched, terms, at)];
}

function leastGas({ openings }: Prospect): bigint {
  const gases = openings.map(({ option }) => TRANSACTION_GAS + GROUP_GAS + option.gasUnits);
  return gases.reduce((a, b) => (b < a ? b : a), gases[0] ?? 0n);
}

/** What of the block's gas is left, and what the least of those that take it makes. */
function roomIn(chosen: readonly Alone[], maxBlockGas: bigint): { readonly gasLeft: bigint; readonly leastWei: bigint } {
  let gasLeft = maxBlockGas;
  let leastWei: bigint | undefined;
  for (const { plan, evaluation } of chosen) {
    gasLeft -= plan.gasUnits;
    if (leastWei === undefined || evaluation.valueWei < leastWei) leastWei = evaluation.valueWei;
  }
  return { gasLeft, leastWei: leastWei ?? 0n };
}

/** The most profitable that fit. */
function mostProfitable(alone: readonly Alone[], maxBlockGas: bigint): { readonly kept: Alone[]; readonly left: readonly Alone[] } {
  let gasLeft = maxBlockGas;
  const kept: Alone[] = [];
  const left: Alone[] = [];
  for (const one of alone.toSorted((a, b) => byProfit(a.plan, b.plan))) {
    if (one.plan.gasUnits > gasLeft) left.push(one);
    else {
      gasLeft -= one.plan.gasUnits;
      kept.push(one);
    }
  }
  return { kept, left };
}

/** The most profitable first. */
export function byProfit(a: Pick<Plan, 'profitWei'>, b: Pick<Plan, 'profitWei'>): number {
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

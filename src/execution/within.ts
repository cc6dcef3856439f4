import type { Budget } from '../guard/budget.ts';
import { byProfit } from '../strategy/block.ts';
import { closesPosition, type Plan, type SkipReason } from '../strategy/types.ts';
import type { Rehearsed } from './rehearse.ts';

export type Skipped = { readonly plan: Plan; readonly skip: SkipReason };

/** What the budget has room for, in the order of execution; the most profitable are asked for first. What closes a position is counted, and not asked. */
export function within(budget: Budget, all: readonly Rehearsed[], worstOf: (one: Rehearsed) => bigint) {
  const best = (one: Rehearsed) => one.plans.toSorted(byProfit)[0]!;
  const beyond: Skipped[] = [];
  const refused = new Set<Rehearsed>();
  for (const one of all.toSorted((a, b) => byProfit(best(a), best(b)))) {
    if (one.plans.some(closesPosition)) {
      budget.reserve(worstOf(one));
      continue;
    }
    const skip = budget.take(worstOf(one));
    if (skip === undefined) continue;
    refused.add(one);
    beyond.push(...one.plans.map((plan) => ({ plan, skip })));
  }
  return { transactions: all.filter((one) => !refused.has(one)), beyond };
}

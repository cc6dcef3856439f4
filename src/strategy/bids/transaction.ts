import { usd8ToWeiUp, weiToUsd8Floor } from '../../lib/usd.ts';
import type { Terms } from '../terms.ts';
import type { Plan } from '../types.ts';

/**
 * The Executor pays one share of all that a transaction makes, and rivals bid for the whole of it (the auctions behind the prior were won by transactions, a
 * fifth of them with several liquidations). So the share is decided once for each transaction, by its size, and its plans' figures follow from it.
 */

const BPS = 10_000n;

/** The share, in basis points, that a transaction of these plans offers. */
export function shareOf(plans: readonly Plan[], terms: Terms): number {
  return terms.bid({ ...lotOf(plans), leastSurplusWei: plans.map(surplusOf).reduce((a, b) => (b < a ? b : a)) });
}

/**
 * Plans in groups that can go together: what would keep too little beside larger ones, at the share that these need, goes by itself. Otherwise a small one
 * would hold the bid for a large one down.
 */
export function separate(plans: readonly Plan[], terms: Terms): readonly (readonly Plan[])[] {
  if (plans.length < 2) return plans.length === 0 ? [] : [plans];
  const lot = lotOf(plans);
  const wished = terms.bid({ ...lot, leastSurplusWei: lot.surplusWei });
  const keepsEnough = (plan: Plan) => weiToUsd8Floor(keptWei(plan, wished), terms.numeraireUsd8) >= terms.minProfitUsd8;
  const rich = plans.filter(keepsEnough);
  if (rich.length === 0 || rich.length === plans.length) return [plans];
  return [
    ...separate(
      plans.filter((plan) => !keepsEnough(plan)),
      terms,
    ),
    ...separate(rich, terms),
  ];
}

/** The plan with what it pays and keeps at its transaction's share. */
export function atShare(plan: Plan, shareBps: number, terms: Terms): Plan {
  // One leg brings nothing by itself, and nothing is bid for it.
  if (plan.leg !== undefined) return plan;
  const profitWei = keptWei(plan, shareBps);
  return { ...plan, bidWei: surplusOf(plan) - profitWei, profitWei, profitUsd8: weiToUsd8Floor(profitWei, terms.numeraireUsd8) };
}

/** Least gross profit, in wei, of which the plan keeps its gas and the minimum after the bid; gas alone where everything is bid. */
export function leastGrossWei(plan: Plan, shareBps: number, terms: Terms): bigint {
  const keptBps = BPS - BigInt(shareBps);
  const minProfitWei = usd8ToWeiUp(terms.minProfitUsd8, terms.numeraireUsd8);
  return plan.gasWei + (keptBps === 0n ? 0n : (minProfitWei * BPS + keptBps - 1n) / keptBps);
}

function lotOf(plans: readonly Plan[]) {
  return {
    surplusWei: plans.reduce((sum, plan) => sum + surplusOf(plan), 0n),
    gasUnits: plans.reduce((sum, plan) => sum + plan.gasUnits, 0n),
    candidates: plans.map(({ candidate }) => candidate),
  };
}

function keptWei(plan: Plan, shareBps: number): bigint {
  const surplusWei = surplusOf(plan);
  return surplusWei - (surplusWei * BigInt(shareBps)) / BPS;
}

function surplusOf({ grossWei, gasWei }: Plan): bigint {
  return grossWei - gasWei;
}

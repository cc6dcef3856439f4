import type { Surcharge } from '../chain/rollup.ts';
import type { Sequence } from '../lib/steps.ts';
import { usd8ToWeiUp } from '../lib/usd.ts';
import { leastGrossWei, shareOf } from '../strategy/bids/transaction.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan } from '../strategy/types.ts';

/** A group may use twice its estimate. */
const GROUP_GAS_ROOM = 2n;

/**
 * One Executor transaction for the plans, each a group of its own.
 *
 * @param gasUnits gas of the whole transaction, simulated where a simulation is at hand; taken off the gross before the bid's share
 * @param surcharge what a rollup charges for it beyond that gas, taken off likewise
 */
export function sequenceOf(plans: readonly Plan[], gasUnits: bigint, surcharge: Surcharge, terms: Terms, lastBlock: number): Sequence {
  const gasCostRaw = (gasUnits + surcharge.gasUnits) * terms.gasPriceWei + surcharge.feeWei;
  const bidBps = shareOf(plans, terms);
  return {
    numeraire: terms.numeraire,
    // After the bid at least the gas comes back, and the operator's minimum for one liquidation.
    minProfitRaw: gasCostRaw + usd8ToWeiUp(terms.minProfitUsd8, terms.numeraireUsd8),
    gasCostRaw,
    bidBps,
    lastBlock,
    sweep: [...new Set(plans.flatMap((plan) => plan.sweep))],
    // Alone, a plan fails with its own reason; among others, it fails alone, and cannot burn the others' gas.
    groups: plans.map((plan) =>
      plans.length === 1
        ? { optional: false, minProfitRaw: leastGrossWei(plan, bidBps, terms), steps: plan.steps }
        : { optional: true, gasLimit: plan.gasUnits * GROUP_GAS_ROOM, minProfitRaw: leastGrossWei(plan, bidBps, terms), steps: plan.steps },
    ),
  };
}

import type { Surcharge } from '../chain/rollup.ts';
import { divUp, mulDivUp } from '../lib/math.ts';
import type { Sequence } from '../lib/steps.ts';
import type { Address } from '../lib/types.ts';
import { usd8ToWeiUp } from '../lib/usd.ts';
import type { Margin } from '../protocols/types.ts';
import { leastGrossWei, shareOf } from '../strategy/bids/transaction.ts';
import { groupGasLimit } from '../strategy/packing.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan } from '../strategy/types.ts';

/**
 * One Executor transaction for the plans, each a group of its own; all of them without margin, or a single one with it.
 *
 * @param gasUnits gas of the whole transaction, simulated where a simulation is at hand; taken off the gross before the bid's share
 * @param surcharge what a rollup charges for it beyond that gas, taken off likewise
 */
export function sequenceOf(plans: readonly Plan[], gasUnits: bigint, surcharge: Surcharge, terms: Terms, lastBlock: number): Sequence {
  const [first] = plans;
  if (first?.margin !== undefined) return marginSequence(first, first.margin, gasUnits, surcharge, terms, lastBlock);
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
        : { optional: true, gasLimit: groupGasLimit(plan), minProfitRaw: leastGrossWei(plan, bidBps, terms), steps: plan.steps },
    ),
  };
}

/** The Executor that runs the plans: that of their margin, where they need some. Plans of different ones share no transaction. */
export function executorOf(plans: readonly Plan[], terms: Terms): Address {
  return plans[0]?.margin?.executor ?? terms.executor;
}

/** On margin a plan goes alone, one leg of two with a least of its own: profit is counted in the venue's settlement token, of which nobody can be bid anything. */
function marginSequence(
  plan: Plan,
  { settlement, creditUsd8, unitWad }: Margin,
  gasUnits: bigint,
  surcharge: Surcharge,
  terms: Terms,
  lastBlock: number,
): Sequence {
  const gasWei = (gasUnits + surcharge.gasUnits) * terms.gasPriceWei + surcharge.feeWei;
  const leastWei = gasWei + usd8ToWeiUp(terms.minProfitUsd8, terms.numeraireUsd8);
  const minProfitRaw = plan.leg?.leastRaw ?? divUp(mulDivUp(leastWei, terms.numeraireUsd8, creditUsd8), unitWad);
  const groups = [{ optional: false, minProfitRaw, steps: plan.steps }];
  return { numeraire: settlement, minProfitRaw, gasCostRaw: 0n, bidBps: 0, lastBlock, sweep: plan.sweep, groups };
}

import type { Sequence } from '../lib/steps.ts';
import { usd8ToWeiUp } from '../lib/usd.ts';
import type { Terms } from '../strategy/terms.ts';
import type { Plan } from '../strategy/types.ts';

const BPS = 10_000n;
/** A group may use twice its estimate. */
const GROUP_GAS_ROOM = 2n;

/**
 * One Executor transaction for the plans, each a group of its own.
 *
 * @param gasUnits gas of the whole transaction, simulated where a simulation is at hand; taken off the gross before the bid's share
 */
export function sequenceOf(plans: readonly Plan[], gasUnits: bigint, terms: Terms, lastBlock: number): Sequence {
  const gasCostRaw = gasUnits * terms.gasPriceWei;
  const shareable = plans.reduce((sum, plan) => sum + plan.grossWei - plan.gasWei, 0n);
  const bids = plans.reduce((sum, plan) => sum + plan.bidWei, 0n);
  const bidBps = shareable > 0n ? roundedBps(bids, shareable) : 0n;
  return {
    numeraire: terms.numeraire,
    // After the bid at least the gas comes back, and the operator's minimum for one liquidation.
    minProfitRaw: gasCostRaw + usd8ToWeiUp(terms.minProfitUsd8, terms.numeraireUsd8),
    gasCostRaw,
    bidBps: Number(bidBps),
    lastBlock,
    sweep: [...new Set(plans.flatMap((plan) => plan.sweep))],
    // Alone, a plan fails with its own reason; among others, it fails alone, and cannot burn the others' gas.
    groups: plans.map((plan) =>
      plans.length === 1
        ? { optional: false, minProfitRaw: plan.minGrossWei, steps: plan.steps }
        : { optional: true, gasLimit: plan.gasUnits * GROUP_GAS_ROOM, minProfitRaw: plan.minGrossWei, steps: plan.steps },
    ),
  };
}

/** Nearest basis point: each plan's bid is its share of its profit rounded down, which must not turn 9000 into 8999. */
function roundedBps(part: bigint, whole: bigint): bigint {
  const bps = (part * BPS + whole / 2n) / whole;
  return bps > BPS ? BPS : bps;
}

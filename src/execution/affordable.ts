import { usd8ToWeiUp } from '../lib/usd.ts';
import type { Moment } from '../oracles/types.ts';
import type { Terms } from '../strategy/terms.ts';
import { capped, type Fees } from './fees.ts';
import type { LaneStanding, Place } from './places.ts';
import type { Rehearsed } from './rehearse.ts';
import type { Skipped } from './within.ts';

/** The fees, or as much of them as the transaction can pay and still bring the operator's least profit; undefined where that is too little. */
export function affordable(
  { plans, gasUnits, surcharge }: Rehearsed,
  fees: Fees,
  place: Place | undefined,
  { terms, at }: { readonly terms: Terms; readonly at: Moment },
): Fees | undefined {
  const grossWei = plans.reduce((sum, plan) => sum + plan.grossWei, 0n);
  const leftWei = grossWei - usd8ToWeiUp(terms.minProfitUsd8, terms.numeraireUsd8) - surcharge.feeWei;
  return capped(fees, leftWei / (gasUnits + surcharge.gasUnits), at.baseFeeWei, place?.fees);
}

/** @param place what would have to be outbid */
export function tooDear({ plans }: Rehearsed, place: Place | undefined): readonly Skipped[] {
  const replaced = place?.fees === undefined ? {} : { nonce: String(place.nonce), outbidWei: String(place.fees.maxFeeWei) };
  return plans.map((plan) => ({ plan, skip: { reason: 'gas-too-high', figures: { grossWei: String(plan.grossWei), ...replaced } } }));
}

export function shortOfGas({ plans }: Rehearsed, lanes: readonly LaneStanding[]): readonly Skipped[] {
  const richestWei = lanes.reduce((most, { balanceWei }) => (balanceWei > most ? balanceWei : most), 0n);
  const figures = { lanes: String(lanes.length), richestWei: String(richestWei) };
  return plans.map((plan) => ({ plan, skip: { reason: 'no-gas', figures } }));
}

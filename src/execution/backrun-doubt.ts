import type { Rehearsal, Rehearsed } from './rehearse.ts';

/** Gas that costs so much more or less than planned, of what the plans bring in, makes the bid wrong enough to sign anew. */
const GAS_TOLERANCE_BPS = 100n;
/** What the node used may come this close to the limit that was signed. */
const LIMIT_BPS = 9_500n;
const BPS = 10_000n;

/** Did the node find nothing that would have been signed otherwise? */
export function agrees(sent: readonly Rehearsed[], { failed, transactions }: Rehearsal, gasPriceWei: bigint): boolean {
  if (failed.length > 0 || transactions.length !== sent.length) return false;
  return transactions.every(({ gasUnits }, index) => {
    const { gasUnits: planned, gasLimit, plans } = sent[index]!;
    const gapWei = (gasUnits > planned ? gasUnits - planned : planned - gasUnits) * gasPriceWei;
    const grossWei = plans.reduce((sum, plan) => sum + plan.grossWei, 0n);
    return gasUnits * BPS <= gasLimit * LIMIT_BPS && gapWei * BPS <= grossWei * GAS_TOLERANCE_BPS;
  });
}

/** What an account is left with after a part of its debt is liquidated. Pure. */
import { BPS, WAD } from '../../lib/math.ts';
import type { Lowering } from '../types.ts';
import type { Account } from './account.ts';
import type { Pair, Taking } from './liquidation.ts';

/** An account's side of a pair: the reserves that it touches, and the part of the collateral's value that counts against debt. */
export type Holder = { readonly account: Account; readonly debtId: number; readonly collateralId: number; readonly thresholdBps: bigint };

/** LiquidationLogic.executeLiquidationCall: debt tokens burned, aTokens burned and, for the treasury, transferred. */
export function accountAfter({ rules, debt, collateral }: Pair, { repaidRaw, receivedRaw, feeRaw }: Taking, holder: Holder): Account {
  const { account, debtId, collateralId } = holder;
  const owed = new Map(account.owed);
  owed.set(debtId, (owed.get(debtId) ?? 0n) - rules.scaling.owedBurn(repaidRaw, debt.indexRay));
  const supplied = new Map(account.supplied);
  const gone = rules.scaling.suppliedBurn(receivedRaw, collateral.indexRay) + rules.scaling.suppliedBurn(feeRaw, collateral.indexRay);
  const before = supplied.get(collateralId) ?? 0n;
  supplied.set(collateralId, before > gone ? before - gone : 0n);
  return { ...account, owed, supplied };
}

/**
 * Whether a partial liquidation lowers the health factor: the collateral that a unit of debt takes with it counts for more than the unit, times health
 * (Warmuz, Chaudhary and Pinna 2022, "Toxic Liquidation Spirals").
 */
export function isToxic(healthFactorWad: bigint, thresholdBps: bigint, bonusBps: bigint): boolean {
  return healthFactorWad * BPS * BPS < thresholdBps * bonusBps * WAD;
}

/**
 * The health factor before and after what is taken, where that lowers it. Undefined where it does not, and where all collateral is gone: there is nothing left to
 * be worse off.
 */
export function loweringOf(
  pair: Pair,
  taking: Taking,
  holder: Holder,
  healthAfterWad: (account: Account) => bigint | undefined,
): Lowering | undefined {
  const { healthFactorWad: beforeWad, collateral } = pair;
  if (!isToxic(beforeWad, holder.thresholdBps, collateral.bonusBps)) return undefined;
  const left = accountAfter(pair, taking, holder);
  if ([...left.collateral].every((id) => (left.supplied.get(id) ?? 0n) === 0n)) return undefined;
  const afterWad = healthAfterWad(left);
  return afterWad === undefined || afterWad >= beforeWad ? undefined : { beforeWad, afterWad };
}

/**
 * Two calls on one pair in one transaction, where the close factor lets one call repay a half at most: the first as large as leaves the account liquidatable, the
 * second up to the close factor of what then is owed. More can be repaid so than at once (Qin et al. 2021, "An Empirical Study of DeFi Liquidations", the
 * optimal fixed spread liquidation). Pure.
 */
import { BPS, min, WAD } from '../../lib/math.ts';
import type { Regime } from '../types.ts';
import type { Account } from './account.ts';
import { accountAfter, type Holder, isToxic } from './aftermath.ts';
import { CLOSE_FACTOR_THRESHOLD_WAD, RESERVE_SHARE } from './closing.ts';
import { type Pair, regimesOf, type Taking, takingOf } from './liquidation.ts';

export type Twice = {
  readonly firstRaw: bigint;
  readonly first: Taking;
  /** The pair after the first call. */
  readonly then: Pair;
  /** What both repay together: more than a single call can, disjoint and ascending. */
  readonly regimes: readonly Regime[];
};

/** After a part of the debt is repaid: what the pool would find, or undefined where it would find nothing to liquidate. */
export type After = (account: Account, availableRaw: bigint) => { readonly healthFactorWad: bigint; readonly pair: Pair | undefined };

/**
 * How far below 1 the first call leaves the health factor. NOTE: the block may come a little earlier than expected, and less interest leaves more health: this is
 * as much as ten minutes at 5% a year. Where a release rounds an average of thresholds, less will do only after a larger distance.
 */
const DISTANCES_WAD = [WAD / 1_000_000n, WAD / 20_000n, WAD / 5_000n];

/** @param regimes of a single call */
export function twiceOf(pair: Pair, regimes: readonly Regime[], holder: Holder, after: After): Twice | undefined {
  const mostRaw = regimes.at(-1)?.maxRaw;
  const { healthFactorWad, debt } = pair;
  // From 3.3 on what two calls leave has to pass the rule against dust too, and that has not been held against the contracts.
  if (pair.rules.closing !== RESERVE_SHARE) return undefined;
  // Fixed-rate debt is burned unit by unit beside the variable one: what is left of it is not followed here.
  if (mostRaw === undefined || healthFactorWad <= CLOSE_FACTOR_THRESHOLD_WAD || debt.variableRaw !== debt.amountRaw) return undefined;
  if (holder.debtId === holder.collateralId || takingOf(pair, mostRaw).repaidRaw >= debt.amountRaw) return undefined;
  const [leastRaw, lastRaw] = [regimes[0]!.minRaw, regimes[0]!.maxRaw];
  for (const distanceWad of DISTANCES_WAD) {
    const targetWad = WAD - distanceWad;
    if (healthFactorWad >= targetWad) return undefined;
    const firstRaw = min(reaching(pair, holder.thresholdBps, targetWad), lastRaw);
    if (firstRaw < leastRaw) continue;
    const first = takingOf(pair, firstRaw);
    const { healthFactorWad: thenWad, pair: then } = after(
      accountAfter(pair, first, holder),
      pair.collateral.availableRaw - first.receivedRaw,
    );
    if (thenWad > WAD - distanceWad / 2n || then === undefined) continue;
    const together = regimesOf(then)
      .map(({ minRaw, maxRaw }) => ({ minRaw: minRaw + firstRaw, maxRaw: maxRaw + firstRaw }))
      .filter(({ maxRaw }) => maxRaw > mostRaw)
      .map(({ minRaw, maxRaw }) => ({ minRaw: minRaw > mostRaw ? minRaw : mostRaw + 1n, maxRaw }));
    return together.length === 0 ? undefined : { firstRaw, first, then, regimes: together };
  }
  return undefined;
}

/** What both calls move, for an amount of the regimes. */
export function bothOf({ firstRaw, first, then }: Twice, amountRaw: bigint): Taking {
  const second = takingOf(then, amountRaw - firstRaw);
  return {
    repaidRaw: first.repaidRaw + second.repaidRaw,
    receivedRaw: first.receivedRaw + second.receivedRaw,
    feeRaw: first.feeRaw + second.feeRaw,
  };
}

/**
 * The cover after which the health factor is `targetWad`: a unit of debt repaid takes off it, and of what counts against it as much as the collateral seized for it
 * counts, threshold times bonus. With W = health * debt: (W - k r) / (D - r) = target. All of the debt where a liquidation lowers health, however much is repaid.
 */
function reaching({ debt, collateral, healthFactorWad, totalDebtBase }: Pair, thresholdBps: bigint, targetWad: bigint): bigint {
  const kWad = (thresholdBps * collateral.bonusBps * WAD) / (BPS * BPS);
  if (isToxic(healthFactorWad, thresholdBps, collateral.bonusBps) || kWad >= targetWad) return debt.amountRaw;
  const repaidBase = (totalDebtBase * (targetWad - healthFactorWad)) / (targetWad - kWad);
  return (repaidBase * debt.unit) / debt.price;
}

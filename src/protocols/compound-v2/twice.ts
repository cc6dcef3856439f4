/**
 * Two calls on one pair in one transaction, where the close factor binds: the first as large as leaves the account short, the second up to the close factor of what
 * then is owed. More can be repaid so than at once (Qin et al. 2021, "An Empirical Study of DeFi Liquidations", the optimal fixed spread liquidation). Pure.
 */
import { min, mulDivDown, WAD } from '../../lib/math.ts';
import type { Regime } from '../types.ts';
import { afterCall, type Target, worthLeft } from './aftermath.ts';
import { heldWorth } from './health.ts';
import { allowedRaw, type Liquidable, lastOf, mostOf } from './liquidation.ts';
import { healthWad, wadMulDown } from './math.ts';

export type Twice = {
  readonly firstRaw: bigint;
  /** The pair after the first call, with the tokens that it brought. */
  readonly then: Liquidable;
  /** What both repay together: more than a single call can. */
  readonly regime: Regime;
};

/**
 * How far below 1 the first call leaves the health factor. NOTE: the block may come a little earlier than expected, and less interest leaves more health: this is
 * as much as ten minutes at 5% a year. Where amounts are rounded coarsely, less will do only after a larger distance.
 */
const DISTANCES_WAD = [WAD / 1_000_000n, WAD / 20_000n, WAD / 5_000n];

/**
 * @param early the pair at the mirrored block
 * @param single the amounts of one call
 */
export function twiceOf(target: Target, early: Liquidable, single: Regime): Twice | undefined {
  const { pair, liquidable } = target;
  // Where governance forces it, one call may repay everything; and where collateral or cash ends first, a second finds none.
  if (pair.forced || allowedRaw(liquidable) === liquidable.owedRaw || single.maxRaw < min(allowedRaw(liquidable), allowedRaw(early)))
    return undefined;
  for (const distanceWad of DISTANCES_WAD) {
    const targetWad = WAD - distanceWad;
    if (pair.healthFactorWad >= targetWad) return undefined;
    const mostRaw = min(reaching(target, targetWad), single.maxRaw);
    if (mostRaw < single.minRaw) continue;
    // Native tokens that are repaid count for what the borrower holds in their market: less of a first call leaves room for more of a second.
    const firstRaw = lastOf(single.minRaw, mostRaw, (amountRaw) => {
      const next = afterCall(target, liquidable, amountRaw);
      return next.stillShort(allowedRaw(next));
    });
    const then = afterCall(target, liquidable, firstRaw);
    const { heldUsd, owedUsd } = worthLeft(pair, then);
    if (healthWad(heldUsd, owedUsd) > WAD - distanceWad / 2n) continue;
    // A little more than the least that brings a token: the first call has changed its worth.
    const leastRaw = firstRaw + 2n * single.minRaw;
    const minRaw = leastRaw > single.maxRaw ? leastRaw : single.maxRaw + 1n;
    const maxRaw = firstRaw + mostOf(then, afterCall(target, early, firstRaw));
    return minRaw > maxRaw ? undefined : { firstRaw, then, regime: { minRaw, maxRaw } };
  }
  return undefined;
}

/**
 * What may be repaid until the health factor is `targetWad`: a unit of debt repaid takes off it, and of what counts against it as much as the tokens seized for it
 * count. With H held and O owed: (H - k r) / (O - r) = target. All that there is where a liquidation lowers health.
 */
function reaching({ pair: { debt, collateral, worth, healthFactorWad }, liquidable }: Target, targetWad: bigint): bigint {
  // By the ratio as it is rounded: threshold times incentive may be more by a part in ten thousand.
  const tokensUsd = heldWorth(collateral.thresholdWad, liquidable.collateral.rateWad, collateral.price, WAD);
  const kWad = mulDivDown(liquidable.ratioWad, tokensUsd, debt.price);
  if (healthFactorWad < kWad || kWad >= targetWad) return liquidable.owedRaw;
  const repaidUsd = mulDivDown(wadMulDown(targetWad, worth.owedUsd) - worth.heldUsd, WAD, targetWad - kWad);
  return mulDivDown(repaidUsd, WAD, debt.price);
}

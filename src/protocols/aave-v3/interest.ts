/** Interest as the pool accrues it: a reserve's indexes at a later timestamp, to the unit. */
import { RAY, rayMulHalfUp } from '../../lib/math.ts';

const SECONDS_PER_YEAR = 31_536_000n;

/** The part of a reserve that grows with time alone. */
export type Indexes = {
  readonly liquidityIndexRay: bigint;
  readonly liquidityRateRay: bigint;
  readonly borrowIndexRay: bigint;
  readonly borrowRateRay: bigint;
  /** Block timestamp at which the indexes were stored. */
  readonly updatedAt: number;
};

/** ReserveLogic.getNormalizedIncome: linear interest on the stored liquidity index. */
export function incomeIndexRay(reserve: Indexes, timestamp: number): bigint {
  const seconds = BigInt(timestamp - reserve.updatedAt);
  if (seconds <= 0n) return reserve.liquidityIndexRay;
  const growthRay = RAY + (reserve.liquidityRateRay * seconds) / SECONDS_PER_YEAR;
  return rayMulHalfUp(growthRay, reserve.liquidityIndexRay);
}

/** ReserveLogic.getNormalizedDebt: MathUtils.calculateCompoundedInterest (three terms of the exponential) on the stored borrow index. */
export function debtIndexRay(reserve: Indexes, timestamp: number): bigint {
  const seconds = BigInt(timestamp - reserve.updatedAt);
  if (seconds <= 0n) return reserve.borrowIndexRay;
  const x = (reserve.borrowRateRay * seconds) / SECONDS_PER_YEAR;
  const growthRay = RAY + x + rayMulHalfUp(x, x / 2n + rayMulHalfUp(x, x / 6n));
  return rayMulHalfUp(growthRay, reserve.borrowIndexRay);
}

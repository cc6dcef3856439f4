/** Interest as the pool accrues it: a reserve's indexes and a fixed-rate debt at a later timestamp, to the unit. */
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

/** A debt at the rate of its borrower (StableDebtToken): the principal at its last change, with interest from then on. */
export type FixedDebt = { readonly principalRaw: bigint; readonly rateRay: bigint; readonly updatedAt: number };

/** Growth of 1 (ray) at a yearly rate over some seconds (at least one): MathUtils.calculateCompoundedInterest. */
export type Compounding = (rateRay: bigint, seconds: bigint) => bigint;

/** 3.4 and later: three terms of the exponential. */
export const exponential: Compounding = (rateRay, seconds) => {
  const x = (rateRay * seconds) / SECONDS_PER_YEAR;
  return RAY + x + rayMulHalfUp(x, x / 2n + rayMulHalfUp(x, x / 6n));
};

/** Before 3.4: three terms of the binomial. */
export const binomial: Compounding = (rateRay, seconds) => {
  const squared = rayMulHalfUp(rateRay, rateRay) / (SECONDS_PER_YEAR * SECONDS_PER_YEAR);
  const cubed = rayMulHalfUp(squared, rateRay) / SECONDS_PER_YEAR;
  const pairs = seconds * (seconds - 1n);
  const triples = seconds > 2n ? pairs * (seconds - 2n) : 0n;
  return RAY + (rateRay * seconds) / SECONDS_PER_YEAR + (pairs * squared) / 2n + (triples * cubed) / 6n;
};

/** ReserveLogic.getNormalizedIncome: linear interest on the stored liquidity index. */
export function incomeIndexRay(reserve: Indexes, timestamp: number): bigint {
  const seconds = BigInt(timestamp - reserve.updatedAt);
  if (seconds <= 0n) return reserve.liquidityIndexRay;
  const growthRay = RAY + (reserve.liquidityRateRay * seconds) / SECONDS_PER_YEAR;
  return rayMulHalfUp(growthRay, reserve.liquidityIndexRay);
}

/** ReserveLogic.getNormalizedDebt: compounded interest on the stored borrow index. */
export function debtIndexRay(reserve: Indexes, timestamp: number, compounded: Compounding): bigint {
  const seconds = BigInt(timestamp - reserve.updatedAt);
  if (seconds <= 0n) return reserve.borrowIndexRay;
  return rayMulHalfUp(compounded(reserve.borrowRateRay, seconds), reserve.borrowIndexRay);
}

/** StableDebtToken.balanceOf. */
export function fixedDebtRaw(debt: FixedDebt, timestamp: number, compounded: Compounding): bigint {
  const seconds = BigInt(timestamp - debt.updatedAt);
  return seconds <= 0n ? debt.principalRaw : rayMulHalfUp(debt.principalRaw, compounded(debt.rateRay, seconds));
}

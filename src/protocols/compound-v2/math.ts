/** Compound's arithmetic (ExponentialNoError, CToken), to the unit: everything is rounded down. */
import { MAX_UINT256, mulDivDown, WAD } from '../../lib/math.ts';
import type { Words } from './state.ts';

/** CToken.accrueInterest, `elapsed` blocks or seconds on. */
export function accrued(words: Words, rateWad: bigint, elapsed: bigint): Words {
  if (elapsed <= 0n) return words;
  const factorWad = rateWad * elapsed;
  const interest = mulDivDown(factorWad, words.totalBorrows, WAD);
  return {
    ...words,
    accruedAt: words.accruedAt + elapsed,
    borrowIndex: mulDivDown(factorWad, words.borrowIndex, WAD) + words.borrowIndex,
    totalBorrows: words.totalBorrows + interest,
    totalReserves: mulDivDown(words.reserveFactorWad, interest, WAD) + words.totalReserves,
  };
}

/** CToken.exchangeRateStoredInternal: underlying units for a whole market token. */
export function exchangeRateWad(words: Words, cash: bigint, initialRateWad: bigint): bigint {
  if (words.totalSupply === 0n) return initialRateWad;
  const worth = cash + words.totalBorrows - words.totalReserves;
  return worth < 0n ? 0n : mulDivDown(worth, WAD, words.totalSupply);
}

/** CToken.borrowBalanceStoredInternal. */
export function borrowBalance({ principal, index }: { readonly principal: bigint; readonly index: bigint }, borrowIndex: bigint): bigint {
  return principal === 0n ? 0n : mulDivDown(principal, borrowIndex, index);
}

/** `mul_` of two Exp, and `mul_ScalarTruncate`. */
export function wadMulDown(a: bigint, b: bigint): bigint {
  return mulDivDown(a, b, WAD);
}

/** Comptroller.liquidateCalculateSeizeTokens, the ratio: market tokens seized for a unit repaid, wad. Undefined where it would divide by nothing. */
export function seizeRatioWad(incentiveWad: bigint, debtPrice: bigint, collateralPrice: bigint, rateWad: bigint): bigint | undefined {
  const under = wadMulDown(collateralPrice, rateWad);
  return under === 0n ? undefined : mulDivDown(wadMulDown(incentiveWad, debtPrice), WAD, under);
}

/** What is held over what is owed; the most there is for no debt. Below one WAD exactly where there is a shortfall. */
export function healthWad(heldUsd: bigint, owedUsd: bigint): bigint {
  return owedUsd === 0n ? MAX_UINT256 : mulDivDown(heldUsd, WAD, owedUsd);
}

/** How a release makes a health factor of an account's sums (GenericLogic.calculateUserAccountData). */
import { BPS, MAX_UINT256, mulDivDown, mulDivUp, percentMulHalfUp, wadDivHalfUp } from '../../lib/math.ts';

export type Weighing = {
  /** A debt's value in base currency. */
  debtBase(amountRaw: bigint, price: bigint, unit: bigint): bigint;
  /** Whether collateral counts, and may be seized, that has no threshold of its own. */
  readonly countsUnweighted: boolean;
  /** Whether the average threshold loses what is below a basis point. */
  readonly floorsAverage: boolean;
  /** `weighted`: sum of value * threshold in basis points. The largest uint256 when there is no debt. */
  healthFactorWad(collateralBase: bigint, weighted: bigint, debtBase: bigint): bigint;
};

/** Before 3.5: the average threshold is floored first. */
export const AVERAGED: Weighing = {
  debtBase: mulDivDown,
  countsUnweighted: false,
  floorsAverage: true,
  healthFactorWad: (collateralBase, weighted, debtBase) => {
    if (debtBase === 0n) return MAX_UINT256;
    const averageBps = collateralBase === 0n ? 0n : weighted / collateralBase;
    return wadDivHalfUp(percentMulHalfUp(collateralBase, averageBps), debtBase);
  },
};

/** 3.6 and later. */
export const SUMMED: Weighing = {
  debtBase: mulDivUp,
  countsUnweighted: true,
  floorsAverage: false,
  healthFactorWad: (_, weighted, debtBase) => (debtBase === 0n ? MAX_UINT256 : wadDivHalfUp(weighted, debtBase) / BPS),
};

/** 3.5. */
export const SUMMED_OF_WEIGHTED: Weighing = { ...SUMMED, countsUnweighted: false };

/** How a release rounds what a liquidation seizes (LiquidationLogic._calculateAvailableCollateralToLiquidate). */
import {
  BPS,
  divUp,
  percentDivDown,
  percentDivHalfUp,
  percentDivUp,
  percentMulDown,
  percentMulHalfUp,
  percentMulUp,
} from '../../lib/math.ts';

/** Bonuses in basis points with the whole: 10500 is 5%. */
export type Seizing = {
  seized(plainRaw: bigint, bonusBps: bigint): bigint;
  /** Inverts `seized`. */
  leastPlain(seizedRaw: bigint, bonusBps: bigint): bigint;
  /** What is repaid when all of the collateral is worth this much of the debt asset. */
  repaid(worthRaw: bigint, bonusBps: bigint): bigint;
  /** The treasury's share of the bonus. */
  fee(seizedRaw: bigint, bonusBps: bigint, feeBps: bigint): bigint;
};

const HALF_BPS = BPS / 2n;

/** Before 3.5. */
export const HALF_UP_SEIZING: Seizing = {
  seized: percentMulHalfUp,
  leastPlain: (seizedRaw, bonusBps) => divUp(seizedRaw * BPS - HALF_BPS, bonusBps),
  repaid: percentDivHalfUp,
  fee: (seizedRaw, bonusBps, feeBps) => percentMulHalfUp(seizedRaw - percentDivHalfUp(seizedRaw, bonusBps), feeBps),
};

/** 3.5 and 3.6. */
export const REPAID_UP_SEIZING: Seizing = { ...HALF_UP_SEIZING, repaid: percentDivUp };

/** 3.7. */
export const DIRECTED_SEIZING: Seizing = {
  seized: percentMulDown,
  leastPlain: (seizedRaw, bonusBps) => divUp(seizedRaw * BPS, bonusBps),
  repaid: percentDivUp,
  fee: (seizedRaw, bonusBps, feeBps) => percentMulUp(seizedRaw - percentDivDown(seizedRaw, bonusBps), feeBps),
};

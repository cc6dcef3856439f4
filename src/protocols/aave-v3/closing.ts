/** How much of a debt one liquidation call may cover, by release (LiquidationLogic). */
import { BPS, divUp, mulDivDown, percentMulHalfUp, WAD } from '../../lib/math.ts';
import type { Pair, Side } from './liquidation.ts';
import type { Weighing } from './weighing.ts';

export type Closing = {
  /** The largest part of the reserve's debt that may be covered. */
  maxRepayRaw(pair: Pair): bigint;
  /** Most that may be covered while some debt and collateral remain, as far as the debt decides; all where nothing is asked of what remains. */
  mostLeavingDebtRaw(debt: Side): bigint;
  /** Least collateral that has to remain where debt remains too. */
  leastLeftCollateralRaw(collateral: Side): bigint;
};

/** LiquidationLogic.CLOSE_FACTOR_HF_THRESHOLD. */
export const CLOSE_FACTOR_THRESHOLD_WAD = (95n * WAD) / 100n;
const DEFAULT_CLOSE_FACTOR_BPS = 5_000n;
/** MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD and MIN_LEFTOVER_BASE: the same numbers in whatever currency the market counts; meant for USD with 8 decimals. */
const CLOSE_FACTOR_MIN_BASE = 2_000_00000000n;
const LEFTOVER_MIN_BASE = 1_000_00000000n;

/** Before 3.3: half of the reserve's debt, all of it when health is low; anything may remain. */
export const RESERVE_SHARE: Closing = {
  maxRepayRaw: ({ debt, healthFactorWad }) =>
    percentMulHalfUp(debt.amountRaw, healthFactorWad > CLOSE_FACTOR_THRESHOLD_WAD ? DEFAULT_CLOSE_FACTOR_BPS : BPS),
  mostLeavingDebtRaw: ({ amountRaw }) => amountRaw,
  leastLeftCollateralRaw: () => 0n,
};

/** 3.3 and later: half of the total debt when position and health are large enough, otherwise the reserve's whole debt; no dust on both sides. */
function totalShare({ debtBase }: Weighing, mostLeavingDebtRaw: Closing['mostLeavingDebtRaw']): Closing {
  return {
    maxRepayRaw: ({ debt, collateral, healthFactorWad, totalDebtBase }) => {
      const owedBase = debtBase(debt.amountRaw, debt.price, debt.unit);
      const collateralBase = mulDivDown(collateral.amountRaw, collateral.price, collateral.unit);
      const large = owedBase >= CLOSE_FACTOR_MIN_BASE && collateralBase >= CLOSE_FACTOR_MIN_BASE;
      if (!large || healthFactorWad <= CLOSE_FACTOR_THRESHOLD_WAD) return debt.amountRaw;
      const halfBase = percentMulHalfUp(totalDebtBase, DEFAULT_CLOSE_FACTOR_BPS);
      return owedBase > halfBase ? mulDivDown(halfBase, debt.unit, debt.price) : debt.amountRaw;
    },
    mostLeavingDebtRaw,
    leastLeftCollateralRaw: ({ price, unit }) => divUp(LEFTOVER_MIN_BASE * unit, price),
  };
}

/** 3.3 and 3.4: what remains of the debt is valued rounding down, so floor(rest * price / unit) >= minimum. */
export const totalShareFloored = (weighing: Weighing): Closing =>
  totalShare(weighing, ({ amountRaw, price, unit }) => amountRaw - divUp(LEFTOVER_MIN_BASE * unit, price));

/** 3.5 and later: rounding up, so ceil(rest * price / unit) >= minimum. */
export const totalShareCeiled = (weighing: Weighing): Closing =>
  totalShare(weighing, ({ amountRaw, price, unit }) => amountRaw - (((LEFTOVER_MIN_BASE - 1n) * unit) / price + 1n));

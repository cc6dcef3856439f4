/** What a liquidation takes over, and how much of it is allowed: ClearingHouse._liquidate, AccountBalance.getLiquidatablePositionSize. Pure. */
import { abs, mulDivToZero, mulPipsToZero, PIPS, WAD } from './math.ts';
import type { Rules } from './state.ts';

/** A position that may be liquidated, and the account that it is in. Sizes are above zero for long positions. */
export type Liquidable = {
  readonly sizeWad: bigint;
  readonly markWad: bigint;
  readonly valueWad: bigint;
  readonly requirementWad: bigint;
  /** Of all the account's positions (AccountBalance.getTotalAbsPositionValue). */
  readonly exposureWad: bigint;
};

/** AccountBalance._MIN_PARTIAL_LIQUIDATE_POSITION_VALUE: what is worth no more is liquidated whole. */
const SMALL_WAD = 100n * WAD;
const MAX_UINT24 = (1n << 24n) - 1n;

/** The most that may be taken over, with the position's sign; 0 where nothing may. */
export function largestSize({ sizeWad, markWad, valueWad, requirementWad, exposureWad }: Liquidable): bigint {
  if (valueWad >= requirementWad || sizeWad === 0n) return 0n;
  const worthWad = abs(mulDivToZero(sizeWad, markWad, WAD));
  if (worthWad <= SMALL_WAD || valueWad < requirementWad / 2n) return sizeWad;
  const pips = (exposureWad * PIPS) / (worthWad * 2n);
  // NOTE: the contract keeps it in 24 bits, and reverts for one of an account's smallest positions.
  if (pips > MAX_UINT24) return 0n;
  return mulPipsToZero(sizeWad, pips > PIPS ? PIPS : pips);
}

export type Taking = {
  /** At the mark price. */
  readonly notionalWad: bigint;
  readonly penaltyWad: bigint;
  /** What of the penalty the liquidator gets, off the notional that it takes over. */
  readonly discountWad: bigint;
};

export function takingOf(
  amountWad: bigint,
  { markWad, valueWad }: Pick<Liquidable, 'markWad' | 'valueWad'>,
  { penaltyPips }: Rules,
): Taking {
  const notionalWad = mulDivToZero(amountWad, markWad, WAD);
  const penaltyWad = mulPipsToZero(notionalWad, penaltyPips);
  return { notionalWad, penaltyWad, discountWad: valueWad < 0n ? penaltyWad : penaltyWad / 2n };
}

/** The greatest amount whose notional needs no more initial margin than there is (CH_NEFCI). */
export function amountWithin(marginWad: bigint, markWad: bigint, { imPips }: Rules): bigint {
  return marginWad <= 0n ? 0n : (((marginWad * PIPS) / imPips) * WAD) / markWad;
}

/**
 * The greatest amount whose penalty leaves no debt that the insurance fund cannot bear (CH_IIC). Where there is no debt before, half of the penalty is the fund's,
 * and a penalty that the account can pay asks nothing of it.
 */
export function amountBorne(
  fundWad: bigint,
  { valueWad, markWad }: Pick<Liquidable, 'markWad' | 'valueWad'>,
  { penaltyPips }: Rules,
): bigint {
  const shared = 2n * (valueWad + fundWad);
  const bearableWad = valueWad < 0n ? valueWad + fundWad : shared > valueWad ? shared : valueWad;
  return bearableWad < 0n ? 0n : (((bearableWad * PIPS) / penaltyPips) * WAD) / markWad;
}

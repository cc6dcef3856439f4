/** The protocol's arithmetic. Amounts of base and quote, prices and values have 18 decimals; pips are millionths. */

export const WAD = 10n ** 18n;
export const PIPS = 1_000_000n;
const Q96 = 1n << 96n;

/** PerpMath.mulDiv (signed): the magnitude is rounded down. */
export function mulDivToZero(a: bigint, b: bigint, divisor: bigint): bigint {
  return (a * b) / divisor;
}

/** PerpMath.mulRatio (unsigned, and signed to zero). */
export function mulPipsToZero(value: bigint, pips: bigint): bigint {
  return (value * pips) / PIPS;
}

export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** PerpMath.formatSqrtPriceX96ToPriceX96. */
export function priceX96Of(sqrtPriceX96: bigint): bigint {
  return (sqrtPriceX96 * sqrtPriceX96) / Q96;
}

/** PerpMath.formatX96ToX10_18. */
export function wadOfX96(valueX96: bigint): bigint {
  return (valueX96 * WAD) / Q96;
}

/** PerpMath.formatX10_18ToX96. */
export function x96OfWad(valueWad: bigint): bigint {
  return (valueWad * Q96) / WAD;
}

/** What a growth of funding premiums, in X96, makes of a base balance: the part of `Funding.calcPendingFundingPaymentWithLiquidityCoefficient` without orders. */
export function fundingPayment(baseWad: bigint, growthX96: bigint): bigint {
  return mulDivToZero(baseWad, growthX96, Q96) / FUNDING_PERIOD_SECONDS;
}

const FUNDING_PERIOD_SECONDS = 86_400n;

/** PerpMath.findMedianOfThree. */
export function medianOf(a: bigint, b: bigint, c: bigint): bigint {
  const [low, high] = a < b ? [a, b] : [b, a];
  if (c < low) return low;
  return c > high ? high : c;
}

/** SettlementTokenMath.formatSettlementToken (signed): a wad amount in the token's units, rounded down whatever its sign. */
export function settlementDown(wad: bigint, unitWad: bigint): bigint {
  const whole = wad / unitWad;
  return wad < 0n && wad % unitWad !== 0n ? whole - 1n : whole;
}

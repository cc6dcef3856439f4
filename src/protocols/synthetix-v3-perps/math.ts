/** The protocol's arithmetic: everything has 18 decimals, and every product and quotient is rounded towards zero (DecimalMath, signed or not). */

export const WAD = 10n ** 18n;
const DAY_SECONDS = 86_400n;
/** InterestRate.AVERAGE_SECONDS_PER_YEAR. */
const YEAR_SECONDS = 31_557_600n;

export function mulWadToZero(a: bigint, b: bigint): bigint {
  return (a * b) / WAD;
}

export function divWadToZero(a: bigint, b: bigint): bigint {
  return (a * WAD) / b;
}

export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export function greater(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function lesser(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** PerpsMarket.proportionalElapsed: days. */
export function daysWad(seconds: bigint): bigint {
  return divWadToZero(seconds, DAY_SECONDS);
}

/** InterestRate.proportionalElapsed: years. */
export function yearsWad(seconds: bigint): bigint {
  return divWadToZero(seconds, YEAR_SECONDS);
}

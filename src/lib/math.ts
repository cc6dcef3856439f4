/**
 * Integer arithmetic of the contracts, with the rounding in the name. All arguments are non-negative and divisors positive; where a contract
 * would overflow 256 bits and revert, these do not: no real amount comes near.
 */

export const WAD = 10n ** 18n;
export const RAY = 10n ** 27n;
/** A whole, in basis points. */
export const BPS = 10_000n;
export const MAX_UINT256 = 2n ** 256n - 1n;

const HALF_RAY = RAY / 2n;
const HALF_BPS = BPS / 2n;

export function mulDivDown(a: bigint, b: bigint, divisor: bigint): bigint {
  return (a * b) / divisor;
}

/** Aave: MathUtils.mulDivCeil. */
export function mulDivUp(a: bigint, b: bigint, divisor: bigint): bigint {
  return divUp(a * b, divisor);
}

export function divUp(a: bigint, divisor: bigint): bigint {
  return (a + divisor - 1n) / divisor;
}

/** Aave: WadRayMath.wadDiv. */
export function wadDivHalfUp(a: bigint, b: bigint): bigint {
  return (a * WAD + b / 2n) / b;
}

/** Aave: WadRayMath.rayMul. */
export function rayMulHalfUp(a: bigint, b: bigint): bigint {
  return (a * b + HALF_RAY) / RAY;
}

/** Aave: WadRayMath.rayMulFloor; what a scaled aToken balance is worth at an index. */
export function rayMulDown(a: bigint, b: bigint): bigint {
  return (a * b) / RAY;
}

/** Aave: WadRayMath.rayMulCeil; what a scaled debt is worth at an index. */
export function rayMulUp(a: bigint, b: bigint): bigint {
  return divUp(a * b, RAY);
}

/** Aave: WadRayMath.rayDiv. */
export function rayDivHalfUp(a: bigint, b: bigint): bigint {
  return (a * RAY + (b >> 1n)) / b;
}

/** Aave: WadRayMath.rayDivFloor. */
export function rayDivDown(a: bigint, b: bigint): bigint {
  return (a * RAY) / b;
}

/** Aave: WadRayMath.rayDivCeil. */
export function rayDivUp(a: bigint, b: bigint): bigint {
  return divUp(a * RAY, b);
}

/** Aave: PercentageMath.percentMul. */
export function percentMulHalfUp(value: bigint, bps: bigint): bigint {
  return (value * bps + HALF_BPS) / BPS;
}

/** Aave: PercentageMath.percentMulFloor. */
export function percentMulDown(value: bigint, bps: bigint): bigint {
  return (value * bps) / BPS;
}

/** Aave: PercentageMath.percentMulCeil. */
export function percentMulUp(value: bigint, bps: bigint): bigint {
  return divUp(value * bps, BPS);
}

/** Aave: PercentageMath.percentDiv. */
export function percentDivHalfUp(value: bigint, bps: bigint): bigint {
  return (value * BPS + bps / 2n) / bps;
}

/** Aave: PercentageMath.percentDivFloor (v3.7). */
export function percentDivDown(value: bigint, bps: bigint): bigint {
  return (value * BPS) / bps;
}

/** Aave: PercentageMath.percentDivCeil. */
export function percentDivUp(value: bigint, bps: bigint): bigint {
  return divUp(value * BPS, bps);
}

export function min(first: bigint, ...rest: readonly bigint[]): bigint {
  let least = first;
  for (const value of rest) if (value < least) least = value;
  return least;
}

export function max(first: bigint, ...rest: readonly bigint[]): bigint {
  let most = first;
  for (const value of rest) if (value > most) most = value;
  return most;
}

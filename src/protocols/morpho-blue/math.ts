/** Morpho's MathLib and SharesMathLib, to the unit. */
import { mulDivDown, mulDivUp, WAD } from '../../lib/math.ts';

/** SharesMathLib.VIRTUAL_SHARES and VIRTUAL_ASSETS. */
export const VIRTUAL_SHARES = 1_000_000n;
export const VIRTUAL_ASSETS = 1n;
/** ConstantsLib.ORACLE_PRICE_SCALE. */
export const PRICE_SCALE = 10n ** 36n;

/** One side of a market: assets, and the shares in them. */
export type Totals = { readonly assets: bigint; readonly shares: bigint };

export function toSharesUp(assets: bigint, totals: Totals): bigint {
  return mulDivUp(assets, totals.shares + VIRTUAL_SHARES, totals.assets + VIRTUAL_ASSETS);
}

export function toAssetsDown(shares: bigint, totals: Totals): bigint {
  return mulDivDown(shares, totals.assets + VIRTUAL_ASSETS, totals.shares + VIRTUAL_SHARES);
}

export function toAssetsUp(shares: bigint, totals: Totals): bigint {
  return mulDivUp(shares, totals.assets + VIRTUAL_ASSETS, totals.shares + VIRTUAL_SHARES);
}

export function wMulDown(a: bigint, b: bigint): bigint {
  return mulDivDown(a, b, WAD);
}

export function wDivDown(a: bigint, b: bigint): bigint {
  return mulDivDown(a, WAD, b);
}

export function wDivUp(a: bigint, b: bigint): bigint {
  return mulDivUp(a, WAD, b);
}

/** The first three terms of e^(rate * seconds) - 1. */
export function wTaylorCompounded(rate: bigint, seconds: bigint): bigint {
  const first = rate * seconds;
  const second = mulDivDown(first, first, 2n * WAD);
  const third = mulDivDown(second, first, 3n * WAD);
  return first + second + third;
}

/** UtilsLib.zeroFloorSub. */
export function zeroFloorSub(a: bigint, b: bigint): bigint {
  return a > b ? a - b : 0n;
}

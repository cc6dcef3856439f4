/** Comet's arithmetic, to the unit (CometCore, Comet, CometMath of compound-finance/comet). Divisions round towards zero, as bigint's do. */
import { mulDivDown, WAD } from '../../lib/math.ts';
import type { CometConfig, Curve, Totals } from './state.ts';

/** CometCore.BASE_INDEX_SCALE. */
export const INDEX_SCALE = 10n ** 15n;

export type Indices = { readonly supply: bigint; readonly borrow: bigint };
/** Principals supplied and borrowed by all. */
export type Principals = { readonly supplied: bigint; readonly borrowed: bigint };

/** CometCore.presentValueSupply and presentValueBorrow: both round down. */
export function presentValue(principal: bigint, index: bigint): bigint {
  return mulDivDown(principal, index, INDEX_SCALE);
}

/** CometCore.principalValueSupply. */
export function supplyPrincipalDown(value: bigint, index: bigint): bigint {
  return mulDivDown(value, INDEX_SCALE, index);
}

/** Comet.mulFactor. */
export function mulFactorDown(value: bigint, factor: bigint): bigint {
  return mulDivDown(value, factor, WAD);
}

/** Comet.getUtilization, of what is stored. */
export function utilization({ baseSupplyIndex, baseBorrowIndex, totalSupplyBase, totalBorrowBase }: Totals): bigint {
  const supplied = presentValue(totalSupplyBase, baseSupplyIndex);
  return supplied === 0n ? 0n : mulDivDown(presentValue(totalBorrowBase, baseBorrowIndex), WAD, supplied);
}

/** Comet.getSupplyRate and getBorrowRate: a second's. */
export function rateAt(used: bigint, { kink, slopeLow, slopeHigh, base }: Curve): bigint {
  if (used <= kink) return base + mulFactorDown(slopeLow, used);
  return base + mulFactorDown(slopeLow, kink) + mulFactorDown(slopeHigh, used - kink);
}

/** Comet.accruedInterestIndices: one step, however long the time, at the utilization that was left. */
export function indicesAt(totals: Totals, { supply, borrow }: CometConfig, timestamp: number): Indices {
  const { baseSupplyIndex, baseBorrowIndex, lastAccrualTime } = totals;
  const elapsed = BigInt(Math.max(0, timestamp - lastAccrualTime));
  if (elapsed === 0n) return { supply: baseSupplyIndex, borrow: baseBorrowIndex };
  const used = utilization(totals);
  return {
    supply: baseSupplyIndex + mulFactorDown(baseSupplyIndex, rateAt(used, supply) * elapsed),
    borrow: baseBorrowIndex + mulFactorDown(baseBorrowIndex, rateAt(used, borrow) * elapsed),
  };
}

/** Comet.getReserves: below zero where the protocol owes more than it has. */
export function reservesOf(balanceRaw: bigint, { supplied, borrowed }: Principals, indices: Indices): bigint {
  return balanceRaw - presentValue(supplied, indices.supply) + presentValue(borrowed, indices.borrow);
}

/** Comet.buyCollateral sells nothing once reserves are what they should be. */
export function forSale(reserves: bigint, targetReserves: bigint): boolean {
  return reserves < 0n || reserves < targetReserves;
}

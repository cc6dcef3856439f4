/** What a position is left with after a part of its debt is liquidated. Pure. */
import type { Lowering } from '../types.ts';
import { type MarketNow, type Standing, standingOf } from './lens.ts';
import type { Taking } from './liquidation.ts';
import { zeroFloorSub } from './math.ts';
import type { Position } from './state.ts';

type Known = Extract<MarketNow, { ok: true }>;

/** Morpho.liquidate, or Morpho.repay and Morpho.withdrawCollateral: shares burned, assets paid in, collateral handed out. */
export function leftAfter(
  position: Position,
  now: Known,
  { seizedRaw, repaidRaw, repaidShares }: Taking,
): { readonly position: Position; readonly now: Known } {
  const borrowed = { assets: zeroFloorSub(now.borrowed.assets, repaidRaw), shares: now.borrowed.shares - repaidShares };
  const rest = { ...position, borrowShares: position.borrowShares - repaidShares, collateral: position.collateral - seizedRaw };
  return { position: rest, now: { ...now, borrowed } };
}

export function standingAfter(position: Position, now: Known, taking: Taking): Standing {
  const left = leftAfter(position, now, taking);
  return standingOf(left.position, left.now);
}

/**
 * The health factor before and after, where that lowers it: below a health of LLTV times incentive what is seized counts for more than what is repaid, times health
 * (Warmuz, Chaudhary and Pinna 2022, "Toxic Liquidation Spirals"). Undefined where it does not, and where all collateral is gone: Morpho writes off the rest.
 */
export function loweringOf(position: Position, now: Known, taking: Taking): Lowering | undefined {
  if (taking.seizedRaw === position.collateral) return undefined;
  const [before, after] = [standingOf(position, now), standingAfter(position, now, taking)];
  if (!before.ok || !after.ok || after.healthFactorWad >= before.healthFactorWad) return undefined;
  return { beforeWad: before.healthFactorWad, afterWad: after.healthFactorWad };
}

/** What one call of Morpho.liquidate takes and may take. Pure: figures in, amounts out. */
import { min, mulDivDown, mulDivUp, WAD } from '../../lib/math.ts';
import type { Regime } from '../types.ts';
import { PRICE_SCALE, type Totals, toAssetsDown, toAssetsUp, toSharesUp, wDivDown, wDivUp, wMulDown } from './math.ts';

/** ConstantsLib.LIQUIDATION_CURSOR and MAX_LIQUIDATION_INCENTIVE_FACTOR. */
const CURSOR = (3n * WAD) / 10n;
const MAX_INCENTIVE = (115n * WAD) / 100n;

/** The position and its market at the moment of the call. */
export type Liquidable = {
  readonly borrowShares: bigint;
  readonly collateral: bigint;
  readonly borrowed: Totals;
  readonly price: bigint;
  readonly incentiveWad: bigint;
};

/** A call, as Morpho wants it: exactly one of the two is not 0. */
export type Call = { readonly seizedAssets: bigint; readonly repaidShares: bigint };
export type Taking = { readonly seizedRaw: bigint; readonly repaidRaw: bigint; readonly repaidShares: bigint };

/** min(1.15, 1 / (1 - 0.3 (1 - LLTV))). */
export function incentiveFactorWad(lltv: bigint): bigint {
  return min(MAX_INCENTIVE, wDivDown(WAD, WAD - wMulDown(CURSOR, WAD - lltv)));
}

/** Morpho.liquidate, up to the subtraction of what is taken. */
export function takingOf({ borrowed, price, incentiveWad }: Liquidable, call: Call): Taking {
  const repaidShares =
    call.seizedAssets > 0n
      ? toSharesUp(wDivUp(mulDivUp(call.seizedAssets, price, PRICE_SCALE), incentiveWad), borrowed)
      : call.repaidShares;
  const seizedRaw =
    call.seizedAssets > 0n
      ? call.seizedAssets
      : mulDivDown(wMulDown(toAssetsDown(repaidShares, borrowed), incentiveWad), PRICE_SCALE, price);
  return { seizedRaw, repaidRaw: toAssetsUp(repaidShares, borrowed), repaidShares };
}

/** What the operator chooses for a position whose collateral does not cover its debt: seize the last unit, which lets lenders bear the rest, or not. */
export type BadDebt = 'realise' | 'leave';

/**
 * Amounts are of collateral, seized. All of the debt is repaid by its shares, which interest does not change; everything else is asked for by what is
 * seized, which neither does: so a call stays valid while its block is late.
 */
export type Ways = {
  readonly regimes: readonly Regime[];
  /** The call that seizes this much. */
  callFor(seizedRaw: bigint): Call;
};

/** @param later the same position some time on: what has to hold then as well */
export function waysOf(now: Liquidable, later: Liquidable, badDebt: BadDebt): Ways | undefined {
  if (now.price === 0n || now.borrowShares === 0n || now.collateral === 0n) return undefined;
  const wholeDebt = { seizedAssets: 0n, repaidShares: now.borrowShares };
  const forDebt = takingOf(now, wholeDebt).seizedRaw;
  const bySeizure = (seizedRaw: bigint) => ({ seizedAssets: seizedRaw, repaidShares: 0n });
  if (forDebt < now.collateral) {
    if (forDebt === 0n) return undefined;
    const covered = takingOf(later, wholeDebt).seizedRaw <= now.collateral;
    const callFor = (seizedRaw: bigint) => (covered && seizedRaw === forDebt ? wholeDebt : bySeizure(seizedRaw));
    return { regimes: [{ minRaw: 1n, maxRaw: forDebt }], callFor };
  }
  const leaves = takingOf(now, bySeizure(now.collateral)).repaidShares < now.borrowShares;
  const maxRaw = leaves && badDebt === 'leave' ? now.collateral - 1n : now.collateral;
  return maxRaw === 0n ? undefined : { regimes: [{ minRaw: 1n, maxRaw }], callFor: bySeizure };
}

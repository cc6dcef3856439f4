/**
 * What a pre-liquidation contract (morpho-org/pre-liquidation: PreLiquidation.preLiquidate) takes of a position that Morpho still lets alone. Pure:
 * figures in, amounts out.
 */
import { min, mulDivDown } from '../../lib/math.ts';
import type { Regime } from '../types.ts';
import { standingAfter } from './aftermath.ts';
import { type MarketNow, standingOf } from './lens.ts';
import { type Liquidable, type Taking, takingOf, type Ways } from './liquidation.ts';
import { PRICE_SCALE, wDivDown, wDivUp, wMulDown } from './math.ts';
import type { Position, PreParams } from './state.ts';

const WAD = 10n ** 18n;
/**
 * Every repayment by others rounds what a position owes by a unit, and the factors follow: a call for all that is granted would fail for a unit less.
 * So no more is asked for than what is granted for this much less debt.
 */
const ROUNDING = 2n;

/** What a call is refused with (ErrorsLib of pre-liquidation). */
export const PRE_LIQUIDATION_ERRORS = [
  'InconsistentInput()',
  'LiquidatablePosition()',
  'NotPreLiquidatablePosition()',
  'PreLiquidationTooLarge(uint256 repaidShares, uint256 repayableShares)',
];

/** The market at one moment, and the price by the contract's own oracle, scaled by 1e36. */
export type PreNow = { readonly market: Extract<MarketNow, { ok: true }>; readonly price: bigint };

/** Both grow linearly with the loan-to-value ratio, from their first value at `preLltv` to their second at the market's `lltv`. */
export type Factors = { readonly incentiveWad: bigint; readonly closeWad: bigint };

/**
 * What the contract grants at a ratio; undefined where it refuses: at `preLltv` or below, or where the debt is beyond `lltv`, by its own oracle.
 *
 * @param borrowedRaw the debt, rounded up
 */
export function factorsAt(collateral: bigint, borrowedRaw: bigint, price: bigint, lltv: bigint, params: PreParams): Factors | undefined {
  const quoted = mulDivDown(collateral, price, PRICE_SCALE);
  if (borrowedRaw > wMulDown(quoted, lltv) || borrowedRaw <= wMulDown(quoted, params.preLltv)) return undefined;
  const progress = wDivDown(wDivUp(borrowedRaw, quoted) - params.preLltv, lltv - params.preLltv);
  const between = (first: bigint, second: bigint) => wMulDown(progress, second - first) + first;
  return { incentiveWad: between(params.preLif1, params.preLif2), closeWad: between(params.preLcf1, params.preLcf2) };
}

/** `least` is what is granted at least, if others repay first. */
export type PreLiquidable = Liquidable & { readonly least: Factors };
export type PreWays = Ways & { readonly liquidable: PreLiquidable };

/** A position as one contract may take it at a moment, and what it grants; undefined where it may not. */
export function preLiquidable(position: Position, now: PreNow, params: PreParams): PreLiquidable | undefined {
  const standing = standingOf(position, now.market);
  // Beyond its limit a position is Morpho's own to liquidate.
  if (!standing.ok || standing.borrowedRaw === 0n || standing.healthFactorWad < WAD) return undefined;
  const granted = (borrowedRaw: bigint) => factorsAt(position.collateral, borrowedRaw, now.price, now.market.market.params.lltv, params);
  const factors = granted(standing.borrowedRaw);
  if (factors === undefined) return undefined;
  const { borrowShares, collateral } = position;
  const { borrowed } = now.market;
  return {
    borrowShares,
    collateral,
    borrowed,
    price: now.price,
    incentiveWad: factors.incentiveWad,
    least: granted(standing.borrowedRaw - ROUNDING) ?? factors,
  };
}

/**
 * The amounts that the contract accepts, in collateral seized, as long as Morpho then finds the position healthy by its own oracle: it hands out no
 * collateral otherwise. A debt that may be repaid whole is repaid by its shares, everything else is asked for by what is seized: while a block is late
 * the factors only grow, so what was accepted stays so until the position reaches its limit.
 */
export function preWaysOf(position: Position, now: PreNow, params: PreParams): PreWays | undefined {
  const liquidable = preLiquidable(position, now, params);
  if (liquidable === undefined) return undefined;
  const { least } = liquidable;
  const repayable = min(position.borrowShares, wMulDown(position.borrowShares, least.closeWad));
  if (repayable === 0n) return undefined;
  const whole = repayable === position.borrowShares;
  const byShares = { seizedAssets: 0n, repaidShares: repayable };
  const most = takingOf({ ...liquidable, incentiveWad: whole ? liquidable.incentiveWad : least.incentiveWad }, byShares).seizedRaw;
  const callFor: Ways['callFor'] = (seizedRaw) => (whole && seizedRaw === most ? byShares : { seizedAssets: seizedRaw, repaidShares: 0n });
  const holds = (seizedRaw: bigint) => isHealthyAfter(position, now.market, takingOf(liquidable, callFor(seizedRaw)));
  const regime = regimeUpTo(min(most, position.collateral), holds);
  return regime === undefined ? undefined : { regimes: [regime], callFor, liquidable };
}

function isHealthyAfter(position: Position, now: PreNow['market'], taking: Taking): boolean {
  const standing = standingAfter(position, now, taking);
  return standing.ok && standing.healthFactorWad >= WAD;
}

/** What is left grows or shrinks evenly with the amount, so the amounts that hold are one stretch, and it begins or ends where all amounts do. */
function regimeUpTo(most: bigint, holds: (seizedRaw: bigint) => boolean): Regime | undefined {
  if (most === 0n) return undefined;
  const [first, last] = [holds(1n), holds(most)];
  if (first && last) return { minRaw: 1n, maxRaw: most };
  if (first) return { minRaw: 1n, maxRaw: turnBetween(1n, most, holds) };
  return last ? { minRaw: turnBetween(most, 1n, holds), maxRaw: most } : undefined;
}

/** The last amount that holds on the way from one that does to one that does not. */
function turnBetween(from: bigint, to: bigint, holds: (seizedRaw: bigint) => boolean): bigint {
  let [good, bad] = [from, to];
  while (good - bad > 1n || bad - good > 1n) {
    const middle = (good + bad) / 2n;
    if (holds(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/**
 * The rate of Morpho's AdaptiveCurveIrm (morpho-blue-irm: AdaptiveCurveIrm._borrowRate, ExpLib.wExp), to the unit. All divisions round towards zero,
 * as bigint's do.
 */
import { WAD } from '../../lib/math.ts';
import { wDivDown } from './math.ts';

const YEAR_SECONDS = 365n * 86_400n;
/** adaptive-curve/ConstantsLib. */
const CURVE_STEEPNESS = 4n * WAD;
const ADJUSTMENT_SPEED = (50n * WAD) / YEAR_SECONDS;
const TARGET_UTILIZATION = (9n * WAD) / 10n;
export const INITIAL_RATE_AT_TARGET = (4n * WAD) / 100n / YEAR_SECONDS;
export const MIN_RATE_AT_TARGET = WAD / 1_000n / YEAR_SECONDS;
export const MAX_RATE_AT_TARGET = (2n * WAD) / YEAR_SECONDS;
/** ExpLib. */
const LN_2 = 693_147_180_559_945_309n;
const LN_WEI = -41_446_531_673_892_822_312n;
const EXP_UPPER_BOUND = 93_859_467_695_000_404_319n;
const EXP_UPPER_VALUE = 57_716_089_161_558_943_949_701_069_502_944_508_345_128_422_502_756_744_429_568n;

export type Utilised = { readonly totalBorrowAssets: bigint; readonly totalSupplyAssets: bigint };

/**
 * The average rate since the market's last update, a second, scaled by WAD: what `borrowRateView` answers `elapsed` seconds after it.
 *
 * @param rateAtTarget the IRM's own for this market as of its last update; 0 when there was none
 */
export function adaptiveRate({ totalBorrowAssets, totalSupplyAssets }: Utilised, rateAtTarget: bigint, elapsed: bigint): bigint {
  const utilization = totalSupplyAssets > 0n ? wDivDown(totalBorrowAssets, totalSupplyAssets) : 0n;
  const span = utilization > TARGET_UTILIZATION ? WAD - TARGET_UTILIZATION : TARGET_UTILIZATION;
  const error = ((utilization - TARGET_UTILIZATION) * WAD) / span;
  return curve(averageRateAtTarget(rateAtTarget, error, elapsed), error);
}

/** By the trapezoidal rule over two halves of the time. */
function averageRateAtTarget(start: bigint, error: bigint, elapsed: bigint): bigint {
  if (start === 0n) return INITIAL_RATE_AT_TARGET;
  const adaptation = ((ADJUSTMENT_SPEED * error) / WAD) * elapsed;
  if (adaptation === 0n) return start;
  return (start + adapted(start, adaptation) + 2n * adapted(start, adaptation / 2n)) / 4n;
}

function adapted(start: bigint, adaptation: bigint): bigint {
  const rate = (start * wExp(adaptation)) / WAD;
  if (rate < MIN_RATE_AT_TARGET) return MIN_RATE_AT_TARGET;
  return rate > MAX_RATE_AT_TARGET ? MAX_RATE_AT_TARGET : rate;
}

function curve(rateAtTarget: bigint, error: bigint): bigint {
  const coefficient = error < 0n ? WAD - (WAD * WAD) / CURVE_STEEPNESS : CURVE_STEEPNESS - WAD;
  return (((coefficient * error) / WAD + WAD) * rateAtTarget) / WAD;
}

/** e^x as 2^q * (1 + r + r^2 / 2), clipped at both ends. */
export function wExp(x: bigint): bigint {
  if (x < LN_WEI) return 0n;
  if (x >= EXP_UPPER_BOUND) return EXP_UPPER_VALUE;
  const q = (x + (x < 0n ? -(LN_2 / 2n) : LN_2 / 2n)) / LN_2;
  const r = x - q * LN_2;
  const expR = WAD + r + (r * r) / WAD / 2n;
  return q >= 0n ? expR << q : expR >> -q;
}

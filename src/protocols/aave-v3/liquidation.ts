/**
 * What one liquidation call may take and what it takes, by LiquidationLogic.executeLiquidationCall of Aave v3.3 and later. Pure: one pair
 * of debt and collateral, figures in, amounts out.
 */
import {
  BPS,
  divUp,
  max,
  min,
  mulDivDown,
  mulDivUp,
  percentDivDown,
  percentDivHalfUp,
  percentDivUp,
  percentMulDown,
  percentMulHalfUp,
  percentMulUp,
  RAY,
  rayDivDown,
  WAD,
} from '../../lib/math.ts';
import type { Regime } from '../types.ts';

/** LiquidationLogic.CLOSE_FACTOR_HF_THRESHOLD. */
export const CLOSE_FACTOR_THRESHOLD_WAD = (95n * WAD) / 100n;
const DEFAULT_CLOSE_FACTOR_BPS = 5_000n;
/** MIN_BASE_MAX_CLOSE_FACTOR_THRESHOLD and MIN_LEFTOVER_BASE: the same numbers in whatever currency the market counts; meant for USD with 8 decimals. */
const CLOSE_FACTOR_MIN_BASE = 2_000_00000000n;
const LEFTOVER_MIN_BASE = 1_000_00000000n;
const HALF_BPS = BPS / 2n;

export type Side = {
  /** The account's whole balance or debt in this reserve, at the moment. */
  readonly amountRaw: bigint;
  readonly price: bigint;
  /** One whole token, raw. */
  readonly unit: bigint;
};

/** How a revision rounds what is seized and the treasury's share of it; `leastPlain` inverts `seized`. */
export type Rounding = {
  seized(plainRaw: bigint, bonusBps: bigint): bigint;
  leastPlain(seizedRaw: bigint, bonusBps: bigint): bigint;
  fee(seizedRaw: bigint, bonusBps: bigint, feeBps: bigint): bigint;
};

/** What differs between the pool revisions whose rules these are. */
export type Rules = {
  readonly rounding: Rounding;
  /** Whether liquidations ask the L2 sequencer's sentinel. */
  readonly asksSentinel: boolean;
};

/** By POOL_REVISION: 3.6 and 3.7. NOTE: 3.7 is read off its source alone; its contracts are not on npm, so tests execute 3.6. */
export const RULES: Readonly<Record<string, Rules>> = {
  '10': {
    asksSentinel: true,
    rounding: {
      seized: percentMulHalfUp,
      leastPlain: (seizedRaw, bonusBps) => divUp(seizedRaw * BPS - HALF_BPS, bonusBps),
      fee: (seizedRaw, bonusBps, feeBps) => percentMulHalfUp(seizedRaw - percentDivHalfUp(seizedRaw, bonusBps), feeBps),
    },
  },
  '11': {
    asksSentinel: false,
    rounding: {
      seized: percentMulDown,
      leastPlain: (seizedRaw, bonusBps) => divUp(seizedRaw * BPS, bonusBps),
      fee: (seizedRaw, bonusBps, feeBps) => percentMulUp(seizedRaw - percentDivDown(seizedRaw, bonusBps), feeBps),
    },
  },
};

export type Pair = {
  readonly rounding: Rounding;
  readonly debt: Side & { readonly indexRay: bigint };
  /** `availableRaw`: underlying that the pool may still give out (its virtual balance). */
  readonly collateral: Side & { readonly bonusBps: bigint; readonly protocolFeeBps: bigint; readonly availableRaw: bigint };
  readonly healthFactorWad: bigint;
  /** The account's debt over all reserves, in base currency. */
  readonly totalDebtBase: bigint;
};

/** What a call moves: paid by the liquidator, received by the liquidator, kept by the treasury. */
export type Taking = { readonly repaidRaw: bigint; readonly receivedRaw: bigint; readonly feeRaw: bigint };

/** The largest debt that may be covered: half of the total debt when position and health are large enough, otherwise the reserve's whole debt. */
export function maxRepayRaw({ debt, collateral, healthFactorWad, totalDebtBase }: Pair): bigint {
  const debtBase = mulDivUp(debt.amountRaw, debt.price, debt.unit);
  const collateralBase = mulDivDown(collateral.amountRaw, collateral.price, collateral.unit);
  const large = debtBase >= CLOSE_FACTOR_MIN_BASE && collateralBase >= CLOSE_FACTOR_MIN_BASE;
  if (!large || healthFactorWad <= CLOSE_FACTOR_THRESHOLD_WAD) return debt.amountRaw;
  const halfBase = percentMulHalfUp(totalDebtBase, DEFAULT_CLOSE_FACTOR_BPS);
  return debtBase > halfBase ? mulDivDown(halfBase, debt.unit, debt.price) : debt.amountRaw;
}

/** The movements of `liquidationCall` with this `debtToCover`; above the maximum it takes the maximum (_calculateAvailableCollateralToLiquidate). */
export function takingOf(pair: Pair, debtToCoverRaw: bigint): Taking {
  const { debt, collateral } = pair;
  const coverRaw = min(debtToCoverRaw, maxRepayRaw(pair));
  const wantedRaw = grossSeizedRaw(pair, coverRaw);
  const capped = wantedRaw > collateral.amountRaw;
  const grossRaw = capped ? collateral.amountRaw : wantedRaw;
  const repaidRaw = capped
    ? percentDivUp((collateral.price * grossRaw * debt.unit) / (debt.price * collateral.unit), collateral.bonusBps)
    : coverRaw;
  const feeRaw = protocolFeeRaw(pair, grossRaw);
  return { repaidRaw, receivedRaw: grossRaw - feeRaw, feeRaw };
}

/**
 * Every `debtToCover` that the pool accepts and that takes more than a smaller one, as ascending ranges. The dust rule makes gaps: debt and
 * collateral that both remain must each be worth at least $1,000, but clearing either side frees the other.
 */
export function regimesOf(pair: Pair): Regime[] {
  const { debt, collateral } = pair;
  const limitRaw = maxRepayRaw(pair);
  // Smaller ones would burn no debt, or seize nothing: the tokens refuse to burn 0.
  const leastRaw = max(divUp(debt.indexRay, RAY), leastCoverFor(pair, leastSeized(pair)));
  const clearsRaw = leastCoverFor(pair, collateral.amountRaw);
  const regimes: Regime[] = [];
  const add = (minRaw: bigint, maxRaw: bigint) => {
    if (minRaw > maxRaw) return;
    const last = regimes.at(-1);
    if (last !== undefined && last.maxRaw + 1n >= minRaw)
      regimes[regimes.length - 1] = { minRaw: last.minRaw, maxRaw: max(last.maxRaw, maxRaw) };
    else regimes.push({ minRaw, maxRaw });
  };
  add(
    leastRaw,
    min(limitRaw, debt.amountRaw - 1n, clearsRaw - 1n, mostLeavingDebt(pair), mostLeavingCollateral(pair), mostAvailable(pair)),
  );
  // All of the debt, while collateral remains.
  if (limitRaw === debt.amountRaw && limitRaw < clearsRaw && limitRaw >= leastRaw && limitRaw <= mostAvailable(pair))
    add(limitRaw, limitRaw);
  // All of the collateral, whatever remains of the debt; from `cappedRaw` on at the price of exactly that.
  const cappedRaw = leastCoverFor(pair, collateral.amountRaw + 1n);
  if (canTake(pair, max(clearsRaw, leastRaw))) add(max(clearsRaw, leastRaw), min(limitRaw, cappedRaw - 1n));
  if (cappedRaw <= limitRaw && canTake(pair, cappedRaw)) add(cappedRaw, cappedRaw);
  return regimes;
}

/** Collateral for a cover, the treasury's part included, before the cap at the balance. */
function grossSeizedRaw({ debt, collateral, rounding }: Pair, coverRaw: bigint): bigint {
  const plainRaw = (debt.price * coverRaw * collateral.unit) / (collateral.price * debt.unit);
  return rounding.seized(plainRaw, collateral.bonusBps);
}

/** The treasury's share of the bonus. */
function protocolFeeRaw({ collateral, rounding }: Pair, grossRaw: bigint): bigint {
  return collateral.protocolFeeBps === 0n ? 0n : rounding.fee(grossRaw, collateral.bonusBps, collateral.protocolFeeBps);
}

/** Least seizure of which the liquidator receives anything: a unit or two, while the bonus is below 100%. */
function leastSeized(pair: Pair): bigint {
  let grossRaw = 1n;
  while (grossRaw < pair.collateral.amountRaw && grossRaw <= protocolFeeRaw(pair, grossRaw)) grossRaw++;
  return grossRaw;
}

/** Least cover that seizes at least `grossRaw` (inverse of `grossSeizedRaw`). */
function leastCoverFor({ debt, collateral, rounding }: Pair, grossRaw: bigint): bigint {
  if (grossRaw === 0n) return 0n;
  const plainRaw = rounding.leastPlain(grossRaw, collateral.bonusBps);
  return divUp(plainRaw * collateral.price * debt.unit, debt.price * collateral.unit);
}

/** Most cover that leaves debt worth the minimum: ceil(rest * price / unit) >= minimum. */
function mostLeavingDebt({ debt }: Pair): bigint {
  return debt.amountRaw - (((LEFTOVER_MIN_BASE - 1n) * debt.unit) / debt.price + 1n);
}

/** Most cover that leaves collateral worth the minimum: floor(rest * price / unit) >= minimum. */
function mostLeavingCollateral(pair: Pair): bigint {
  const { amountRaw, price, unit } = pair.collateral;
  return leastCoverFor(pair, max(0n, amountRaw - divUp(LEFTOVER_MIN_BASE * unit, price) + 1n)) - 1n;
}

/** Most cover whose received collateral the pool can give out. */
function mostAvailable(pair: Pair): bigint {
  const { amountRaw, availableRaw } = pair.collateral;
  if (amountRaw - protocolFeeRaw(pair, amountRaw) <= availableRaw) return pair.debt.amountRaw;
  // What is received never falls as what is seized rises, so the largest seizure within reach is found by halving.
  let fits = 0n;
  let exceeds = amountRaw;
  while (exceeds - fits > 1n) {
    const middle = (fits + exceeds) / 2n;
    if (middle - protocolFeeRaw(pair, middle) <= availableRaw) fits = middle;
    else exceeds = middle;
  }
  return leastCoverFor(pair, fits + 1n) - 1n;
}

/** The tokens burn some debt and some collateral, and the pool can give the collateral out. */
function canTake(pair: Pair, coverRaw: bigint): boolean {
  const { repaidRaw, receivedRaw } = takingOf(pair, coverRaw);
  return rayDivDown(repaidRaw, pair.debt.indexRay) > 0n && receivedRaw > 0n && receivedRaw <= pair.collateral.availableRaw;
}

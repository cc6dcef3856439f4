/**
 * What one liquidation call may take and what it takes, by LiquidationLogic.executeLiquidationCall of the market's release. Pure: one pair
 * of debt and collateral, figures in, amounts out.
 */
import { divUp, max, min } from '../../lib/math.ts';
import type { Regime } from '../types.ts';
import type { Rules } from './rules.ts';

export type Side = {
  /** The account's whole balance or debt in this reserve, at the moment. */
  readonly amountRaw: bigint;
  readonly price: bigint;
  /** One whole token, raw. */
  readonly unit: bigint;
  readonly indexRay: bigint;
};

export type Pair = {
  readonly rules: Pick<Rules, 'scaling' | 'closing' | 'seizing'>;
  /** `variableRaw`: the part that is burned first; the rest is owed at a fixed rate. */
  readonly debt: Side & { readonly variableRaw: bigint };
  /** `availableRaw`: underlying that the pool may still give out. */
  readonly collateral: Side & { readonly bonusBps: bigint; readonly protocolFeeBps: bigint; readonly availableRaw: bigint };
  readonly healthFactorWad: bigint;
  /** The account's debt over all reserves, in base currency. */
  readonly totalDebtBase: bigint;
};

/** What a call moves: paid by the liquidator, received by the liquidator, kept by the treasury. */
export type Taking = { readonly repaidRaw: bigint; readonly receivedRaw: bigint; readonly feeRaw: bigint };

/** The largest debt that may be covered. */
export function maxRepayRaw(pair: Pair): bigint {
  return pair.rules.closing.maxRepayRaw(pair);
}

/** The movements of `liquidationCall` with this `debtToCover`; above the maximum it takes the maximum (_calculateAvailableCollateralToLiquidate). */
export function takingOf(pair: Pair, debtToCoverRaw: bigint): Taking {
  return covered(pair, min(debtToCoverRaw, maxRepayRaw(pair)));
}

/** The same for what several calls cover together. */
export function covered(pair: Pair, coverRaw: bigint): Taking {
  const { debt, collateral } = pair;
  const wantedRaw = grossSeizedRaw(pair, coverRaw);
  const capped = wantedRaw > collateral.amountRaw;
  const grossRaw = capped ? collateral.amountRaw : wantedRaw;
  const repaidRaw = capped
    ? pair.rules.seizing.repaid((collateral.price * grossRaw * debt.unit) / (debt.price * collateral.unit), collateral.bonusBps)
    : coverRaw;
  const feeRaw = protocolFeeRaw(pair, grossRaw);
  return { repaidRaw, receivedRaw: grossRaw - feeRaw, feeRaw };
}

/**
 * Every `debtToCover` that the pool accepts and that takes more than a smaller one, as ascending ranges. Where dust is refused there are gaps:
 * debt and collateral that both remain must each be worth at least $1,000, but clearing either side frees the other.
 */
export function regimesOf(pair: Pair): Regime[] {
  const { debt, collateral } = pair;
  const limitRaw = maxRepayRaw(pair);
  // Smaller ones would burn no debt, or seize nothing: the tokens refuse to burn 0.
  const leastRaw = max(leastBurnRaw(pair), leastCoverFor(pair, leastSeized(pair)));
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
    min(limitRaw, clearsRaw - 1n, pair.rules.closing.mostLeavingDebtRaw(debt), mostLeavingCollateral(pair), mostAvailable(pair)),
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
function grossSeizedRaw({ debt, collateral, rules }: Pair, coverRaw: bigint): bigint {
  const plainRaw = (debt.price * coverRaw * collateral.unit) / (collateral.price * debt.unit);
  return rules.seizing.seized(plainRaw, collateral.bonusBps);
}

/** The treasury's share of the bonus. */
function protocolFeeRaw({ collateral, rules }: Pair, grossRaw: bigint): bigint {
  return collateral.protocolFeeBps === 0n ? 0n : rules.seizing.fee(grossRaw, collateral.bonusBps, collateral.protocolFeeBps);
}

/** Least cover of which some debt is burned; what goes beyond the variable debt is burned unit by unit. */
function leastBurnRaw({ debt, rules }: Pair): bigint {
  return debt.variableRaw === 0n ? 1n : rules.scaling.leastOwedBurnRaw(debt.indexRay);
}

/** Least seizure of which the liquidator receives anything that can be burned: a few units, while the bonus is below 100%. */
function leastSeized(pair: Pair): bigint {
  let grossRaw = 1n;
  while (grossRaw < pair.collateral.amountRaw && !canGive(pair, grossRaw - protocolFeeRaw(pair, grossRaw))) grossRaw++;
  return grossRaw;
}

function canGive({ collateral, rules }: Pair, receivedRaw: bigint): boolean {
  return receivedRaw > 0n && rules.scaling.suppliedBurn(receivedRaw, collateral.indexRay) > 0n;
}

/** Least cover that seizes at least `grossRaw` (inverse of `grossSeizedRaw`). */
function leastCoverFor({ debt, collateral, rules }: Pair, grossRaw: bigint): bigint {
  if (grossRaw === 0n) return 0n;
  const plainRaw = rules.seizing.leastPlain(grossRaw, collateral.bonusBps);
  return divUp(plainRaw * collateral.price * debt.unit, debt.price * collateral.unit);
}

/** Most cover that leaves as much collateral as has to remain. */
function mostLeavingCollateral(pair: Pair): bigint {
  const { collateral, rules } = pair;
  return leastCoverFor(pair, max(0n, collateral.amountRaw - rules.closing.leastLeftCollateralRaw(collateral) + 1n)) - 1n;
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
  return repaidRaw >= leastBurnRaw(pair) && canGive(pair, receivedRaw) && receivedRaw <= pair.collateral.availableRaw;
}

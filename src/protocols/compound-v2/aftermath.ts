/** What an account is left with after a part of its debt is liquidated. Pure. */
import { max, mulDivDown, WAD } from '../../lib/math.ts';
import type { Lowering, Regime } from '../types.ts';
import { heldWorth, inflation, type Pair, type Side, type Worth } from './health.ts';
import { type Liquidable, nextOf, redeemed, regimeOf } from './liquidation.ts';
import { healthWad } from './math.ts';
import type { Account } from './state.ts';

/** A pair that may be liquidated, and how much of the collateral's tokens a unit of debt is worth at an exchange rate. */
export type Target = {
  readonly pair: Pair;
  readonly liquidable: Liquidable;
  ratioAt(rateWad: bigint): bigint | undefined;
};

/** The pair for another call in the same block, which the contracts let happen while they find a shortfall. */
export function afterCall({ pair, ratioAt }: Target, before: Liquidable, repaidRaw: bigint): Liquidable {
  const after: Liquidable = nextOf(before, repaidRaw, ratioAt, (nextRaw) => {
    const { heldUsd, owedUsd } = worthLeft(pair, after);
    return owedUsd > heldUsd + inflation(debtLeft(pair, after), nextRaw);
  });
  return after;
}

/**
 * What a later block may take of the pair, in one call.
 *
 * @param early the pair at the mirrored block
 * @param takenRaw repaid in all until then
 */
export function restOf(target: Target, early: Liquidable, takenRaw: bigint): readonly Regime[] {
  const { pair, liquidable } = target;
  const then = (before: Liquidable): Liquidable => {
    const left = redeemed(afterCall(target, before, takenRaw));
    return pair.forced ? { ...left, stillShort: () => true } : left;
  };
  const [left, leftEarly] = takenRaw === 0n ? [liquidable, early] : [then(liquidable), then(early)];
  if (left.owedRaw <= 0n || leftEarly.owedRaw <= 0n || left.tokens <= 0n || left.payableRaw <= 0n) return [];
  const regime = regimeOf(left, leftEarly);
  return regime === undefined ? [] : [regime];
}

/** The account once so much of the pair is repaid, both markets accrued. */
export function accountAfter(account: Account, target: Target, takenRaw: bigint): Account {
  const { pair, liquidable } = target;
  const { owedRaw, tokens } = takenRaw === 0n ? liquidable : afterCall(target, liquidable, takenRaw);
  const [debt, collateral] = [pair.debt.holding.market.address, pair.collateral.holding.market.address];
  const holdings = new Map(account.holdings);
  holdings.set(debt, { ...holdings.get(debt)!, principal: max(owedRaw, 0n), index: pair.debt.now.accrued.borrowIndex });
  holdings.set(collateral, { ...holdings.get(collateral)!, tokens: max(tokens, 0n) });
  return { ...account, holdings };
}

/**
 * Comptroller.getHypotheticalAccountLiquidityInternal after it: the debt is less by what was repaid, the collateral by what was seized, and every other market is as
 * the call found it.
 */
export function worthLeft({ debt, collateral, worth }: Pair, left: Liquidable): Worth {
  return {
    heldUsd: worth.heldUsd - collateral.accrued.heldUsd + heldUsdOf(collateral, left),
    owedUsd: worth.owedUsd - debt.accrued.owedUsd + mulDivDown(debt.price, left.owedRaw, WAD),
  };
}

/**
 * The health factor before and after, where that lowers it: what is seized for a unit of debt counts for more than the unit, times health, below a health of
 * threshold times incentive (Warmuz, Chaudhary and Pinna 2022, "Toxic Liquidation Spirals"). Undefined where it does not, and where all collateral is gone: there is
 * nothing left to be worse off.
 */
export function loweringOf(pair: Pair, left: Liquidable): Lowering | undefined {
  const { heldUsd, owedUsd } = worthLeft(pair, left);
  const [beforeWad, afterWad] = [pair.healthFactorWad, healthWad(heldUsd, owedUsd)];
  const isBare = left.tokens === 0n && pair.worth.heldUsd === pair.collateral.accrued.heldUsd;
  return isBare || afterWad >= beforeWad ? undefined : { beforeWad, afterWad };
}

function heldUsdOf({ thresholdWad, price }: Side, { collateral, tokens }: Liquidable): bigint {
  return heldWorth(thresholdWad, collateral.rateWad, price, tokens);
}

/** NOTE: a repayment leaves its market's exchange rate as it was, so only a seizure in the same market changes what the borrower holds there. */
function debtLeft({ debt }: Pair, left: Liquidable): Side {
  if (!left.same) return debt;
  const now = { ...debt.now, accrued: left.collateral, cash: left.cash };
  const accrued = { ...debt.accrued, heldUsd: heldUsdOf(debt, left) };
  return { ...debt, holding: { ...debt.holding, tokens: left.tokens }, now, accrued };
}

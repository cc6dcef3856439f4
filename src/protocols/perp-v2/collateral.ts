/** Collateral beside the settlement token, and when and how much of it may be bought from an account: Vault.isLiquidatable and its neighbours. Pure. */
import { mulDivUp } from '../../lib/math.ts';
import type { Lens, Worth } from './lens.ts';
import { mulDivToZero, mulPipsToZero, PIPS, WAD } from './math.ts';
import { type Account, type Collateral, isWorkedOut, type PerpState } from './state.ts';

/** CollateralManager. */
export type CollateralRules = {
  readonly bufferPips: bigint;
  readonly debtRatioPips: bigint;
  readonly liquidationPips: bigint;
  readonly fundFeePips: bigint;
  /** In settlement tokens. NOTE: some traders may have another one; whoever is asked for too much reverts. */
  readonly debtThresholdRaw: bigint;
  readonly dustRaw: bigint;
};

const DECIMALS = 18;

/** Vault._getSettlementByCollateral, in wad. */
export function creditOf({ decimals, priceUnit }: Collateral, price: bigint, amountRaw: bigint): bigint {
  return decimals > DECIMALS
    ? (amountRaw * price) / priceUnit / 10n ** BigInt(decimals - DECIMALS)
    : (amountRaw * 10n ** BigInt(DECIMALS - decimals) * price) / priceUnit;
}

/** Vault._getCollateralBySettlement. */
function collateralFor({ decimals, priceUnit }: Collateral, price: bigint, creditWad: bigint): bigint {
  return decimals > DECIMALS
    ? mulDivUp(creditWad * 10n ** BigInt(decimals - DECIMALS), priceUnit, price)
    : mulDivUp(creditWad, priceUnit, price) / 10n ** BigInt(DECIMALS - decimals);
}

/** Why an account's collateral may be bought: it is worth too little for its positions, or its debt too much of what it is worth, or too much at all. */
export function isCollateralLiquidatable(account: Account, { rules, collateralRules, settlement }: PerpState, worth: Worth): boolean {
  if (account.collateral.size === 0) return false;
  const { collateralWad, settledWad, unrealizedWad, exposureWad } = worth;
  if (collateralWad + settledWad + unrealizedWad < mulPipsToZero(exposureWad, rules.mmPips + collateralRules.bufferPips)) return true;
  const debtWad = debtOf(worth);
  return (
    debtWad > mulPipsToZero(collateralWad, collateralRules.debtRatioPips) || debtWad / settlement.unitWad > collateralRules.debtThresholdRaw
  );
}

function debtOf({ settledWad, unrealizedWad }: Worth): bigint {
  const valueWad = settledWad + unrealizedWad;
  return valueWad < 0n ? -valueWad : 0n;
}

/** What can be bought of one token: the most that is repaid, in settlement tokens, and what any amount repaid buys. */
export type Sale = { readonly known: Collateral; readonly maxRepaidRaw: bigint; boughtFor(repaidRaw: bigint): bigint };

/** Undefined where nothing may be bought, or nobody can tell. Accounts with orders are left alone: their debt is not worked out. */
export function saleOf(account: Account, token: `0x${string}`, state: PerpState, lens: Lens): Sale | undefined {
  const known = state.collateral.get(token);
  const heldRaw = account.collateral.get(token);
  if (known?.price === undefined || heldRaw === undefined || !isWorkedOut(account)) return undefined;
  const worth = lens.worth(account);
  if (typeof worth === 'string' || !isCollateralLiquidatable(account, state, worth)) return undefined;
  const mostWad = maxRepaidWad(account, state, lens, worth);
  const price = mulPipsToZero(known.price, PIPS - known.discountPips);
  if (mostWad === undefined || price === 0n) return undefined;
  const { unitWad } = state.settlement;
  const buys = (creditWad: bigint) => collateralFor(known, price, creditWad);
  const cappedWad = buys(mostWad) > heldRaw ? creditOf(known, price, heldRaw) : mostWad;
  return { known, maxRepaidRaw: cappedWad / unitWad, boughtFor: (repaidRaw) => buys(repaidRaw * unitWad) };
}

/** Vault._getMaxRepaidSettlement. */
function maxRepaidWad(account: Account, { rules, collateralRules, settlement }: PerpState, lens: Lens, worth: Worth): bigint | undefined {
  const requiredWad = totalDebtWad(account, lens);
  if (requiredWad === undefined) return undefined;
  const marginWad = mulPipsToZero(requiredWad, rules.imPips);
  const debtWad = debtOf(worth);
  const mostWad = debtWad > marginWad ? debtWad : marginWad;
  const { liquidationPips, fundFeePips, dustRaw } = collateralRules;
  const partWad = mostWad > dustRaw * settlement.unitWad ? mulPipsToZero(mostWad, liquidationPips) : mostWad;
  return mulDivToZero(partWad, PIPS, PIPS - fundFeePips);
}

/** AccountBalance.getTotalDebtValue: base owed at the mark price, and quote owed in all markets together. */
function totalDebtWad(account: Account, lens: Lens): bigint | undefined {
  let [quoteWad, baseWad] = [0n, 0n];
  for (const { market, sizeWad, openNotionalWad } of account.places.values()) {
    quoteWad += openNotionalWad;
    if (sizeWad >= 0n) continue;
    const now = lens.market(market);
    if (typeof now === 'string') return undefined;
    baseWad += mulDivToZero(-sizeWad, now.markWad, WAD);
  }
  return baseWad + (quoteWad < 0n ? -quoteWad : 0n);
}

/** Of what may be repaid, as much as stays allowed while prices move a little. */
export function askedRaw(maxRepaidRaw: bigint): bigint {
  return (maxRepaidRaw * 99n) / 100n;
}

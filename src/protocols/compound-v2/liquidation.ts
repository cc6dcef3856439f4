/** What one liquidation takes, and what is left of it once the seized market tokens are redeemed. Pure: figures in, amounts out. */
import { min, mulDivDown, WAD } from '../../lib/math.ts';
import type { Regime } from '../types.ts';
import type { Figures } from './lens.ts';
import { exchangeRateWad, wadMulDown } from './math.ts';
import type { Words } from './state.ts';

/** A pair at the moment of the call, both of its markets accrued. */
export type Liquidable = {
  readonly owedRaw: bigint;
  /** Undefined: all of it may be repaid. */
  readonly closeFactorWad: bigint | undefined;
  /** Market tokens seized for a unit repaid (math.ts). */
  readonly ratioWad: bigint;
  readonly incentiveWad: bigint;
  /** Market tokens that the borrower has. */
  readonly tokens: bigint;
  readonly collateral: Figures;
  /** What the collateral's market holds of the underlying token, and how much of that it can pay out. */
  readonly cash: bigint;
  readonly payableRaw: bigint;
  /** The debt is of the same market: what is repaid can be paid out. */
  readonly same: boolean;
  /** Of what is seized, what becomes the market's reserves. */
  readonly seizeShareWad: bigint;
  /** Of the bonus, what the gate keeps and redeems for itself, before we redeem; undefined without a gate. */
  readonly treasuryWad: bigint | undefined;
  readonly redeemFeeWad: bigint;
  /** Market tokens that are not redeemed. */
  readonly spared: bigint;
  /** Market tokens that a call before this one brought, in the same transaction: all are redeemed together. */
  readonly heldTokens: bigint;
  /** Whether the contracts still find the borrower short while so much is being repaid. */
  stillShort(repaidRaw: bigint): boolean;
};

export type Taking = {
  /** Market tokens that the borrower loses. */
  readonly seized: bigint;
  /** Underlying units that the market pays out for it, the gate's part and all fees included. */
  readonly paidOutRaw: bigint;
  /** Underlying units that we redeem, and are left with once the fee is taken off. */
  readonly redeemedRaw: bigint;
  readonly receivedRaw: bigint;
};

/** The collateral's market once a call has seized of it, before anything of ours is redeemed. */
type Seizure = {
  readonly seized: bigint;
  /** Market tokens that are left to us. */
  readonly ours: bigint;
  /** Underlying units that the gate redeemed for itself. */
  readonly keptRaw: bigint;
  readonly words: Words;
  readonly cash: bigint;
};

export function takingOf(pair: Liquidable, repaidRaw: bigint): Taking {
  const { seized, ours, keptRaw, words, cash } = seizureOf(pair, repaidRaw);
  // CToken.redeemFresh.
  const held = pair.heldTokens + ours;
  // An amount that is worth less than one market token cannot be redeemed.
  const redeemedRaw = held <= 2n * pair.spared ? 0n : wadMulDown(exchangeRateWad(words, cash, 0n), held - pair.spared);
  return { seized, paidOutRaw: keptRaw + redeemedRaw, redeemedRaw, receivedRaw: redeemedRaw - wadMulDown(redeemedRaw, pair.redeemFeeWad) };
}

function seizureOf(pair: Liquidable, repaidRaw: bigint): Seizure {
  const seized = wadMulDown(pair.ratioWad, repaidRaw);
  // CToken.seizeInternal: protocolSeizeShareMantissa.
  const reserved = wadMulDown(seized, pair.seizeShareWad);
  const words = { ...pair.collateral };
  words.totalReserves += wadMulDown(pair.collateral.rateWad, reserved);
  words.totalSupply -= reserved;
  const got = seized - reserved;
  const kept = keptOf(pair, got);
  const keptRaw = wadMulDown(exchangeRateWad(words, pair.cash, 0n), kept);
  words.totalSupply -= kept;
  return { seized, ours: got - kept, keptRaw, words, cash: pair.cash - keptRaw };
}

/**
 * The pair as a call leaves it for another one, in the same block. NOTE: where debt and collateral are of one market, what was repaid counts as owed to it still, not
 * as its cash: its exchange rate is the same.
 *
 * @param ratioAt what is seized for a unit repaid, at an exchange rate of the collateral
 */
export function nextOf(
  pair: Liquidable,
  repaidRaw: bigint,
  ratioAt: (rateWad: bigint) => bigint | undefined,
  stillShort: Liquidable['stillShort'],
): Liquidable {
  const { seized, ours, keptRaw, words, cash } = seizureOf(pair, repaidRaw);
  const rateWad = exchangeRateWad(words, cash, 0n);
  return {
    ...pair,
    ...{ owedRaw: pair.owedRaw - repaidRaw, tokens: pair.tokens - seized, heldTokens: pair.heldTokens + ours },
    ...{ collateral: { ...words, rateWad }, cash, payableRaw: pair.payableRaw + (pair.same ? repaidRaw : 0n) - keptRaw },
    ...{ ratioWad: ratioAt(rateWad) ?? 0n, stillShort },
  };
}

/** The pair in a later block, once what earlier calls brought is redeemed. */
export function redeemed(pair: Liquidable): Liquidable {
  const { redeemedRaw } = takingOf(pair, 0n);
  const collateral = { ...pair.collateral, totalSupply: pair.collateral.totalSupply - pair.heldTokens };
  return { ...pair, collateral, cash: pair.cash - redeemedRaw, payableRaw: pair.payableRaw - redeemedRaw, heldTokens: 0n };
}

/** Liquidator._splitLiquidationIncentive. */
function keptOf({ incentiveWad, treasuryWad }: Liquidable, got: bigint): bigint {
  if (treasuryWad === undefined) return 0n;
  return wadMulDown(mulDivDown(got, incentiveWad - WAD, incentiveWad), treasuryWad);
}

/**
 * The amounts of debt that may be repaid, and bring something. What is taken never falls as the amount rises.
 *
 * @param early the same pair at the mirrored block: a little less is owed there, and a little more seized
 */
export function regimeOf(pair: Liquidable, early: Liquidable): Regime | undefined {
  const maxRaw = mostOf(pair, early);
  const minRaw = lastOf(0n, maxRaw, (repaidRaw) => takingOf(pair, repaidRaw).receivedRaw === 0n) + 1n;
  return minRaw > maxRaw ? undefined : { minRaw, maxRaw };
}

/** Most that may be repaid. */
export function mostOf(pair: Liquidable, early: Liquidable): bigint {
  const most = (one: Liquidable) => lastOf(0n, allowedRaw(one), (repaidRaw) => fits(one, repaidRaw));
  return min(most(pair), most(early));
}

/** Comptroller.liquidateBorrowAllowed. */
export function allowedRaw({ closeFactorWad, owedRaw }: Liquidable): bigint {
  return closeFactorWad === undefined ? owedRaw : wadMulDown(closeFactorWad, owedRaw);
}

function fits(pair: Liquidable, repaidRaw: bigint): boolean {
  const { seized, paidOutRaw } = takingOf(pair, repaidRaw);
  return pair.stillShort(repaidRaw) && seized <= pair.tokens && paidOutRaw <= pair.payableRaw + (pair.same ? repaidRaw : 0n);
}

/** The last of the amounts for which it holds: it does for the first, and not again once it does not. */
export function lastOf(first: bigint, last: bigint, holds: (amount: bigint) => boolean): bigint {
  if (holds(last)) return last;
  let [yes, no] = [first, last];
  while (no - yes > 1n) {
    const middle = (yes + no) / 2n;
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

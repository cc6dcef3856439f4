/** What one liquidation takes, and what is left of it once the seized market tokens are redeemed. Pure: figures in, amounts out. */
import { min, mulDivDown, WAD } from '../../lib/math.ts';
import type { Regime } from '../types.ts';
import type { Figures } from './lens.ts';
import { exchangeRateWad, wadMulDown } from './math.ts';

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

export function takingOf(pair: Liquidable, repaidRaw: bigint): Taking {
  const seized = wadMulDown(pair.ratioWad, repaidRaw);
  // CToken.seizeInternal: protocolSeizeShareMantissa.
  const reserved = wadMulDown(seized, pair.seizeShareWad);
  const state = { ...pair.collateral };
  state.totalReserves += wadMulDown(pair.collateral.rateWad, reserved);
  state.totalSupply -= reserved;
  let cash = pair.cash;
  const rateNow = () => exchangeRateWad(state, cash, 0n);
  const got = seized - reserved;
  const kept = keptOf(pair, got);
  const keptRaw = wadMulDown(rateNow(), kept);
  state.totalSupply -= kept;
  cash -= keptRaw;
  // CToken.redeemFresh.
  const ours = got - kept;
  // An amount that is worth less than one market token cannot be redeemed.
  const redeemedRaw = ours <= 2n * pair.spared ? 0n : wadMulDown(rateNow(), ours - pair.spared);
  return { seized, paidOutRaw: keptRaw + redeemedRaw, redeemedRaw, receivedRaw: redeemedRaw - wadMulDown(redeemedRaw, pair.redeemFeeWad) };
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
  const most = (one: Liquidable) => lastOf(0n, allowedRaw(one), (repaidRaw) => fits(one, repaidRaw));
  const maxRaw = min(most(pair), most(early));
  const minRaw = lastOf(0n, maxRaw, (repaidRaw) => takingOf(pair, repaidRaw).receivedRaw === 0n) + 1n;
  return minRaw > maxRaw ? undefined : { minRaw, maxRaw };
}

/** Comptroller.liquidateBorrowAllowed. */
function allowedRaw({ closeFactorWad, owedRaw }: Liquidable): bigint {
  return closeFactorWad === undefined ? owedRaw : wadMulDown(closeFactorWad, owedRaw);
}

function fits(pair: Liquidable, repaidRaw: bigint): boolean {
  const { seized, paidOutRaw } = takingOf(pair, repaidRaw);
  return pair.stillShort(repaidRaw) && seized <= pair.tokens && paidOutRaw <= pair.payableRaw + (pair.same ? repaidRaw : 0n);
}

/** The last of the amounts for which it holds: it does for the first, and not again once it does not. */
function lastOf(first: bigint, last: bigint, holds: (amount: bigint) => boolean): bigint {
  if (holds(last)) return last;
  let [yes, no] = [first, last];
  while (no - yes > 1n) {
    const middle = (yes + no) / 2n;
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

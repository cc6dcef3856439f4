import { BPS } from '../lib/math.ts';
import type { Step } from '../lib/steps.ts';
import type { Address } from '../lib/types.ts';
import type { Depth, Exchange, FlashSource, NoFill } from '../liquidity/types.ts';
import type { Option } from '../protocols/types.ts';
import type { Exit, Leg, Way } from './exits.ts';
import type { Chances } from './slices.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';

/** One option at one amount, financed by one lender, or by the protocol itself. */
export type Evaluation = {
  readonly option: Option;
  readonly amountRaw: bigint;
  readonly repayRaw: bigint;
  readonly seizedRaw: bigint;
  /** What has to be there of the debt asset once it is liquidated: loan and fee, or what the protocol's callback asks for. */
  readonly owedRaw: bigint;
  readonly loan: Loan | undefined;
  readonly way: Way;
  /** Where it is exchanged. */
  readonly venue: Exchange;
  readonly exit: Exit;
  readonly grossWei: bigint;
  readonly gasUnits: bigint;
  /** What a rollup charges beside it included. */
  readonly gasWei: bigint;
  /** gross - gas: what is maximised. */
  readonly valueWei: bigint;
  /** What a raw unit less of the amount would have made less, about, where all that is moved goes with the amount; undefined where that is not known. */
  readonly slopeWei: number | undefined;
  /** Set where more could be made now, and is left for later blocks. */
  readonly left?: Left;
};

/** `restRaw`: what can be repaid next. `profitWei`: expected of it. `chances`: those that it rests on. */
export type Left = { readonly restRaw: bigint; readonly profitWei: bigint; readonly chances: Chances };

export type Loan = { readonly flash: FlashSource; readonly lender: Address; readonly feeRaw: bigint; readonly gasUnits: bigint };

export type NoEvaluation = NoFill | { readonly ok: false; readonly reason: 'no-flash-loan' };

/**
 * What an option is worth at an amount, all costs but the bid taken off.
 *
 * @param flash where the loan comes from; undefined where the protocol's own callback finances the option
 * @param way how what is seized becomes what is owed
 */
export function evaluate(
  option: Option,
  amountRaw: bigint,
  flash: FlashSource | undefined,
  way: Way,
  venue: Exchange,
  depth: Depth,
  terms: Terms,
): { readonly ok: true; readonly evaluation: Evaluation } | NoEvaluation {
  const { repayRaw, seizedRaw } = movesOf(option, amountRaw);
  const { financing } = option;
  const loan = financing.kind === 'loan' ? loanOf(flash, option.debtAsset, repayRaw) : undefined;
  if (financing.kind === 'loan' && loan === undefined) return { ok: false, reason: 'no-flash-loan' };
  const owedRaw = financing.kind === 'callback' ? financing.owedRaw(amountRaw) : repayRaw + (loan?.feeRaw ?? 0n);
  const exit = way.quote(venue, {
    debtAsset: option.debtAsset,
    collateralAsset: option.collateralAsset,
    numeraire: countedIn(option, terms),
    seizedRaw,
    owedRaw,
    depth: option.prepared?.(depth) ?? depth,
    avoid: loan === undefined ? [] : [loan.lender],
  });
  if (!exit.ok) return exit;
  const gasUnits =
    TRANSACTION_GAS + GROUP_GAS + option.gasUnits + (loan?.gasUnits ?? 0n) + exit.fills.reduce((sum, fill) => sum + fill.gasUnits, 0n);
  const grossWei = worthWei(exit.grossRaw, option, terms) - (option.feeWei ?? 0n);
  const gasWei = financing.kind === 'margin' ? unbidGasWeiOf(gasUnits, terms) : gasWeiOf(gasUnits, terms);
  return {
    ok: true,
    evaluation: {
      option,
      amountRaw,
      repayRaw,
      seizedRaw,
      owedRaw,
      loan,
      way,
      venue,
      exit,
      grossWei,
      gasUnits,
      gasWei,
      valueWei: grossWei - gasWei,
      slopeWei: repayRaw === 0n ? undefined : exit.slope?.(Number(seizedRaw) / Number(amountRaw), Number(owedRaw) / Number(amountRaw)),
    },
  };
}

/** What is likely to be paid for gas estimated at so much, with what a rollup charges beside it. */
export function gasWeiOf(gasUnits: bigint, { surcharge, gasPriceWei, gasUsedBps = BPS }: Terms): bigint {
  return ((gasUnits * gasUsedBps + BPS - 1n) / BPS + surcharge.gasUnits) * gasPriceWei + surcharge.feeWei;
}

/** The same where nothing is bid: on margin. */
export function unbidGasWeiOf(gasUnits: bigint, terms: Terms): bigint {
  return gasWeiOf(gasUnits, { ...terms, gasPriceWei: terms.unbidGasPriceWei ?? terms.gasPriceWei });
}

export type Moves = { readonly repayRaw: bigint; readonly seizedRaw: bigint };

/** What an option pays in and brings at an amount. */
export function movesOf(option: Option, amountRaw: bigint): Moves {
  const flows = option.flow(amountRaw);
  return { repayRaw: paidIn(flows, option.debtAsset), seizedRaw: sumOf(flows, option.collateralAsset, (delta) => delta > 0n) };
}

/** What profit comes out in. */
export function countedIn({ financing }: Option, terms: Terms): Address {
  return financing.kind === 'margin' ? financing.margin.credit : terms.numeraire;
}

/** Profit on margin is credit at the venue, of 18 decimals like the native token. */
function worthWei(grossRaw: bigint, { financing }: Option, { numeraireUsd8 }: Terms): bigint {
  return financing.kind === 'margin' ? (grossRaw * financing.margin.creditUsd8) / numeraireUsd8 : grossRaw;
}

/** The Executor's steps for an evaluation: borrow where that is needed, liquidate, exchange, repay; then sell what is left. */
export function stepsOf(evaluation: Evaluation, venue: Exchange, executor: Address): readonly Step[] {
  const { option, amountRaw, repayRaw, loan, exit } = evaluation;
  const stepsOfLeg = ({ fill, input }: Leg) => venue.steps(fill, input);
  const { financing } = option;
  if (financing.kind === 'margin') {
    const { executor: own, unitWad, release } = financing.margin;
    return [...option.steps(amountRaw, exit.inner.flatMap(stepsOfLeg), own), ...release(exit.grossRaw / unitWad)];
  }
  const inner = option.steps(amountRaw, exit.inner.flatMap(stepsOfLeg), executor);
  const borrowed = (by: Loan) =>
    by.flash.steps({ token: option.debtAsset, amountRaw: repayRaw, feeRaw: by.feeRaw, lender: by.lender }, inner, executor);
  return [...(loan === undefined ? inner : borrowed(loan)), ...(exit.outer === undefined ? [] : stepsOfLeg(exit.outer))];
}

function loanOf(flash: FlashSource | undefined, token: Address, amountRaw: bigint): Loan | undefined {
  const offer = flash?.feeRaw(token, amountRaw, []);
  return flash === undefined || offer === undefined ? undefined : { flash, ...offer };
}

/** What an option pays in at an amount. */
export function repaidRaw(option: Option, amountRaw: bigint): bigint {
  return paidIn(option.flow(amountRaw), option.debtAsset);
}

function paidIn(flows: ReturnType<Option['flow']>, asset: Address): bigint {
  return -sumOf(flows, asset, (delta) => delta < 0n);
}

function sumOf(flows: ReturnType<Option['flow']>, asset: Address, wanted: (deltaRaw: bigint) => boolean): bigint {
  let sum = 0n;
  for (const flow of flows) if (flow.asset === asset && wanted(flow.deltaRaw)) sum += flow.deltaRaw;
  return sum;
}

import type { Step } from '../lib/steps.ts';
import type { Address } from '../lib/types.ts';
import type { Depth, FlashSource, NoFill, Venue } from '../liquidity/types.ts';
import type { Option } from '../protocols/types.ts';
import { bestExit, type Exit, type Leg } from './exits.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';

/** One option at one amount, financed by one lender. */
export type Evaluation = {
  readonly option: Option;
  readonly amountRaw: bigint;
  readonly repayRaw: bigint;
  readonly seizedRaw: bigint;
  readonly flash: FlashSource;
  readonly lender: Address;
  readonly flashFeeRaw: bigint;
  readonly exit: Exit;
  readonly grossWei: bigint;
  readonly gasUnits: bigint;
  readonly gasWei: bigint;
  /** gross - gas: what is maximised. */
  readonly valueWei: bigint;
};

export type NoEvaluation = { readonly ok: false; readonly reason: NoFill['reason'] | 'no-flash-loan' };

/** What an option is worth at an amount, all costs but the bid taken off. */
export function evaluate(
  option: Option,
  amountRaw: bigint,
  flash: FlashSource,
  venue: Venue,
  depth: Depth,
  terms: Terms,
): { readonly ok: true; readonly evaluation: Evaluation } | NoEvaluation {
  const flows = option.flow(amountRaw);
  const repayRaw = -sumOf(flows, option.debtAsset, (delta) => delta < 0n);
  const seizedRaw = sumOf(flows, option.collateralAsset, (delta) => delta > 0n);
  const loan = flash.feeRaw(option.debtAsset, repayRaw, []);
  if (loan === undefined) return { ok: false, reason: 'no-flash-loan' };
  const exit = bestExit(venue, {
    debtAsset: option.debtAsset,
    collateralAsset: option.collateralAsset,
    numeraire: terms.numeraire,
    seizedRaw,
    owedRaw: repayRaw + loan.feeRaw,
    depth,
    avoid: [loan.lender],
  });
  if (!exit.ok) return exit;
  const gasUnits =
    TRANSACTION_GAS + GROUP_GAS + option.gasUnits + loan.gasUnits + exit.fills.reduce((sum, fill) => sum + fill.gasUnits, 0n);
  const gasWei = gasUnits * terms.gasPriceWei;
  return {
    ok: true,
    evaluation: {
      option,
      amountRaw,
      repayRaw,
      seizedRaw,
      flash,
      lender: loan.lender,
      flashFeeRaw: loan.feeRaw,
      exit,
      grossWei: exit.grossRaw,
      gasUnits,
      gasWei,
      valueWei: exit.grossRaw - gasWei,
    },
  };
}

/** The Executor's steps for an evaluation: borrow, liquidate, exchange, repay; then sell what is left. */
export function stepsOf(evaluation: Evaluation, venue: Venue, executor: Address): readonly Step[] {
  const { option, amountRaw, repayRaw, flashFeeRaw, lender, flash, exit } = evaluation;
  const stepsOfLeg = (leg: Leg | undefined) => (leg === undefined ? [] : venue.steps(leg.fill, leg.input));
  const inner = [...option.steps(amountRaw), ...stepsOfLeg(exit.inner)];
  return [
    ...flash.steps({ token: option.debtAsset, amountRaw: repayRaw, feeRaw: flashFeeRaw, lender }, inner, executor),
    ...stepsOfLeg(exit.outer),
  ];
}

function sumOf(flows: ReturnType<Option['flow']>, asset: Address, wanted: (deltaRaw: bigint) => boolean): bigint {
  let sum = 0n;
  for (const flow of flows) if (flow.asset === asset && wanted(flow.deltaRaw)) sum += flow.deltaRaw;
  return sum;
}

import { BPS } from '../lib/math.ts';
import { usd8ToWeiUp } from '../lib/usd.ts';
import { RoutedFill } from '../liquidity/depth.ts';
import { type MoveOf, Replay } from '../liquidity/replay.ts';
import type { Evaluation } from './evaluate.ts';
import type { Terms } from './terms.ts';

/** A plan as it would be carried out at pools that have moved: what its risk is told from. */
export type Outlook = {
  /** What it would make, in wei before gas and bid; undefined where it would revert, or its exchanges are none of pools. */
  grossWei(moveOf: MoveOf): bigint | undefined;
  /** False where what it exchanges at is no pool whose price could be moved. */
  readonly replayable: boolean;
  readonly minProfitWei: bigint;
  readonly numeraireUsd8: bigint;
  /** The block that is to include it. */
  readonly block: number;
  readonly timestamp: number;
};

export function outlookOf(evaluation: Evaluation, terms: Terms, at: { readonly number: number; readonly timestamp: number }): Outlook {
  const { option, exit } = evaluation;
  return {
    replayable: option.financing.kind !== 'margin' && exit.fills.every((fill) => fill instanceof RoutedFill),
    grossWei: (moveOf) => grossAt(evaluation, terms, moveOf),
    minProfitWei: usd8ToWeiUp(terms.minProfitUsd8, terms.numeraireUsd8),
    numeraireUsd8: terms.numeraireUsd8,
    block: at.number,
    timestamp: at.timestamp,
  };
}

/** The steps of `stepsOf`, one after another: what is seized is exchanged, what is owed is paid, the rest is sold. */
function grossAt({ option, owedRaw, seizedRaw, exit }: Evaluation, { numeraire }: Terms, moveOf: MoveOf): bigint | undefined {
  const replay = new Replay(moveOf, numeraire);
  replay.add(option.collateralAsset, seizedRaw);
  for (const { fill, input } of exit.inner) if (!replay.carryOut(fill, input)) return undefined;
  if (replay.heldRaw(option.debtAsset) < owedRaw) return undefined;
  replay.add(option.debtAsset, -owedRaw);
  if (exit.outer !== undefined && !replay.carryOut(exit.outer.fill, exit.outer.input)) return undefined;
  return replay.heldRaw(numeraire) - (option.feeWei ?? 0n);
}

/** What a plan of these figures keeps of another gross profit: the bid stays the same share of what is left after gas. */
export function keptOf(grossWei: bigint, plan: { readonly grossWei: bigint; readonly gasWei: bigint; readonly bidWei: bigint }): bigint {
  const [surplusWei, planned] = [grossWei - plan.gasWei, plan.grossWei - plan.gasWei];
  if (surplusWei <= 0n || planned <= 0n) return surplusWei;
  const shareBps = (plan.bidWei * BPS + planned - 1n) / planned;
  return surplusWei - (surplusWei * shareBps) / BPS;
}

/** Whether a part of a position is better left for later blocks: the planner's side of slices.ts. Pure. */
import { BPS, divUp } from '../lib/math.ts';
import type { Address } from '../lib/types.ts';
import { usd8ToWeiUp, usdText, weiToUsd8Floor } from '../lib/usd.ts';
import { RoutedFill } from '../liquidity/depth.ts';
import { spotOf } from '../liquidity/outline.ts';
import type { Hop } from '../liquidity/pool.ts';
import type { MoveOf } from '../liquidity/replay.ts';
import type { Depth } from '../liquidity/types.ts';
import { elsewhereOf } from './elsewhere.ts';
import { type Evaluation, evaluate, type Left, repaidRaw } from './evaluate.ts';
import type { Opening } from './prospect.ts';
import { bestSlice, type Chances, type Sliced, totalWei } from './slices.ts';
import type { Terms } from './terms.ts';

/** What rivals and pools have been seen to do. Chances are 0 without evidence. */
export type Patience = {
  /** That a liquidation that makes so much is left alone for a block. */
  stays(surplusUsd: number): number;
  /** The share of a trade's impact that others undo within a block. */
  recovers(pool: Address, zeroForOne: boolean): number;
  /** What they still have to undo. */
  readonly moveOf: MoveOf;
};

/** Of less nothing is hoped for. */
const LEAST_CHANCE = 0.1;
/** A pool whose price is moved by less need not recover. */
const LEAST_MOVE = 0.002;
const USD8 = 1e8;

/** `now` is undefined where all of it is. */
export type Slice = { readonly now: Evaluation | undefined; readonly left: Left };

/** A part of the best liquidation, where leaving the rest is expected to make more. Undefined where all that pays is best taken at once. */
export function sliceOf(best: Evaluation, openings: readonly Opening[], depth: Depth, terms: Terms): Slice | undefined {
  const { patience } = terms;
  const chances = patience && chancesOf(best, patience, terms);
  if (chances === undefined) return undefined;
  const { option, loan, way, venue } = best;
  const leastWei = leastWeiOf(best, terms);
  if (best.valueWei < leastWei) return undefined;
  const pools = best.exit.fills.flatMap((fill) => fill.pools);
  const recovered = depth.moved?.(pools, patience!.moveOf);
  if (recovered === undefined) return undefined;
  let chosen: Sliced<Evaluation> | undefined;
  for (const opening of openings) {
    const { rest, prepared } = opening.option;
    const same = opening.option.debtAsset === option.debtAsset && opening.option.collateralAsset === option.collateralAsset;
    if (!same || rest === undefined || prepared !== undefined) continue;
    const at = (pooled: Depth) => (amountRaw: bigint) => {
      const result = evaluate(opening.option, amountRaw, loan?.flash, way, venue, pooled, terms);
      return result.ok ? result.evaluation : undefined;
    };
    const sliced = bestSlice(best, {
      ...{ ...chances, regimes: opening.regimes, rest, now: at(depth), gasWei: best.gasWei, leastWei },
      grossWei: (amountRaw) => at(recovered)(amountRaw)?.grossWei,
      elsewhere: elsewhereOf(opening.option, best, recovered, leastWei, terms),
    });
    if (chosen === undefined || totalWei(sliced) > totalWei(chosen)) chosen = sliced;
  }
  if (chosen === undefined || chosen.now === best || chosen.laterWei <= 0) return undefined;
  const left = { restRaw: repaidRaw(option, chosen.restRaw), profitWei: BigInt(Math.round(chosen.laterWei)), chances };
  return { now: chosen.now && { ...chosen.now, left }, left };
}

/** Undefined where nothing is to be hoped for: all that moves has to recover. */
function chancesOf(best: Evaluation, patience: Patience, terms: Terms): Chances | undefined {
  const { option, exit, valueWei } = best;
  if (option.financing.kind === 'margin' || !exit.fills.every((fill) => fill instanceof RoutedFill)) return undefined;
  const stays = patience.stays(Number(weiToUsd8Floor(valueWei, terms.numeraireUsd8)) / USD8);
  if (stays < LEAST_CHANCE) return undefined;
  const hops = exit.fills.flatMap((fill) => RoutedFill.hopsOf(fill)).filter((hop) => moves(hop, patience.moveOf));
  if (hops.length === 0) return undefined;
  const recovers = Math.min(...hops.map(({ before, zeroForOne }) => patience.recovers(before.identity.address, zeroForOne)));
  return recovers < LEAST_CHANCE ? undefined : { stays, recovers };
}

function moves({ before, after, zeroForOne }: Hop, moveOf: MoveOf): boolean {
  const moved = Math.log(spotOf(before.outline(zeroForOne)) / spotOf(after.outline(zeroForOne)));
  return moved > LEAST_MOVE || Math.abs(moveOf(before)) > LEAST_MOVE;
}

/** That has to be left before the bid. */
function leastWeiOf({ valueWei, gasUnits }: Evaluation, { bid, minProfitUsd8, numeraireUsd8 }: Terms): bigint {
  const share = BigInt(bid({ surplusWei: valueWei, leastSurplusWei: valueWei, gasUnits, candidates: [] }));
  const leastWei = usd8ToWeiUp(minProfitUsd8, numeraireUsd8);
  return share >= BPS ? valueWei : divUp(leastWei * BPS, BPS - share) + 1n;
}

/** For people and records. */
export function toldOfLeft({ restRaw, profitWei, chances }: Left, { numeraireUsd8 }: Terms): Readonly<Record<string, string>> {
  return {
    laterRepayRaw: String(restRaw),
    laterProfitUsd: usdText(weiToUsd8Floor(profitWei, numeraireUsd8)),
    staysBps: String(Math.round(chances.stays * Number(BPS))),
    recoversBps: String(Math.round(chances.recovers * Number(BPS))),
  };
}

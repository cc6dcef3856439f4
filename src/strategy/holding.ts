/** How likely a plan still holds when its block comes, in a closed form: for choosing among plans. What is stated of the chosen one is simulated (risk.ts). */
import type { Address } from '../lib/types.ts';
import { RoutedFill } from '../liquidity/depth.ts';
import { brittleAt } from '../liquidity/replay.ts';
import type { Moment } from '../oracles/types.ts';
import type { Evaluation } from './evaluate.ts';
import type { Terms } from './terms.ts';

/** The one of more expected profit: of two values, each times the chance that it still holds. */
export function likelier(a: Evaluation | undefined, b: Evaluation | undefined, terms: Terms, at: Moment): Evaluation | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (terms.moves === undefined) return b.valueWei > a.valueWei ? b : a;
  return Number(b.valueWei) * holdChance(b, terms, at) > Number(a.valueWei) * holdChance(a, terms, at) ? b : a;
}

/** Whether a move of a single pool against it makes it fail, however much it would make. */
export function isBrittle(evaluation: Evaluation, terms: Terms): boolean {
  return terms.moves !== undefined && brittlePools(evaluation, terms).length > 0;
}

/** That no brittle pool moves against it, and that the moves of all leave it a profit. */
export function holdChance(evaluation: Evaluation, terms: Terms, at: Moment): number {
  const { moves } = terms;
  if (moves === undefined) return 1;
  let chance = 1;
  for (const pool of new Set(brittlePools(evaluation, terms))) chance *= 1 - moves.busy(pool) / 2;
  const seconds = Math.max(1, at.timestamp - (moves.timestamp ?? at.timestamp));
  const deviationWei = numeraireMoved(evaluation, terms.numeraire) * deviationOf(evaluation, (pool) => moves.deviation(pool, seconds));
  return deviationWei === 0 ? chance : chance * normalBelow(Number(evaluation.valueWei) / deviationWei);
}

function brittlePools({ exit }: Evaluation, { numeraire }: Terms): readonly Address[] {
  const legs = exit.outer === undefined ? exit.inner : [...exit.inner, exit.outer];
  return legs.flatMap(({ fill, input }) => (fill instanceof RoutedFill ? brittleAt(fill, input, numeraire) : []));
}

/** The largest amount of the numeraire that an exchange of it takes or gives. */
function numeraireMoved({ exit }: Evaluation, numeraire: Address): number {
  const amounts = exit.fills.map((fill) =>
    fill.tokenIn === numeraire ? fill.amountInRaw : fill.tokenOut === numeraire ? fill.amountOutRaw : 0n,
  );
  return Number(amounts.reduce((most, amount) => (amount > most ? amount : most), 0n));
}

/** As if pools moved independently, each with all that is exchanged. */
function deviationOf({ exit }: Evaluation, deviation: (pool: Address) => number): number {
  return Math.sqrt(exit.fills.flatMap(({ pools }) => pools).reduce((sum, pool) => sum + deviation(pool) ** 2, 0));
}

/** Chance of a standard normal value below `x` (Abramowitz and Stegun 26.2.17, to 7.5e-8). */
function normalBelow(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x < 0 ? tail : 1 - tail;
}

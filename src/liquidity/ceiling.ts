/**
 * Several pools out of one token, or into one, with what is at their other ends counted in a common unit: a curve that no way of exchange over them beats. Floats,
 * for bounds only.
 */
import { MergedOutline, type Outline } from './outline.ts';

/** Deeper than any pool: beyond what has been looked at prices are taken to stay. */
const BOTTOMLESS = 1e60;

type Valued = { readonly outline: Outline; readonly unit: number };

/** What selling gives at most. `unit`: no more than this comes of a raw unit of what a pool gives. */
export function saleCeiling(pools: readonly Valued[]): MergedOutline {
  return new MergedOutline(
    pools.filter(({ unit }) => unit > 0).map(({ outline, unit }) => valued(outline, 1 / Math.sqrt(unit), Math.sqrt(unit))),
  );
}

/** What buying costs at least. `unit`: a raw unit of what a pool takes costs no less; infinite where it cannot be had. */
export function purchaseCeiling(pools: readonly Valued[]): MergedOutline {
  const had = pools.filter(({ unit }) => unit > 0 && Number.isFinite(unit));
  return new MergedOutline(had.map(({ outline, unit }) => valued(outline, Math.sqrt(unit), Math.sqrt(unit))));
}

/** In other units s and depth are other numbers: with in' = k·in at λ' = λ/k they are s·√k and D·√k, with out' = w·out at λ' = w·λ they are s/√w and D·√w. */
function valued({ from, depth, to, further }: Outline, ofS: number, ofDepth: number): Outline {
  const end = to * ofS;
  const [starts, depths] = [from.map((s) => s * ofS), depth.map((one) => one * ofDepth)];
  if (further === undefined) return { from: starts, depth: depths, to: end };
  return { from: [...starts, end], depth: [...depths, BOTTOMLESS], to: Number.POSITIVE_INFINITY };
}

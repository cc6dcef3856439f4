/**
 * Which pairs of an account are worth a look. Anybody may be in every market there is, with dust in most of them: fifty markets make 2,500 pairs, and what each of
 * them allows takes a search.
 */
import type { Pair } from './health.ts';

/** More pairs than these together are never looked at: as many of the largest, and the best of each debt and of each collateral, whatever the pools say. */
const MOST_PAIRS = 32;

/** @param gain what a pair can make at the oracle's prices, in any unit */
export function foremost(pairs: readonly Pair[], gain: (pair: Pair) => number): readonly Pair[] {
  if (pairs.length <= MOST_PAIRS) return pairs;
  const ranked = pairs.map((pair) => ({ pair, gain: gain(pair) })).sort((a, b) => b.gain - a.gain);
  const [debts, collaterals] = [new Set<Pair['debt']>(), new Set<Pair['collateral']>()];
  return ranked
    .filter(({ pair: { debt, collateral } }, place) => {
      const isFirst = !debts.has(debt) || !collaterals.has(collateral);
      debts.add(debt);
      collaterals.add(collateral);
      return place < MOST_PAIRS || isFirst;
    })
    .map(({ pair }) => pair);
}

/**
 * The bonus on the most that may be repaid: of the debt, and for the collateral that there is.
 *
 * @param closeFactor,incentive as parts of one
 */
export function gainAtOracle({ debt, collateral, forced }: Pair, closeFactor: number, incentive: number): number {
  const owed = Number(debt.accrued.owedUsd) * (forced ? 1 : closeFactor);
  const { tokens } = collateral.holding;
  const held = (Number(tokens) * Number(collateral.now.accrued.rateWad) * Number(collateral.price)) / WAD ** 2;
  return Math.min(owed, held / incentive) * (incentive - 1);
}

const WAD = 1e18;

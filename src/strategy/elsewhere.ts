/** What the other pairs of a position make in a later block, once a part of it was taken on one. Pure. */
import { max, min } from '../lib/math.ts';
import type { Depth } from '../liquidity/types.ts';
import type { Option } from '../protocols/types.ts';
import { countedIn, type Evaluation, evaluate } from './evaluate.ts';
import { waysOut } from './exits.ts';
import { bestAmount } from './size.ts';
import type { Elsewhere } from './slices.ts';
import type { Terms } from './terms.ts';

/**
 * Undefined where the position has no other pair.
 *
 * @param best of the option's pair
 * @param leastWei less is made by none
 */
export function elsewhereOf({ others }: Option, best: Evaluation, recovered: Depth, leastWei: bigint, terms: Terms): Elsewhere | undefined {
  const whole = others?.(0n) ?? [];
  if (others === undefined || whole.length === 0) return undefined;
  const { option } = best;
  const fresh = valuesAt(recovered, whole, best, terms);
  const sale = evaluate(option, best.amountRaw, best.loan?.flash, best.way, best.venue, recovered, terms);
  const spent = sale.ok ? valuesAt(sale.evaluation.exit.after, whole, best, terms) : fresh;
  return (takenRaw) => {
    const left = others(takenRaw);
    const most = (values: Values) => {
      const made = left.reduce((wei, other) => max(wei, values(other)), 0n);
      return made < leastWei ? 0 : Number(made);
    };
    return { recoveredWei: most(fresh), soldWei: most(spent) };
  };
}

type Values = (option: Option) => bigint;

/** NOTE: what a pair makes of an amount is the same whatever was taken on another: only which amounts there are is not. So the best one is searched for once. */
function valuesAt(depth: Depth, whole: readonly Option[], { loan, venue }: Evaluation, terms: Terms): Values {
  const value = (option: Option) => {
    const ways = waysOut({ ...option, numeraire: countedIn(option, terms) });
    return (amountRaw: bigint) => {
      let best: Evaluation | undefined;
      for (const way of ways) {
        const result = evaluate(option, amountRaw, loan?.flash, way, venue, depth, terms);
        if (result.ok && (best === undefined || result.evaluation.valueWei > best.valueWei)) best = result.evaluation;
      }
      return best;
    };
  };
  const tops = new Map(whole.map((option) => [option.label, bestAmount(option.regimes, value(option))?.amountRaw]));
  return (option) => {
    const topRaw = tops.get(option.label) ?? option.regimes.at(-1)!.maxRaw;
    return option.regimes.reduce(
      (wei, { minRaw, maxRaw }) => max(wei, value(option)(min(max(topRaw, minRaw), maxRaw))?.valueWei ?? 0n),
      0n,
    );
  };
}

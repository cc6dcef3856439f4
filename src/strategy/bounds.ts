import type { Depth, Exchange } from '../liquidity/types.ts';
import type { Option, Regime } from '../protocols/types.ts';
import { gasWeiOf, movesOf } from './evaluate.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';

/** More than any amount of an option can leave, since no pool gives more than its price before the exchange. */
export type Bound = { readonly grossWei: bigint; readonly gasWei: bigint; readonly gasUnits: bigint; readonly valueWei: bigint };

/** Floats, and units that protocols round away. */
const SLACK = 1 + 1e-6;

/** Undefined where no such bound is known: where there is no price, or profit comes out of a venue with rules of its own. */
export function boundOf(option: Option, regimes: readonly Regime[], venue: Exchange, depth: Depth, terms: Terms): Bound | undefined {
  const { debtAsset, collateralAsset, financing } = option;
  if (financing.kind === 'margin') return undefined;
  const price = (from: typeof debtAsset, to: typeof debtAsset) => (from === to ? 1 : venue.spot(from, to, depth));
  const forDebt = price(collateralAsset, debtAsset);
  const ofDebt = price(debtAsset, terms.numeraire);
  const ofCollateral = price(collateralAsset, terms.numeraire);
  if (!forDebt || !ofDebt || !ofCollateral) return undefined;
  let gross = 0;
  // What is moved is linear in the amount within a regime, and so most is left at one of its ends.
  for (const { minRaw, maxRaw } of regimes)
    for (const amountRaw of [minRaw, maxRaw]) {
      const { repayRaw, seizedRaw } = movesOf(option, amountRaw);
      const [seized, owed] = [Number(seizedRaw) * SLACK, Number(repayRaw)];
      gross = Math.max(gross, (seized * forDebt - owed) * ofDebt, (seized - owed / forDebt) * ofCollateral);
    }
  const gasUnits = TRANSACTION_GAS + GROUP_GAS + option.gasUnits;
  const grossWei = BigInt(Math.ceil(gross)) - (option.feeWei ?? 0n);
  const gasWei = gasWeiOf(gasUnits, terms);
  return { grossWei, gasWei, gasUnits, valueWei: grossWei - gasWei };
}

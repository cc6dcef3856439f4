import type { Moment, UsdPrices } from '../oracles/types.ts';
import type { Option, Regime } from '../protocols/types.ts';
import type { Ends } from './bounds.ts';
import { movesOf, repaidRaw } from './evaluate.ts';
import type { Terms } from './terms.ts';

/** Of what is owed at a venue the venue knows the worth. */
export function priceOfDebt({ financing, debtAsset }: Option, usd: UsdPrices, at: Moment): ReturnType<UsdPrices['usd8']> {
  return financing.kind === 'margin' ? { priceUsd8: financing.debtUsd8, decimals: 18 } : usd.usd8(debtAsset, at);
}

/** An option's amounts, and what is moved at the ends of each regime. */
type Within = { readonly regimes: readonly Regime[]; readonly ends: readonly Ends[] };

/** The option's regimes cut to the operator's largest position; partial liquidations stay possible below it. */
export function withinPositionLimit(
  option: Option,
  usdPrices: UsdPrices,
  terms: Terms,
  at: Moment,
): Within | 'no-usd-price' | 'position-too-large' {
  const price = priceOfDebt(option, usdPrices, at);
  if (price === undefined || price.priceUsd8 <= 0n) return 'no-usd-price';
  const maxRaw = (terms.maxPositionUsd8 * 10n ** BigInt(price.decimals)) / price.priceUsd8;
  const regimes: Regime[] = [];
  const ends: Ends[] = [];
  for (const regime of option.regimes) {
    const least = movesOf(option, regime.minRaw);
    if (least.repayRaw > maxRaw) continue;
    const most = movesOf(option, regime.maxRaw);
    const cut = most.repayRaw <= maxRaw ? regime : cutAt(regime, maxRaw, (amountRaw) => repaidRaw(option, amountRaw));
    regimes.push(cut);
    ends.push([least, cut === regime ? most : movesOf(option, cut.maxRaw)]);
  }
  return regimes.length > 0 ? { regimes, ends } : 'position-too-large';
}

/** The amounts of a regime that repay no more than this; what is repaid never falls as the amount rises. Its least amount does. */
function cutAt(regime: Regime, mostRaw: bigint, repaid: (amountRaw: bigint) => bigint): Regime {
  let fits = regime.minRaw;
  let exceeds = regime.maxRaw;
  while (exceeds - fits > 1n) {
    const middle = (fits + exceeds) / 2n;
    if (repaid(middle) <= mostRaw) fits = middle;
    else exceeds = middle;
  }
  return { minRaw: regime.minRaw, maxRaw: fits };
}

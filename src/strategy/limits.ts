import type { Moment, UsdPrices } from '../oracles/types.ts';
import type { Option, Regime } from '../protocols/types.ts';
import type { Ends } from './bounds.ts';
import { movesOf, repaidRaw } from './evaluate.ts';
import type { Terms } from './terms.ts';

/** Of what is owed at a venue the venue knows the worth. */
export function priceOfDebt({ financing, debtAsset }: Option, usd: UsdPrices, at: Moment): ReturnType<UsdPrices['usd8']> {
  return financing.kind === 'margin' ? { priceUsd8: financing.debtUsd8, decimals: 18 } : usd.usd8(debtAsset, at);
}

/** By how much a part may move other than its share, of that share and of all: for what protocols round. */
const UNEVEN = 1e-4;
const ROUNDED = 1e-6;

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

/** Whether twice the amount moves twice as much, over all regimes. */
export function goWithTheAmount(regimes: readonly Regime[], ends: readonly Ends[]): boolean {
  if (ends.length < regimes.length) return false;
  const mostRaw = regimes.at(-1)!.maxRaw;
  const [, { repayRaw, seizedRaw }] = ends.at(-1)!;
  const isEven = (amountRaw: bigint, moved: bigint, most: bigint) => {
    const share = Number(amountRaw) / Number(mostRaw);
    return Math.abs(Number(moved) - Number(most) * share) <= Number(most) * (UNEVEN * share + ROUNDED);
  };
  return regimes.every(({ minRaw, maxRaw }, place) => {
    const [least, largest] = ends[place]!;
    return (
      [minRaw, maxRaw].every((amountRaw, end) => isEven(amountRaw, [least, largest][end]!.repayRaw, repayRaw)) &&
      [minRaw, maxRaw].every((amountRaw, end) => isEven(amountRaw, [least, largest][end]!.seizedRaw, seizedRaw))
    );
  });
}

import type { Moment, UsdPrices } from '../oracles/types.ts';
import type { Option, Regime } from '../protocols/types.ts';
import type { Ends } from './bounds.ts';
import { type Moves, movesOf, repaidRaw } from './evaluate.ts';
import type { Terms } from './terms.ts';

/** Of what is owed at a venue the venue knows the worth. */
export function priceOfDebt({ financing, debtAsset }: Option, usd: UsdPrices, at: Moment): ReturnType<UsdPrices['usd8']> {
  return financing.kind === 'margin' ? { priceUsd8: financing.debtUsd8, decimals: 18 } : usd.usd8(debtAsset, at);
}

/** By how much a part may move other than its share, of that share and of all: for what protocols round. */
const UNEVEN = 1e-4;
const ROUNDED = 1e-6;

/** An option's amounts, and what is moved at the ends of each regime; of all of them together where that goes with the amount (`isEven`). */
type Within = { readonly regimes: readonly Regime[]; readonly ends: readonly Ends[]; readonly isEven: boolean };

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
  const [first, last] = [ends[0], ends.at(-1)];
  if (first === undefined || last === undefined) return 'position-too-large';
  const isEven = goWithTheAmount(regimes, ends);
  return { regimes, ends: isEven ? [[first[0], last[1]]] : ends, isEven };
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
function goWithTheAmount(regimes: readonly Regime[], ends: readonly Ends[]): boolean {
  const [most, moves] = [Number(regimes.at(-1)!.maxRaw), ends.at(-1)![1]];
  const [repaid, seized] = [Number(moves.repayRaw), Number(moves.seizedRaw)];
  const isEven = (amountRaw: bigint, { repayRaw, seizedRaw }: Moves) => {
    const share = Number(amountRaw) / most;
    const room = UNEVEN * share + ROUNDED;
    return Math.abs(Number(repayRaw) - repaid * share) <= repaid * room && Math.abs(Number(seizedRaw) - seized * share) <= seized * room;
  };
  return regimes.every(({ minRaw, maxRaw }, place) => isEven(minRaw, ends[place]![0]) && isEven(maxRaw, ends[place]![1]));
}

/** The prices that an account's positions rest on, as guards look at them: each market's index, in the venue's credit. */
import type { PriceUse } from '../types.ts';
import { indexPriceAt } from './index-price.ts';
import type { Account } from './state.ts';

/** The average of a market's own pool is not among them: no feed moves it. */
export function usedPrices({ places }: Account): readonly PriceUse[] {
  return [...places.values()].flatMap(({ market, sizeWad }) => {
    const { base, index } = market;
    if (index === undefined) return [];
    return [
      {
        ...({ asset: base, side: sizeWad < 0n ? 'debt' : 'collateral', decimals: 18 } as const),
        source: {
          ...({ kind: 'feed', address: index.cache, feeds: [index.feed] } as const),
          price: (at) => {
            const price = indexPriceAt(index, at, 0);
            return price === undefined
              ? { ok: false, reason: `the index of ${market.symbol} has no price` }
              : { ok: true, price, updatedAt: at.answer(index.feed)?.updatedAt ?? Number(index.lastValidAt) };
          },
        },
      },
    ];
  });
}

/** The prices that a position rests on, all in the currency of the comptroller's oracle. */
import type { Moment, PriceSource } from '../../oracles/types.ts';
import type { PriceUse } from '../types.ts';
import { believed, priceAt } from './oracle.ts';
import type { Account, Market } from './state.ts';

/** Prices are told in wad for a whole token. @param now the mirrored block */
export function usedPrices({ holdings }: Account, now: Moment): readonly PriceUse[] {
  return [...holdings.values()].flatMap(({ market, tokens, principal }): PriceUse[] => {
    const use = { asset: market.underlying, decimals: market.decimals, source: sourceOf(market, now) };
    return [
      ...(tokens > 0n ? [{ ...use, side: 'collateral' as const }] : []),
      ...(principal > 0n ? [{ ...use, side: 'debt' as const }] : []),
    ];
  });
}

function sourceOf(market: Market, now: Moment): PriceSource {
  const decoded = believed(market, now);
  return {
    kind: decoded?.source.kind ?? 'opaque',
    address: decoded?.source.address ?? market.address,
    feeds: decoded?.source.feeds ?? [],
    price: (at) => {
      const price = priceAt(market, at, now);
      return price.ok ? { ...price, price: (price.price * 10n ** BigInt(market.decimals)) / 10n ** 18n } : price;
    },
  };
}

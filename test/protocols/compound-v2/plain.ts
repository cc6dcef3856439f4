import { type CompoundState, inDebt } from '../../../src/protocols/compound-v2/state.ts';

/** State as plain values: of those who owe something, and without how prices come about. */
export function plain(state: CompoundState): unknown {
  const sorted = <T>(items: Iterable<T>, key: (item: T) => string) => [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  return {
    head: state.head.hash,
    rules: state.rules,
    forcedFor: sorted(state.forcedFor, (one) => one),
    markets: sorted(state.markets.values(), ({ address }) => address).map(({ decoded, ...market }) => market),
    accounts: sorted(state.accounts.filter(inDebt), ({ address }) => address).map(({ holdings, ...account }) => ({
      ...account,
      holdings: sorted(holdings.values(), ({ market }) => market.address).map(({ market, ...holding }) => ({
        market: market.symbol,
        ...holding,
      })),
    })),
  };
}

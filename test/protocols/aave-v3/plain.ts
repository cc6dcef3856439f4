import type { MarketState } from '../../../src/protocols/aave-v3/state.ts';

/** State as plain values. `flagged`: leaves out balances that are followed although they are no collateral (any more). */
export function plain(state: MarketState, flagged: boolean): unknown {
  const byId = <V>(entries: Iterable<[number, V]>) => [...entries].sort(([a], [b]) => a - b);
  return {
    head: state.head.hash,
    premium: state.flashPremiumBps,
    release: state.rules.release,
    categories: byId(state.categories).map(([, { source, ...category }]) => ({ ...category, kind: source?.kind })),
    reserves: byId(state.reserves).map(([, { source, ...reserve }]) => ({ ...reserve, kind: source.kind, reads: source.reads() })),
    accounts: state.accounts
      .all()
      .map(({ collateral, supplied, owed, fixed, ...account }) => ({
        ...account,
        collateral: [...collateral].sort((a, b) => a - b),
        supplied: byId(supplied).filter(([id]) => !flagged || collateral.has(id)),
        owed: byId(owed),
        fixed: byId(fixed),
      }))
      .sort((a, b) => (a.address < b.address ? -1 : 1)),
  };
}

import type { PositionView, Protocol, Slot, Verdict } from './types.ts';

/**
 * A market as those see it who decide for all markets. What it throws at them stays with it: a market that was never read has no positions, and
 * a position whose figures no arithmetic can take (a contract may answer anything) cannot be judged. What the mirror calls throws as ever: there
 * a failure counts.
 */
export function shielded(market: Protocol): Protocol {
  const shield: Partial<Protocol> = {
    slots: () => attempt(() => [...market.slots()], []),
    count: () => attempt(() => market.count(), 0),
    judge: (slot, at): Verdict => {
      try {
        return market.judge(slot, at);
      } catch (error) {
        return { kind: 'unknown', reason: error instanceof Error ? error.message : String(error) };
      }
    },
    options: (slot, at) => attempt(() => market.options(slot, at), []),
    tooOld: (slot, at) => attempt(() => market.tooOld?.(slot, at) ?? [], []),
    refusal: (slot, at) => attempt(() => market.refusal?.(slot, at), undefined),
    view: (slot, at) => attempt(() => market.view(slot, at), unseen(market, slot)),
    prices: (slot, at) => attempt(() => market.prices(slot, at), []),
    tokens: () => attempt(() => market.tokens(), []),
    symbolOf: (token) => attempt(() => market.symbolOf(token), undefined),
    feeds: () => attempt(() => market.feeds(), []),
  };
  return new Proxy(market, {
    get(target, name: keyof Protocol) {
      if (name in shield) return shield[name];
      const value: unknown = target[name];
      // Methods see the market itself: a proxy has none of its private fields.
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function attempt<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}

function unseen(market: Protocol, slot: Slot): PositionView {
  return { account: market.accountOf(slot), collateral: [], debt: [], collateralUsd8: 0n, debtUsd8: 0n };
}

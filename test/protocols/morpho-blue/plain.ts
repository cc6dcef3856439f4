import { contractsInUse } from '../../../src/protocols/morpho-blue/pre-state.ts';
import { type BlueState, hasDebt, NO_ADDRESS } from '../../../src/protocols/morpho-blue/state.ts';

/** State as plain values, without what depends on when it was found out, and positions that are empty. */
export function plain(state: BlueState): unknown {
  const sorted = <T>(items: Iterable<T>, key: (item: T) => string) => [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const asked = new Set([...[...state.markets.values()].filter(hasDebt), ...contractsInUse(state)].map(({ params }) => params.oracle));
  return {
    head: state.head.hash,
    markets: sorted(state.markets.values(), ({ id }) => id).map(({ settled, readRate, lastUpdate, ...market }) => ({
      ...market,
      ...(market.totalBorrowShares > 0n ? { readRate } : {}),
      // Without an IRM no log tells it.
      ...(market.params.irm === NO_ADDRESS ? {} : { lastUpdate }),
    })),
    positions: sorted(
      state.positions
        .filter(({ borrowShares, collateral }) => borrowShares > 0n || collateral > 0n)
        .map(({ market, account, borrowShares, collateral }) => ({ key: `${market.label} ${account}`, borrowShares, collateral })),
      ({ key }) => key,
    ),
    preLiquidations: sorted(
      [...state.preLiquidations.values()].flat().map(({ settled, ...contract }) => contract),
      ({ address }) => address,
    ),
    // An address that nobody authorises any more is as good as none.
    authorised: sorted(
      [...state.authorised].flatMap(([authorized, by]) => Array.from(by, (authorizer) => `${authorized} ${authorizer}`)),
      (line) => line,
    ),
    answers: sorted(
      [...state.oracles.values()].filter(({ address }) => asked.has(address)).map(({ address, answer }) => `${address} ${answer}`),
      (line) => line,
    ),
  };
}

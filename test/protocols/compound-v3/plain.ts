import type { CometState } from '../../../src/protocols/compound-v3/state.ts';

/** State as plain values, without the order in which accounts were met, and accounts that are empty. */
export function plain({ head, totals, baseBalanceRaw, held, accounts, feeds, config }: CometState): unknown {
  const known = accounts.filter(({ principal, collateralRaw }) => principal !== 0n || collateralRaw.some((amount) => amount > 0n));
  return {
    ...{ head: head.hash, config, totals, baseBalanceRaw, held: [...held] },
    accounts: known.map((account) => ({ ...account })).sort((one, other) => (one.address < other.address ? -1 : 1)),
    answers: [...feeds.values()].map(({ address, answer }) => `${address} ${answer}`),
  };
}

/** What windows have left, shared out among those that wait for it in one block. */
import type { Lens } from './lens.ts';
import { capacityAt, liquidatableAt, windowSize } from './liquidation.ts';
import { abs } from './math.ts';
import type { Account, PerpMarket } from './state.ts';

/**
 * The flagged accounts that can be liquidated in the block of a moment, all of them, in whatever order they are mined: those that fit whole into what is left, the
 * smallest first, since every call pays the same; where not even the smallest fits, that one alone.
 *
 * NOTE: what accounts take that are flagged in the same block is not counted, or one that nobody can flag would keep the others waiting for good. Whoever comes
 * after them then earns nothing, and reverts.
 */
export function servedIn(lens: Lens): ReadonlySet<Account> {
  const { accounts } = lens.state;
  const waiting = accounts.filter(({ flagged }) => flagged);
  const served = new Set<Account>();
  if (waiting.length === 0) return served;
  const timestamp = BigInt(lens.at.timestamp);
  const left = new Map<PerpMarket, bigint>();
  const touched = new Set<PerpMarket>();
  const take = ({ positions }: Account) => {
    for (const { market, size } of positions.values()) {
      left.set(market, (left.get(market) ?? capacityAt(market, timestamp)) - abs(size));
      touched.add(market);
    }
  };
  for (const account of waiting.sort((a, b) => (sizeOf(a) < sizeOf(b) ? -1 : 1))) {
    const places = [...account.positions.values()];
    const fits = places.every(
      ({ market, size }) => windowSize(market.rules) === 0n || (left.get(market) ?? capacityAt(market, timestamp)) >= abs(size),
    );
    const alone = places.every(({ market }) => !touched.has(market));
    if (!fits && !(alone && places.some(({ market, size }) => liquidatableAt(market, size, timestamp) > 0n))) continue;
    served.add(account);
    take(account);
  }
  return served;
}

function sizeOf({ positions }: Account): bigint {
  let sum = 0n;
  for (const { size } of positions.values()) sum += abs(size);
  return sum;
}

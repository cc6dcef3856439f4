import type { Address } from '../lib/types.ts';
import { spotOf } from '../liquidity/outline.ts';
import type { Pool } from '../liquidity/pool.ts';
import type { UsdPrices } from '../oracles/types.ts';

/** Of a whole token. */
type Worth = ReturnType<UsdPrices['usd8']>;

/** Of an oracle's price, beyond a pool's fee: less says nothing of those who trade it back. */
const LEAST_GAP = 0.005;
/** What is believed without evidence: so many gaps stayed. */
const PRIOR_STAYED = 2;
/** Of the gaps in mind, what is kept when another one comes. */
const DECAY = 0.97;
const PIPS = 1_000_000;

/** `below`: gaps of a price of token0 under the oracle's. */
type Side = 'below' | 'above';
type Tally = { gaps: number; closed: number };
type Seen = {
  readonly tallies: Readonly<Record<Side, Tally>>;
  pool: Pool;
  /** Of the price of token0 in token1, fee aside. */
  logPrice: number;
  /** The oracle's, at the same time; not a number where there is none. */
  logOracle: number;
};

/** How fast pools come back to the oracle's price: of each gap at the end of a block, the share that others have closed by the end of the next one. */
export class Recovery {
  readonly #pools = new Map<Address, Seen>();

  /** Takes in the pools at the end of a block; a pool that no log has touched must be the same object as before. */
  observe(pools: Iterable<Pool>, worthOf: (token: Address) => Worth): void {
    const known = new Map<Address, number>();
    const logWorth = (token: Address) => {
      const before = known.get(token);
      if (before !== undefined) return before;
      const worth = worthOf(token);
      const value =
        worth === undefined || worth.priceUsd8 <= 0n ? Number.NaN : Math.log(Number(worth.priceUsd8)) - worth.decimals * Math.LN10;
      known.set(token, value);
      return value;
    };
    for (const pool of pools) {
      const { address, token0, token1, feePips } = pool.identity;
      const logOracle = logWorth(token0) - logWorth(token1);
      const seen = this.#pools.get(address);
      if (seen === undefined) {
        const tallies = { below: { gaps: 0, closed: 0 }, above: { gaps: 0, closed: 0 } };
        this.#pools.set(address, { tallies, pool, logPrice: logPriceOf(pool), logOracle });
        continue;
      }
      const logPrice = pool === seen.pool ? seen.logPrice : logPriceOf(pool);
      const gap = seen.logPrice - seen.logOracle;
      const beyond = Math.abs(gap) - feePips / PIPS;
      // By the prices of then: an oracle that follows the pool has not moved it.
      const closed = (Math.abs(gap) - Math.abs(logPrice - seen.logOracle)) / beyond;
      if (beyond > LEAST_GAP && Number.isFinite(closed)) {
        const tally = seen.tallies[gap < 0 ? 'below' : 'above'];
        tally.gaps = tally.gaps * DECAY + 1;
        tally.closed = tally.closed * DECAY + Math.min(Math.max(closed, 0), 1);
      }
      Object.assign(seen, { pool, logPrice, logOracle });
    }
  }

  /** The share of a gap that a block closes, after a trade that has opened it by selling token0 or token1; 0 without evidence. */
  share(pool: Address, zeroForOne: boolean): number {
    const { gaps, closed } = this.#pools.get(pool)?.tallies[zeroForOne ? 'below' : 'above'] ?? { gaps: 0, closed: 0 };
    return closed / (gaps + PRIOR_STAYED);
  }

  /** By how much the logarithm of its price, of token0 in token1, would move if others closed all of its gap but the fee. */
  moveOf(pool: Pool): number {
    const seen = this.#pools.get(pool.identity.address);
    const gap = logPriceOf(pool) - (seen?.logOracle ?? Number.NaN);
    const beyond = Math.abs(gap) - pool.identity.feePips / PIPS;
    return beyond > 0 ? -Math.sign(gap) * beyond : 0;
  }
}

function logPriceOf(pool: Pool): number {
  return Math.log(spotOf(pool.outline(true))) - Math.log1p(-pool.identity.feePips / PIPS);
}

import type { Address } from '../lib/types.ts';
import { spotOf } from '../liquidity/outline.ts';
import type { Pool } from '../liquidity/pool.ts';

/** So many blocks are kept in mind. */
export const WINDOW = 256;
/** Of a variance, what is kept from one block to the next: half of it is forgotten in some 46 blocks. */
const DECAY = 0.985;
const YEAR_SECONDS = 31_557_600;
/** Of a pool that nothing is known of: a price that moves by 80% a year. */
const PRIOR_VARIANCE = 0.8 ** 2 / YEAR_SECONDS;
/** No pool is thought calmer: a thousandth of a percent in a second. */
const LEAST_VARIANCE = 1e-10;

type Seen = {
  pool: Pool;
  logPrice: number;
  /** Of the price's logarithm, per second. */
  variance: number;
  /** By block, in units of what was to be expected then; undefined moves are not numbers. */
  readonly units: Float64Array;
};

/**
 * How pools' prices have moved from block to block: the realised volatility of each, which follows the market, and what the last blocks' moves were in units of
 * it, the moves of one block side by side. Whatever moves a pool is in it: traders, arbitrage, liquidations, our own too.
 */
export class PriceMoves {
  readonly #pools = new Map<Address, Seen>();
  #blocks = 0;
  #timestamp: number | undefined;

  /**
   * Takes in the pools at the end of a block; a pool that no log has touched must be the same object as before.
   *
   * NOTE: what a reorganisation changes is taken for one block's move.
   */
  observe(timestamp: number, pools: Iterable<Pool>): void {
    const seconds = Math.max(1, timestamp - (this.#timestamp ?? timestamp));
    const place = this.#blocks % WINDOW;
    const first = this.#timestamp === undefined;
    for (const pool of pools) {
      const seen = this.#pools.get(pool.identity.address);
      if (seen === undefined) {
        const units = new Float64Array(WINDOW).fill(Number.NaN);
        this.#pools.set(pool.identity.address, { pool, logPrice: logPriceOf(pool), variance: PRIOR_VARIANCE, units });
        continue;
      }
      if (first) continue;
      const logPrice = pool === seen.pool ? seen.logPrice : logPriceOf(pool);
      const move = logPrice - seen.logPrice;
      seen.units[place] = move / Math.sqrt(seen.variance * seconds);
      // A pool that is empty for a while has no price.
      if (Number.isFinite(move))
        seen.variance = Math.max(LEAST_VARIANCE, DECAY * seen.variance + ((1 - DECAY) * Math.min(move ** 2, 1)) / seconds);
      seen.pool = pool;
      seen.logPrice = logPrice;
    }
    if (!first) this.#blocks++;
    this.#timestamp = timestamp;
  }

  /** Blocks in mind. */
  get blocks(): number {
    return Math.min(this.#blocks, WINDOW);
  }

  /** The last block's. */
  get timestamp(): number | undefined {
    return this.#timestamp;
  }

  /** The standard deviation that a price's logarithm is expected to have after so many seconds. */
  deviation(pool: Address, seconds: number): number {
    return Math.sqrt((this.#pools.get(pool)?.variance ?? PRIOR_VARIANCE) * seconds);
  }

  /** In about which part of the blocks its price moves. */
  busy(pool: Address): number {
    let [moved, still] = [1, 1];
    for (let block = 0; block < this.blocks; block++) {
      const units = this.units(pool, block);
      if (units === 0) still++;
      else if (units !== undefined) moved++;
    }
    return moved / (moved + still);
  }

  /** A pool's move in one of the blocks in mind (0 to `blocks` - 1), in standard deviations; undefined where it was not followed or had no price. */
  units(pool: Address, block: number): number | undefined {
    const units = this.#pools.get(pool)?.units[block];
    return units === undefined || !Number.isFinite(units) ? undefined : units;
  }
}

/** Of token0 in token1, less the fee, which a difference does not show. */
function logPriceOf(pool: Pool): number {
  return Math.log(spotOf(pool.outline(true)));
}

import { ByteReader, ByteWriter } from '../../lib/bytes.ts';
import type { Address, BlockRef, Head, LogFilter, RawLog } from '../../lib/types.ts';
import { dataWord, toAddress, topicAddress } from '../../lib/words.ts';
import { nothing } from '../../mirror/journal.ts';
import type { Keeping } from '../../mirror/keeping.ts';
import type { Reading, Undo, ViewCheck } from '../../mirror/types.ts';
import { PoolBook, type PoolFamily, pairsAmong } from '../book.ts';
import { Ladder } from '../concentrated/ladder.ts';
import { TOPIC } from './abi.ts';
import { findPools, readPools } from './anchor.ts';
import { checksOf } from './audit.ts';
import type { UniswapV3Deployment } from './deployments.ts';
import { fold, POOL_TOPICS } from './fold.ts';
import { UniswapV3Pool } from './pool.ts';

/** Enabled on every known deployment; where one is not, the factory just knows no such pool. Others are discovered. */
const USUAL_FEES_PIPS = [100, 500, 3_000, 10_000] as const;

/** Everything that logs change, replaced as a whole: what a block did is taken back by putting the old one in its place. */
type State = { readonly fees: ReadonlySet<number>; readonly book: PoolBook<UniswapV3Pool> | undefined };

/** All pools of a factory between wanted tokens, at every fee it has enabled. */
export class UniswapV3Pools implements PoolFamily {
  readonly id: string;
  readonly fromBlock: number;
  readonly #factory: Address;
  #tokens: ReadonlySet<Address> = new Set();
  #state: State = { fees: new Set(USUAL_FEES_PIPS), book: undefined };

  constructor({ factory, fromBlock }: UniswapV3Deployment) {
    this.id = `uniswap-v3/${factory}`;
    this.fromBlock = fromBlock;
    this.#factory = factory;
  }

  book(): PoolBook<UniswapV3Pool> | undefined {
    return this.#state.book;
  }

  want(tokens: readonly Address[]): boolean {
    const all = new Set([...this.#tokens, ...tokens]);
    if (all.size === this.#tokens.size) return false;
    this.#tokens = all;
    return all.size > 1;
  }

  discoveryFilters(): readonly LogFilter[] {
    return [{ addresses: [this.#factory], topics0: [TOPIC.feeAmountEnabled] }];
  }

  discover(logs: readonly RawLog[]): void {
    this.#state = { ...this.#state, fees: this.#feesAfter(logs) };
  }

  *anchor(_block: Head): Reading {
    const identities = yield* findPools(this.#factory, pairsAmong(this.#tokens), this.#state.fees);
    const pools = yield* readPools(identities);
    this.#state = { fees: this.#state.fees, book: new PoolBook(new Map(pools.map((pool) => [pool.identity.address, pool]))) };
  }

  /** The fees that pools may have; which pools there are, and what is in them, is read at any start. */
  get keeping(): Keeping {
    return {
      shape: `uniswap-v3 1 ${this.#factory}`,
      keep: () => {
        const writer = new ByteWriter();
        for (const fee of this.#state.fees) writer.number(fee);
        return [writer.take()];
      },
      restore: (pieces) => {
        const fees = new Set(this.#state.fees);
        for (const piece of pieces) for (const reader = new ByteReader(piece); !reader.done; ) fees.add(reader.number());
        this.#state = { ...this.#state, fees };
      },
    };
  }

  filters(): readonly LogFilter[] {
    const pools = [...(this.#state.book?.pools.keys() ?? [])];
    const factory = { addresses: [this.#factory], topics0: [TOPIC.poolCreated, TOPIC.feeAmountEnabled] };
    return pools.length === 0 ? [factory] : [factory, { addresses: pools, topics0: POOL_TOPICS }];
  }

  apply(_block: Head, logs: readonly RawLog[]): Undo {
    const before = this.#state;
    const changed = new Map<Address, UniswapV3Pool>();
    const fees = this.#feesAfter(logs);
    for (const log of logs) {
      if (log.address === this.#factory) {
        const created = this.#created(log);
        if (created) changed.set(created.identity.address, created);
        continue;
      }
      const pool = changed.get(log.address) ?? before.book?.pools.get(log.address);
      const after = pool && fold(pool, log);
      if (after !== pool && after) changed.set(log.address, after);
    }
    if (changed.size === 0 && fees === before.fees) return nothing;
    this.#state = { fees, book: changed.size === 0 ? before.book : before.book?.with(changed) };
    return () => {
      this.#state = before;
    };
  }

  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    const pools = [...(this.#state.book?.pools.values() ?? [])];
    const checks: ViewCheck[] = [];
    for (let index = 0; index < pools.length && checks.length < limit; index++) {
      checks.push(...checksOf(pools[(seed + index) % pools.length]!, seed));
    }
    return checks.slice(0, limit);
  }

  #feesAfter(logs: readonly RawLog[]): ReadonlySet<number> {
    const enabled = logs.filter((log) => log.address === this.#factory && log.topics[0] === TOPIC.feeAmountEnabled);
    return enabled.length === 0 ? this.#state.fees : new Set([...this.#state.fees, ...enabled.map((log) => Number(log.topics[1]))]);
  }

  /** A wanted pair's pool, at its creation: without a price and without ticks. */
  #created(log: RawLog): UniswapV3Pool | undefined {
    if (log.topics[0] !== TOPIC.poolCreated) return undefined;
    const token0 = topicAddress(log, 1);
    const token1 = topicAddress(log, 2);
    if (!this.#tokens.has(token0) || !this.#tokens.has(token1)) return undefined;
    const identity = { address: toAddress(dataWord(log, 1)), token0, token1, feePips: Number(log.topics[3]) };
    const curve = { sqrtPriceX96: 0n, tick: 0, liquidity: 0n };
    const ladder = new Ladder(Number(dataWord(log, 0)), undefined, [], [], []);
    return new UniswapV3Pool(identity, curve, ladder, { balance0Raw: 0n, balance1Raw: 0n });
  }
}

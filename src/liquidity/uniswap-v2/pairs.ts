import type { Address, BlockRef, Head, LogFilter, RawLog } from '../../lib/types.ts';
import { addressOf, dataWord, toAddress, topicAddress, topicOf, uintOf, viewCall } from '../../lib/words.ts';
import { nothing } from '../../mirror/journal.ts';
import { MirrorError, type Reading, type Undo, type ViewCheck } from '../../mirror/types.ts';
import { PoolBook, type PoolFamily, pairsAmong } from '../book.ts';
import type { PoolIdentity } from '../pool.ts';
import { FEE_PIPS, UniswapV2Pair } from './pair.ts';

const getPair = viewCall('function getPair(address tokenA, address tokenB)');
const getReserves = viewCall('function getReserves()');
const PAIR_CREATED = topicOf('event PairCreated(address,address,address,uint256)');
const SYNC = topicOf('event Sync(uint112,uint112)');

/** All pairs of a Uniswap v2 factory between wanted tokens: their reserves, which every change announces by a `Sync`. */
export class UniswapV2Pairs implements PoolFamily {
  readonly id: string;
  /** Nothing needs to be discovered below the anchor. */
  readonly fromBlock = 0;
  readonly #factory: Address;
  #tokens: ReadonlySet<Address> = new Set();
  #book: PoolBook<UniswapV2Pair> | undefined;

  constructor(factory: Address) {
    this.id = `uniswap-v2/${factory}`;
    this.#factory = factory;
  }

  book(): PoolBook<UniswapV2Pair> | undefined {
    return this.#book;
  }

  want(tokens: readonly Address[]): boolean {
    const all = new Set([...this.#tokens, ...tokens]);
    if (all.size === this.#tokens.size) return false;
    this.#tokens = all;
    return all.size > 1;
  }

  discoveryFilters(): readonly LogFilter[] {
    return [];
  }

  discover(_logs: readonly RawLog[]): void {}

  *anchor(_block: Head): Reading {
    const wanted = pairsAmong(this.#tokens);
    const found = yield wanted.map(([token0, token1]) => getPair(this.#factory, token0, token1));
    const identities = wanted.flatMap(([token0, token1], index): PoolIdentity[] => {
      const address = addressOf(found[index]);
      if (address === undefined) throw new MirrorError(`${this.#factory} does not answer getPair: it is no Uniswap v2 factory`);
      return BigInt(address) === 0n ? [] : [{ address, token0, token1, feePips: FEE_PIPS }];
    });
    const answers = yield identities.map(({ address }) => getReserves(address));
    const pairs = identities.map((identity, index) => {
      const [reserve0, reserve1] = [uintOf(answers[index], 0), uintOf(answers[index], 1)];
      if (reserve0 === undefined || reserve1 === undefined)
        throw new MirrorError(`${identity.address} does not answer as a Uniswap v2 pair`);
      return [identity.address, new UniswapV2Pair(identity, reserve0, reserve1)] as const;
    });
    this.#book = new PoolBook(new Map(pairs));
  }

  filters(): readonly LogFilter[] {
    const pairs = [...(this.#book?.pools.keys() ?? [])];
    const factory = { addresses: [this.#factory], topics0: [PAIR_CREATED] };
    return pairs.length === 0 ? [factory] : [factory, { addresses: pairs, topics0: [SYNC] }];
  }

  apply(_block: Head, logs: readonly RawLog[]): Undo {
    const before = this.#book;
    const changed = new Map<Address, UniswapV2Pair>();
    for (const log of logs) {
      const after =
        log.address === this.#factory ? this.#created(log) : this.#synced(changed.get(log.address) ?? before?.pools.get(log.address), log);
      if (after) changed.set(after.identity.address, after);
    }
    if (before === undefined || changed.size === 0) return nothing;
    this.#book = before.with(changed);
    return () => {
      this.#book = before;
    };
  }

  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    const pairs = [...(this.#book?.pools.values() ?? [])];
    return Array.from({ length: Math.min(limit, pairs.length) }, (_, index): ViewCheck => {
      const { identity, reserve0Raw, reserve1Raw } = pairs[(seed + index) % pairs.length]!;
      const ours = `${reserve0Raw} ${reserve1Raw}`;
      return {
        subject: `pair ${identity.address} reserves`,
        call: getReserves(identity.address),
        compare: (answer) => {
          const theirs = `${uintOf(answer, 0)} ${uintOf(answer, 1)}`;
          return theirs === ours ? null : { ours, theirs };
        },
      };
    });
  }

  #created(log: RawLog): UniswapV2Pair | undefined {
    if (log.topics[0] !== PAIR_CREATED) return undefined;
    const token0 = topicAddress(log, 1);
    const token1 = topicAddress(log, 2);
    if (!this.#tokens.has(token0) || !this.#tokens.has(token1)) return undefined;
    return new UniswapV2Pair({ address: toAddress(dataWord(log, 0)), token0, token1, feePips: FEE_PIPS }, 0n, 0n);
  }

  #synced(pair: UniswapV2Pair | undefined, log: RawLog): UniswapV2Pair | undefined {
    return pair && log.topics[0] === SYNC ? new UniswapV2Pair(pair.identity, dataWord(log, 0), dataWord(log, 1)) : undefined;
  }
}

import type { Address, BlockRef, Head, LogFilter, RawLog } from '../../lib/types.ts';
import { dataWord, ifWhole, toAddress, topicAddress } from '../../lib/words.ts';
import { nothing } from '../../mirror/journal.ts';
import type { Keeping } from '../../mirror/keeping.ts';
import type { Reading, Undo, ViewCheck } from '../../mirror/types.ts';
import { PoolBook, type PoolFamily, pairsAmong } from '../book.ts';
import { Ladder } from '../concentrated/ladder.ts';
import { TickCurve } from '../concentrated/tick-curve.ts';
import { TOPIC } from './abi.ts';
import { MOST_POOLS_OF_A_PAIR, readPools } from './anchor.ts';
import { checksOf } from './audit.ts';
import type { UniswapV4Deployment } from './deployments.ts';
import { fold, POOL_TOPICS, signedWord } from './fold.ts';
import { keepListings, listingsIn } from './kept.ts';
import { type Listing, listingOf, NONE } from './key.ts';
import { UniswapV4Pool } from './pool.ts';
import { feesOf } from './state.ts';
import type { Manager } from './steps.ts';

/** What most pools are made with. They are looked for without any log; others are discovered for tokens that are wanted by then. */
const USUAL: readonly { readonly feePips: number; readonly spacing: number }[] = [
  { feePips: 100, spacing: 1 },
  { feePips: 500, spacing: 10 },
  { feePips: 3_000, spacing: 60 },
  { feePips: 10_000, spacing: 200 },
];
/** Beyond this a fee is a trap. */
const MOST_FEE_PIPS = 500_000;

/** Replaced as a whole: what a block did is taken back by putting the old one in its place. */
type State = { readonly listings: ReadonlyMap<Address, Listing>; readonly book: PoolBook<UniswapV4Pool> | undefined };

/** The hookless pools of a PoolManager between wanted tokens. Pools of the native token count as pools of the wrapped one. */
export class UniswapV4Pools implements PoolFamily {
  readonly id: string;
  readonly fromBlock: number;
  readonly #manager: Manager;
  #tokens: ReadonlySet<Address> = new Set();
  /** Those whose older pools are known too. */
  #searched: ReadonlySet<Address> | undefined;
  #state: State = { listings: new Map(), book: undefined };

  constructor({ poolManager, fromBlock }: UniswapV4Deployment, wrappedNative: Address) {
    this.id = `uniswap-v4/${poolManager}`;
    this.fromBlock = fromBlock;
    this.#manager = { address: poolManager, wrappedNative };
  }

  book(): PoolBook<UniswapV4Pool> | undefined {
    return this.#state.book;
  }

  want(tokens: readonly Address[]): boolean {
    const all = new Set([...this.#tokens, ...tokens]);
    if (all.size === this.#tokens.size) return false;
    this.#tokens = all;
    return all.size > 1;
  }

  discoveryFilters(): readonly LogFilter[] {
    return [{ addresses: [this.#manager.address], topics0: [TOPIC.initialize] }];
  }

  discover(logs: readonly RawLog[]): void {
    this.#state = {
      ...this.#state,
      listings: withAll(
        this.#state.listings,
        logs.map((log) => this.#listed(log)),
      ),
    };
  }

  *anchor(_block: Head): Reading {
    this.#searched ??= this.#tokens;
    const { listings } = this.#state;
    const usual = pairsAmong(this.#tokens).flatMap(([token0, token1]) => this.#usualBetween(token0, token1));
    const pools = yield* readPools(this.#manager, [...withAll(listings, usual).values()]);
    this.#state = { listings, book: new PoolBook(new Map(pools.map((pool) => [pool.identity.address, pool]))) };
  }

  /** The pools that were found, for the tokens that were wanted when the history was gone through. */
  get keeping(): Keeping {
    return {
      shape: `uniswap-v4 1 ${this.#manager.address} ${this.#manager.wrappedNative}`,
      keep: () => keepListings(this.#searched ?? this.#tokens, this.#state.listings.values()),
      restore: (pieces) => {
        const { tokens, keys } = listingsIn(pieces);
        if (![...this.#tokens].every((token) => tokens.has(token))) throw new RangeError('other tokens are wanted now');
        const listings = keys.map((key) => listingOf(key, this.#manager.wrappedNative));
        this.#searched = tokens;
        this.#state = { ...this.#state, listings: withAll(this.#state.listings, listings) };
      },
    };
  }

  filters(): readonly LogFilter[] {
    return [{ addresses: [this.#manager.address], topics0: [TOPIC.initialize, ...POOL_TOPICS] }];
  }

  apply(_block: Head, logs: readonly RawLog[]): Undo {
    const before = this.#state;
    const changed = new Map<Address, UniswapV4Pool>();
    const made: Listing[] = [];
    for (const log of logs) {
      if (log.address !== this.#manager.address) continue;
      const listing = this.#listed(log);
      if (listing !== undefined) {
        made.push(listing);
        if (this.#hasRoomFor(listing)) changed.set(listing.identity.address, this.#begun(listing, log));
        continue;
      }
      const id = log.topics[1];
      const pool = id === undefined ? undefined : (changed.get(id) ?? before.book?.pools.get(id));
      const after = pool && fold(pool, log);
      if (id !== undefined && after !== undefined && after !== pool) changed.set(id, after);
    }
    if (changed.size === 0 && made.length === 0) return nothing;
    this.#state = { listings: withAll(before.listings, made), book: changed.size === 0 ? before.book : before.book?.with(changed) };
    return () => {
      this.#state = before;
    };
  }

  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    const pools = [...(this.#state.book?.pools.values() ?? [])];
    const checks: ViewCheck[] = [];
    for (let index = 0; index < pools.length && checks.length < limit; index++) {
      checks.push(...checksOf(this.#manager.address, pools[(seed + index) % pools.length]!, seed));
    }
    return checks.slice(0, limit);
  }

  /** Between two tokens, and where one is the wrapped native one also between the other and the native one. */
  #usualBetween(token0: Address, token1: Address): readonly (Listing | undefined)[] {
    const { wrappedNative } = this.#manager;
    const other = token0 === wrappedNative ? token1 : token1 === wrappedNative ? token0 : undefined;
    const pairs = [{ currency0: token0, currency1: token1 }, ...(other === undefined ? [] : [{ currency0: NONE, currency1: other }])];
    return pairs.flatMap((pair) => USUAL.map((terms) => listingOf({ ...pair, ...terms }, wrappedNative)));
  }

  /** A hookless pool of wanted tokens, at its creation. */
  #listed(log: RawLog): Listing | undefined {
    if (log.topics[0] !== TOPIC.initialize) return undefined;
    return ifWhole(() => {
      const [feePips, spacing, hooks] = [Number(dataWord(log, 0)), Number(signedWord(log, 1)), toAddress(dataWord(log, 2))];
      if (hooks !== NONE || feePips > MOST_FEE_PIPS) return undefined;
      const key = { currency0: topicAddress(log, 2), currency1: topicAddress(log, 3), feePips, spacing };
      const listing = listingOf(key, this.#manager.wrappedNative);
      const wanted = listing && this.#tokens.has(listing.identity.token0) && this.#tokens.has(listing.identity.token1);
      return wanted ? listing : undefined;
    });
  }

  #hasRoomFor({ identity: { token0, token1 } }: Listing): boolean {
    const { book } = this.#state;
    return book !== undefined && book.between(token0, token1).length < MOST_POOLS_OF_A_PAIR;
  }

  #begun(listing: Listing, log: RawLog): UniswapV4Pool {
    const curve = { sqrtPriceX96: dataWord(log, 3), tick: Number(signedWord(log, 4)), liquidity: 0n };
    const ladder = new Ladder(listing.key.spacing, undefined, [], [], []);
    return new UniswapV4Pool(this.#manager, listing, new TickCurve(curve, ladder, feesOf(listing.key.feePips, 0)), [0n, 0n]);
  }
}

function withAll(listings: ReadonlyMap<Address, Listing>, more: readonly (Listing | undefined)[]): ReadonlyMap<Address, Listing> {
  const all = new Map(listings);
  for (const listing of more) if (listing !== undefined) all.set(listing.identity.address, listing);
  return all;
}

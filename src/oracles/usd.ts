import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import { addressOf, intOf, topicAddress, topicOf, uintOf, viewCall } from '../lib/words.ts';
import { Journal, nothing } from '../mirror/journal.ts';
import { MirrorError, type Mirrored, type Reading, type Undo, type ViewCheck } from '../mirror/types.ts';
import type { FeedBook } from './feeds.ts';
import { momentOf } from './moment.ts';
import { latestAnswerOf, resolveSource } from './resolve.ts';
import type { LiveSource } from './sources.ts';
import { together } from './together.ts';
import type { Moment, UsdPrices } from './types.ts';

const decimalsOf = viewCall('function decimals()');
const priceOracleOf = viewCall('function getPriceOracle()');
const sourceOfAsset = viewCall('function getSourceOfAsset(address)');
const ASSET_SOURCE_UPDATED = topicOf('event AssetSourceUpdated(address indexed asset, address indexed source)');

const USD_DECIMALS = 8;
const MAX_DECIMALS = 36n;
const NO_ADDRESS = `0x${'0'.repeat(40)}`;

type Entry = { readonly decimals: number; readonly source: LiveSource; readonly sourceDecimals: number };

/**
 * USD prices of tokens: from the feed that the deployments file names for the token, else from the source that an Aave market's oracle asks
 * (8 decimals of USD, which is what every v3 market counts in). A token with neither has no price.
 */
export class UsdBook implements Mirrored, UsdPrices {
  readonly id = 'usd';
  readonly fromBlock = 0;
  readonly #usdFeeds: ReadonlyMap<Address, Address>;
  readonly #provider: Address | undefined;
  readonly #feeds: FeedBook;
  readonly #journal = new Journal();
  readonly #wanted = new Set<Address>();
  #entries = new Map<Address, Entry>();
  readonly #state: { head: Head | null } = { head: null };
  #oracle: Address | undefined;
  #asked: readonly LiveSource[] = [];

  /** @param aaveProvider PoolAddressesProvider of the market whose oracle is asked */
  constructor(usdFeeds: ReadonlyMap<Address, Address>, aaveProvider: Address | undefined, feeds: FeedBook) {
    this.#usdFeeds = usdFeeds;
    this.#provider = aaveProvider;
    this.#feeds = feeds;
  }

  /** Names tokens to price. True when some are new: the book then has to be anchored (again). */
  want(tokens: Iterable<Address>): boolean {
    const before = this.#wanted.size;
    for (const token of tokens) this.#wanted.add(token);
    return this.#wanted.size > before;
  }

  usd8(token: Address, at: Moment): { readonly priceUsd8: bigint; readonly decimals: number } | undefined {
    const entry = this.#entries.get(token);
    const price = entry?.source.price(at);
    if (entry === undefined || !price?.ok) return undefined;
    return { priceUsd8: rescaleDown(price.price, entry.sourceDecimals, USD_DECIMALS), decimals: entry.decimals };
  }

  /** The call that answers a token's price at any block, and how to read it: for blocks that are mirrored no more. */
  asking(token: Address): { readonly call: ViewCall; read(answer: ViewAnswer | undefined): ReturnType<UsdBook['usd8']> } | undefined {
    const entry = this.#entries.get(token);
    if (entry === undefined) return undefined;
    return {
      call: latestAnswerOf(entry.source.address),
      read(answer) {
        const price = intOf(answer);
        if (price === undefined || price <= 0n) return undefined;
        return { priceUsd8: rescaleDown(price, entry.sourceDecimals, USD_DECIMALS), decimals: entry.decimals };
      },
    };
  }

  discoveryFilters(): readonly LogFilter[] {
    return [];
  }

  discover(_logs: readonly RawLog[]): void {}

  *anchor(block: Head): Reading {
    this.#journal.stop();
    const tokens = [...this.#wanted];
    if (this.#provider !== undefined) {
      const [oracle] = yield [priceOracleOf(this.#provider)];
      this.#oracle = addressOf(oracle);
      if (this.#oracle === undefined) throw new MirrorError(`no Aave market at ${this.#provider}`);
    }
    const entries = yield* together(tokens.map((token) => this.#resolve(token, block)));
    this.#entries = new Map();
    for (const [place, entry] of entries.entries()) if (entry !== undefined) this.#entries.set(tokens[place]!, entry);
    this.#feeds.want([...this.#entries.values()].flatMap(({ source }) => source.feeds));
    this.#state.head = block;
  }

  *#resolve(token: Address, block: Head): Reading<Entry | undefined> {
    const named = this.#usdFeeds.get(token);
    const oracle = this.#oracle;
    if (named === undefined && oracle === undefined) return undefined;
    const [tokenPlaces, sourcePlaces, listed] = yield [
      decimalsOf(token),
      ...(named !== undefined ? [decimalsOf(named)] : [decimalsOf(token), sourceOfAsset(oracle!, token)]),
    ];
    const decimals = uintOf(tokenPlaces);
    const sourceDecimals = named === undefined ? BigInt(USD_DECIMALS) : uintOf(sourcePlaces);
    const address = named ?? addressOf(listed);
    if (decimals === undefined || decimals > MAX_DECIMALS || address === undefined || address === NO_ADDRESS) return undefined;
    if (sourceDecimals === undefined || sourceDecimals > MAX_DECIMALS) throw new MirrorError(`the USD feed ${address} is not there`);
    const source = yield* resolveSource(address, block);
    return { decimals: Number(decimals), source, sourceDecimals: Number(sourceDecimals) };
  }

  filters(): readonly LogFilter[] {
    return this.#oracle === undefined ? [] : [{ addresses: [this.#oracle], topics0: [ASSET_SOURCE_UPDATED] }];
  }

  /** Throws when a wanted token's source changes: only a new anchor can follow that. */
  apply(_block: Head, logs: readonly RawLog[]): Undo {
    for (const log of logs) {
      if (log.address !== this.#oracle || log.topics[0] !== ASSET_SOURCE_UPDATED) continue;
      const token = topicAddress(log, 1);
      if (this.#wanted.has(token) && !this.#usdFeeds.has(token)) throw new MirrorError(`the price of ${token} has a new source`);
    }
    return nothing;
  }

  reads(_block: Head): readonly ViewCall[] {
    this.#asked = [...this.#entries.values()].map(({ source }) => source);
    return this.#asked.flatMap((source) => source.reads());
  }

  ingest(block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    let next = 0;
    for (const source of this.#asked) {
      const calls = source.reads().length;
      source.ingest(answers.slice(next, next + calls), this.#journal);
      next += calls;
    }
    this.#journal.set(this.#state, 'head', block);
    return this.#journal.take();
  }

  /** The decoded sources against their own answers, in turn. */
  audit(_block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    const { head } = this.#state;
    const decoded = [...this.#entries].filter(([, { source }]) => source.kind === 'ratio' || source.kind === 'feed');
    if (head === null || decoded.length === 0) return [];
    return Array.from({ length: Math.min(limit, decoded.length) }, (_, i) => {
      const [token, { source }] = decoded[(seed + i) % decoded.length]!;
      return {
        subject: `price of ${token} by ${source.address}`,
        call: latestAnswerOf(source.address),
        compare: (answer) => {
          // Of the block that has been ingested meanwhile.
          const price = source.price(momentOf(this.#state.head ?? head, this.#feeds));
          const theirs = intOf(answer);
          if (price.ok && price.price === theirs) return null;
          return { ours: price.ok ? String(price.price) : price.reason, theirs: String(theirs) };
        },
      };
    });
  }
}

function rescaleDown(value: bigint, from: number, to: number): bigint {
  return from <= to ? value * 10n ** BigInt(to - from) : value / 10n ** BigInt(from - to);
}

import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import { addressOf, intOf, topicAddress, topicOf, uintOf, viewCall } from '../lib/words.ts';
import { Journal, nothing } from '../mirror/journal.ts';
import { MirrorError, type Mirrored, type Reading, type Undo, type ViewCheck } from '../mirror/types.ts';
import { type AaveOracle, aaveSource, readAaveOracle } from './aave.ts';
import { sourceCheck } from './audit.ts';
import type { FeedBook } from './feeds.ts';
import { momentOf } from './moment.ts';
import { latestAnswerOf, resolveSource } from './resolve.ts';
import type { LiveSource } from './sources.ts';
import { together } from './together.ts';
import type { FeedId, Moment, UsdPrices } from './types.ts';

const decimalsOf = viewCall('function decimals()');
const priceOracleOf = viewCall('function getPriceOracle()');
const assetPriceOf = viewCall('function getAssetPrice(address)');

/** What only a new anchor can follow: of an oracle, and of the registry that names it. */
const SOURCE_UPDATED = topicOf('event AssetSourceUpdated(address indexed asset, address indexed source)');
const FALLBACK_UPDATED = topicOf('event FallbackOracleUpdated(address indexed fallbackOracle)');
const ORACLE_UPDATED = topicOf('event PriceOracleUpdated(address indexed oldAddress, address indexed newAddress)');

const USD_UNIT = 100_000_000n;
const MAX_DECIMALS = 36n;

/** A price in a currency of its own, `unit` of which is one whole of it. */
type Leg = {
  readonly token: Address;
  readonly source: LiveSource;
  readonly unit: bigint;
  /** Answers the same at any block. */
  readonly call: ViewCall;
};

/** A token's price is the product of its legs: its price in USD, or in another currency and that one's in USD. */
type Entry = { readonly decimals: number; readonly legs: readonly Leg[] };
type Usd = { readonly priceUsd8: bigint; readonly decimals: number };

/**
 * USD prices of tokens: from the feed that the deployments file names for the token, else from the sources that the Aave markets' oracles ask, those that count in
 * USD first. An oracle that counts in a token tells what that token's own USD price is worth. A token with none of these has no price.
 */
export class UsdBook implements Mirrored, UsdPrices {
  readonly id = 'usd';
  readonly fromBlock = 0;
  readonly #usdFeeds: ReadonlyMap<Address, Address>;
  readonly #providers: readonly Address[];
  readonly #feeds: FeedBook;
  readonly #journal = new Journal();
  readonly #wanted = new Set<Address>();
  #entries = new Map<Address, Entry>();
  readonly #state: { head: Head | null } = { head: null };
  #oracles: readonly AaveOracle[] = [];
  #asked: readonly LiveSource[] = [];

  /** @param aaveProviders PoolAddressesProvider of each market whose oracle may be asked, the first preferred */
  constructor(usdFeeds: ReadonlyMap<Address, Address>, aaveProviders: readonly Address[], feeds: FeedBook) {
    this.#usdFeeds = usdFeeds;
    this.#providers = aaveProviders;
    this.#feeds = feeds;
  }

  /** Names tokens to price. True when some are new: the book then has to be anchored (again). */
  want(tokens: Iterable<Address>): boolean {
    const before = this.#wanted.size;
    for (const token of tokens) this.#wanted.add(token);
    return this.#wanted.size > before;
  }

  usd8(token: Address, at: Moment): Usd | undefined {
    const entry = this.#entries.get(token);
    return (
      entry &&
      usdOf(entry, (leg) => {
        const price = leg.source.price(at);
        return price.ok ? price.price : undefined;
      })
    );
  }

  /** Feeds that the token's own price rests on, a base currency's left out. */
  feedsOf(token: Address): readonly FeedId[] {
    return this.#entries.get(token)?.legs[0]?.source.feeds ?? [];
  }

  /** The calls that answer a token's price at any block, and how to read them: for blocks that are mirrored no more. */
  asking(token: Address): { readonly calls: readonly ViewCall[]; read(answers: readonly ViewAnswer[]): Usd | undefined } | undefined {
    const entry = this.#entries.get(token);
    if (entry === undefined) return undefined;
    return { calls: entry.legs.map(({ call }) => call), read: (answers) => usdOf(entry, (_, place) => intOf(answers[place])) };
  }

  discoveryFilters(): readonly LogFilter[] {
    return [];
  }

  discover(_logs: readonly RawLog[]): void {}

  *anchor(block: Head): Reading {
    this.#journal.stop();
    const tokens = [...this.#wanted];
    const oracles = yield* together(this.#providers.map(oracleOf));
    this.#oracles = oracles.toSorted((a, b) => Number(a.base !== undefined) - Number(b.base !== undefined));
    const entries = yield* together(tokens.map((token) => this.#resolve(token, block)));
    this.#entries = new Map();
    for (const [place, entry] of entries.entries()) if (entry !== undefined) this.#entries.set(tokens[place]!, entry);
    this.#feeds.want(this.#sources().flatMap((source) => source.feeds));
    this.#state.head = block;
  }

  *#resolve(token: Address, block: Head): Reading<Entry | undefined> {
    const [places] = yield [decimalsOf(token)];
    const decimals = uintOf(places);
    if (decimals === undefined || decimals > MAX_DECIMALS) return undefined;
    const named = yield* this.#named(token, block);
    if (named !== undefined) return { decimals: Number(decimals), legs: [named] };
    for (const oracle of this.#oracles) {
      const leg = yield* legOf(token, oracle, block);
      if (leg === undefined) continue;
      const base = oracle.base === undefined ? [] : yield* this.#baseLegs(oracle.base, block);
      if (base !== undefined) return { decimals: Number(decimals), legs: [leg, ...base] };
    }
    return undefined;
  }

  *#named(token: Address, block: Head): Reading<Leg | undefined> {
    const feed = this.#usdFeeds.get(token);
    if (feed === undefined) return undefined;
    const [places] = yield [decimalsOf(feed)];
    const decimals = uintOf(places);
    if (decimals === undefined || decimals > MAX_DECIMALS) throw new MirrorError(`the USD feed ${feed} is not there`);
    return { token, source: yield* resolveSource(feed, block), unit: 10n ** decimals, call: latestAnswerOf(feed) };
  }

  /** A base currency in USD; never by way of a third currency. */
  *#baseLegs(base: Address, block: Head): Reading<readonly Leg[] | undefined> {
    const named = yield* this.#named(base, block);
    if (named !== undefined) return [named];
    for (const oracle of this.#oracles) {
      const leg = oracle.base === undefined ? yield* legOf(base, oracle, block) : undefined;
      if (leg !== undefined) return [leg];
    }
    return undefined;
  }

  filters(): readonly LogFilter[] {
    if (this.#providers.length === 0) return [];
    return [
      { addresses: this.#oracles.map(({ address }) => address), topics0: [SOURCE_UPDATED, FALLBACK_UPDATED] },
      { addresses: this.#providers, topics0: [ORACLE_UPDATED] },
    ];
  }

  /** Throws when what answers a wanted token's price changes: only a new anchor can follow that. */
  apply(_block: Head, logs: readonly RawLog[]): Undo {
    for (const log of logs) {
      const topic = log.topics[0];
      const ofOracle = this.#oracles.some(({ address }) => address === log.address);
      if (topic === ORACLE_UPDATED && this.#providers.includes(log.address))
        throw new MirrorError(`${log.address} names another price oracle`);
      if (topic === FALLBACK_UPDATED && ofOracle) throw new MirrorError(`the oracle ${log.address} falls back on another`);
      if (topic !== SOURCE_UPDATED || !ofOracle) continue;
      const token = topicAddress(log, 1);
      const wanted = this.#wanted.has(token) || this.#oracles.some(({ base }) => base === token);
      if (wanted && !this.#usdFeeds.has(token)) throw new MirrorError(`the price of ${token} has a new source`);
    }
    return nothing;
  }

  reads(_block: Head): readonly ViewCall[] {
    this.#asked = this.#sources();
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
    if (head === null) return [];
    // Of the block that has been ingested meanwhile.
    const at = () => momentOf(this.#state.head ?? head, this.#feeds);
    const legs = [...this.#entries.values()].flatMap(({ legs }) => legs);
    const checks = legs.flatMap(({ token, source }) => sourceCheck(token, source, at) ?? []);
    return Array.from({ length: Math.min(limit, checks.length) }, (_, i) => checks[(seed + i) % checks.length]!);
  }

  #sources(): readonly LiveSource[] {
    return [...this.#entries.values()].flatMap(({ legs }) => legs.map(({ source }) => source));
  }
}

function* oracleOf(provider: Address): Reading<AaveOracle> {
  const [answer] = yield [priceOracleOf(provider)];
  const address = addressOf(answer);
  if (address === undefined) throw new MirrorError(`no Aave market at ${provider}`);
  return yield* readAaveOracle(address);
}

function* legOf(token: Address, oracle: AaveOracle, block: Head): Reading<Leg | undefined> {
  const source = yield* aaveSource(token, oracle, block);
  return source && { token, source, unit: oracle.unit, call: assetPriceOf(oracle.address, token) };
}

/** USD of one whole token with 8 decimals, rounded down; undefined where a leg has no price. */
function usdOf({ decimals, legs }: Entry, priceOf: (leg: Leg, place: number) => bigint | undefined): Usd | undefined {
  let numerator = USD_UNIT;
  let denominator = 1n;
  for (const [place, leg] of legs.entries()) {
    const price = priceOf(leg, place);
    if (price === undefined || price <= 0n) return undefined;
    numerator *= price;
    denominator *= leg.unit;
  }
  return { priceUsd8: numerator / denominator, decimals };
}

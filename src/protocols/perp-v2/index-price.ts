/** A market's index: `BaseToken.getIndexPrice` by way of PriceFeedDispatcher and ChainlinkPriceFeedV3, at any later moment. */
import type { Address, RawLog, ViewAnswer } from '../../lib/types.ts';
import { addressOf, dataWord, topicOf, uintOf, viewCall } from '../../lib/words.ts';
import type { Journal } from '../../mirror/journal.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import type { FeedId, Moment } from '../../oracles/types.ts';

/** CumulativeTwap.MAX_OBSERVATION. */
const RING = 1_800n;
const READ_AT_ONCE = 100n;
const DECIMALS = 18n;

const UPDATED = topicOf('event ChainlinkPriceUpdated(uint256 price, uint256 timestamp, uint8 freezedReason)');
const FALLEN = topicOf('event StatusUpdated(uint8 status)');
const REPLACED = topicOf('event UniswapV3PriceFeedUpdated(address uniswapV3PriceFeed)');
export const INDEX_TOPICS = [UPDATED, FALLEN, REPLACED] as const;

const calls = {
  priceFeed: viewCall('function getPriceFeed()'),
  chainlink: viewCall('function getChainlinkPriceFeedV3()'),
  uniswap: viewCall('function getUniswapV3PriceFeed()'),
  usesUniswap: viewCall('function isToUseUniswapV3PriceFeed()'),
  aggregator: viewCall('function getAggregator()'),
  decimals: viewCall('function decimals()'),
  timeout: viewCall('function getTimeout()'),
  lastValidPrice: viewCall('function getLastValidPrice()'),
  lastValidAt: viewCall('function getLastValidTimestamp()'),
  index: viewCall('function currentObservationIndex()'),
  observation: viewCall('function observations(uint256)'),
};

type Observation = { readonly price: bigint; readonly cumulative: bigint; readonly timestamp: bigint };

export type IndexFeed = {
  readonly dispatcher: Address;
  /** The ChainlinkPriceFeedV3. */
  readonly cache: Address;
  readonly feed: FeedId;
  readonly scale: bigint;
  /** How long a Uniswap feed, where there is one, waits before it takes over; undefined without one. */
  readonly fallsAfter: bigint | undefined;
  lastValidPrice: bigint;
  lastValidAt: bigint;
  /** The newest of its observations, the newest last. */
  observations: readonly Observation[];
  readonly keepSeconds: bigint;
};

/** Undefined for an index of another make: nobody knows how it comes about. */
export function* readIndexFeed(base: Address, timestamp: number, keepSeconds: number): Reading<IndexFeed | undefined> {
  const [named] = yield [calls.priceFeed(base)];
  const dispatcher = addressOf(named);
  if (dispatcher === undefined) return undefined;
  const [chainlink, uniswap, fallen] = yield [calls.chainlink(dispatcher), calls.uniswap(dispatcher), calls.usesUniswap(dispatcher)];
  const [cache, other] = [addressOf(chainlink), addressOf(uniswap)];
  if (cache === undefined || other === undefined || uintOf(fallen) !== 0n) return undefined;
  const read = [calls.aggregator, calls.decimals, calls.timeout, calls.lastValidPrice, calls.lastValidAt, calls.index];
  const [aggregator, ...words] = yield read.map((call) => call(cache));
  const feed = addressOf(aggregator);
  const [decimals, timeout, lastValidPrice, lastValidAt, newest] = words.map((word) => uintOf(word));
  if (feed === undefined || decimals === undefined || decimals > DECIMALS || timeout === undefined) return undefined;
  if (lastValidPrice === undefined || lastValidAt === undefined || newest === undefined || newest >= RING) return undefined;
  const since = BigInt(timestamp - keepSeconds);
  const observations: Observation[] = [];
  for (let asked = 0n; asked < RING && (observations[0]?.timestamp ?? since) >= since; asked += READ_AT_ONCE) {
    const places = Array.from({ length: Number(READ_AT_ONCE) }, (_, i) => (newest - asked - BigInt(i) + RING) % RING);
    const answers = yield places.map((place) => calls.observation(cache, place));
    const found = answers.flatMap(readObservation);
    observations.unshift(...found.toReversed());
    if (found.length < answers.length) break;
  }
  return {
    ...{ dispatcher, cache, feed, scale: 10n ** (DECIMALS - decimals), fallsAfter: BigInt(other) === 0n ? undefined : timeout },
    ...{ lastValidPrice, lastValidAt, observations: recent(observations, since), keepSeconds: BigInt(keepSeconds) },
  };
}

function readObservation(answer: ViewAnswer): Observation[] {
  const [price, cumulative, timestamp] = [0, 1, 2].map((word) => uintOf(answer, word));
  return price === undefined || cumulative === undefined || timestamp === undefined || timestamp === 0n
    ? []
    : [{ price, cumulative, timestamp }];
}

/** ChainlinkPriceFeedV3._cachePrice tells what it keeps, and is always followed by CumulativeTwap._update with it. */
export function foldIndexLog(log: RawLog, index: IndexFeed, journal: Journal): void {
  if (log.topics[0] !== UPDATED || log.address !== index.cache)
    throw new MirrorError(`the index at ${index.dispatcher} is made otherwise now`);
  const [price, timestamp] = [dataWord(log, 0), dataWord(log, 1)];
  journal.set(index, 'lastValidPrice', price);
  journal.set(index, 'lastValidAt', timestamp);
  const newest = index.observations.at(-1);
  if (price === newest?.price) return;
  const cumulative = newest === undefined ? 0n : newest.cumulative + newest.price * (timestamp - newest.timestamp);
  const added = { price, timestamp, cumulative };
  const entries = [...index.observations, added].slice(-Number(RING));
  journal.set(index, 'observations', recent(entries, timestamp - index.keepSeconds));
}

function recent(entries: readonly Observation[], since: bigint): readonly Observation[] {
  const first = entries.findLastIndex(({ timestamp }) => timestamp <= since);
  return first <= 0 ? entries : entries.slice(first);
}

/** `BaseToken.getIndexPrice(interval)` of an open market, 18 decimals; undefined where it would revert, or where another feed would have taken over. */
export function indexPriceAt(index: IndexFeed, at: Moment, interval: number): bigint | undefined {
  const now = BigInt(at.timestamp);
  const { price, updatedAt } = latestOf(index, at, now);
  if (index.fallsAfter !== undefined && updatedAt > 0n && updatedAt + index.fallsAfter < now) return undefined;
  const raw = interval === 0 ? price : averageOf(index, { price, updatedAt }, now, BigInt(interval));
  return raw === undefined ? undefined : raw * index.scale;
}

type Latest = { readonly price: bigint; readonly updatedAt: bigint };

/** ChainlinkPriceFeedV3._getLatestOrCachedPrice. */
function latestOf({ feed, lastValidPrice, lastValidAt }: IndexFeed, at: Moment, now: bigint): Latest {
  const cached = { price: lastValidPrice, updatedAt: lastValidAt };
  const round = at.answer(feed);
  if (round === undefined) return cached;
  const updatedAt = BigInt(round.updatedAt);
  const frozen = round.roundId === 0n || updatedAt === 0n || updatedAt < lastValidAt || updatedAt > now || round.answer <= 0n;
  return frozen || updatedAt === lastValidAt ? cached : { price: round.answer, updatedAt };
}

/** CachedTwap._getTwap of CumulativeTwap._calculateTwap. */
function averageOf({ observations }: IndexFeed, { price, updatedAt }: Latest, now: bigint, interval: bigint): bigint | undefined {
  const newest = observations.at(-1);
  if (newest === undefined) return price;
  if (newest.timestamp > updatedAt || (newest.timestamp === updatedAt && price !== newest.price)) return undefined;
  const target = now - interval;
  const reached = newest.cumulative + newest.price * (updatedAt - newest.timestamp) + price * (now - updatedAt);
  const place = observations.findLastIndex(({ timestamp }) => timestamp <= target);
  const before = observations[place];
  // Too little history: the latest price counts.
  if (before === undefined) return price;
  const average = (reached - (before.cumulative + before.price * (target - before.timestamp))) / interval;
  return average === 0n ? price : average;
}

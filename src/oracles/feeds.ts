import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import { addressOf, intOf, uintOf, viewCall } from '../lib/words.ts';
import { Journal, nothing } from '../mirror/journal.ts';
import type { Mirrored, Reading, Undo, ViewCheck } from '../mirror/types.ts';
import type { PythFeed } from './pull/pyth.ts';
import type { FeedAnswer, FeedId, FeedState } from './types.ts';

const latestRoundData = viewCall('function latestRoundData()');
const roundData = viewCall('function getRoundData(uint80)');
const aggregatorOf = viewCall('function aggregator()');
const decimalsOf = viewCall('function decimals()');
const pythPriceOf = viewCall('function getPriceUnsafe(bytes32)');

/** A proxy's round id carries the number of its aggregator in the bits above these (EACAggregatorProxy.addPhase). */
const PHASE_SHIFT = 64n;
const ROUND_MASK = (1n << PHASE_SHIFT) - 1n;

type Feed = {
  readonly proxy: FeedId;
  /** Where it is one of Pyth's prices, asked for at Pyth itself. */
  readonly pyth: PythFeed | undefined;
  /** Undefined until first read; a feed that stopped answering has none either. */
  answer: FeedAnswer | undefined;
  before: FeedAnswer | undefined;
  answeredInRound: bigint | undefined;
  decimals: bigint | undefined;
  firstDecimals: bigint | undefined;
  /** The contract that oracles transmit to; undefined while unknown, or when the feed is not a proxy. */
  aggregator: Address | undefined;
  /** The phase in which `aggregator` was read; another one in the answers calls for reading it again. */
  aggregatorPhase: bigint | undefined;
};

/** Where consumers of feeds name those they need, and read them as of the mirrored block. */
export interface FeedBook {
  /** A price of Pyth's own (`pythFeedOf`) is wanted by what it is, before it is by its name. */
  want(feeds: Iterable<FeedId | PythFeed>): void;
  answer(feed: FeedId): FeedAnswer | undefined;
}

/**
 * The Chainlink feeds that somebody wants, as their proxies answer at the mirrored block.
 *
 * NOTE: answers are read in every block's batch instead of being folded from `AnswerUpdated`. A feed shared with an order-flow auction (SVR's
 * DualAggregator) answers by caller and time: the same event reaches the auctioned proxy only with its own transmission or after a
 * delay, so the logs do not tell what the consumer is answered. What was read needs no audit.
 */
export class Feeds implements Mirrored, FeedBook {
  readonly id = 'feeds';
  readonly fromBlock = 0;
  readonly #feeds = new Map<FeedId, Feed>();
  readonly #journal = new Journal();
  #asked: readonly { readonly feed: Feed; readonly calls: readonly ViewCall[] }[] = [];

  /** May be called at any time; a feed is known from the next block (or anchor) on. */
  want(feeds: Iterable<FeedId | PythFeed>): void {
    for (const wanted of feeds) {
      const [proxy, pyth] = typeof wanted === 'string' ? [wanted, undefined] : [wanted.feed, wanted];
      if (this.#feeds.has(proxy)) continue;
      this.#feeds.set(proxy, {
        ...{ proxy, pyth, answer: undefined, before: undefined, answeredInRound: undefined },
        ...{ decimals: undefined, firstDecimals: undefined, aggregator: undefined, aggregatorPhase: undefined },
      });
    }
  }

  answer(feed: FeedId): FeedAnswer | undefined {
    return this.#feeds.get(feed)?.answer;
  }

  /** Undefined for a feed that nobody wanted. */
  state(feed: FeedId): FeedState | undefined {
    return this.#feeds.get(feed);
  }

  /** What of Pyth's a feed is; undefined for one that is a contract. */
  pyth(feed: FeedId): PythFeed | undefined {
    return this.#feeds.get(feed)?.pyth;
  }

  /** The contract that oracles transmit to, whose updates move the feed. */
  aggregator(feed: FeedId): Address | undefined {
    return this.#feeds.get(feed)?.aggregator;
  }

  /** Those of all wanted feeds that are known. */
  aggregators(): ReadonlySet<Address> {
    return new Set([...this.#feeds.values()].flatMap(({ aggregator }) => aggregator ?? []));
  }

  /** The wanted feeds that an aggregator answers for. */
  feedsOf(aggregator: Address): readonly FeedId[] {
    return [...this.#feeds.values()].filter((feed) => feed.aggregator === aggregator).map((feed) => feed.proxy);
  }

  discoveryFilters(): readonly LogFilter[] {
    return [];
  }

  discover(_logs: readonly RawLog[]): void {}

  *anchor(block: Head): Reading {
    this.#journal.stop();
    for (const feed of this.#feeds.values()) feed.aggregatorPhase = undefined;
    const answers = yield this.reads(block);
    this.#take(answers);
    yield* this.#readBefore();
  }

  /** A move can only be told from the round before; from the anchor on it is the one seen last. */
  *#readBefore(): Reading {
    const asked = [...this.#feeds.values()].flatMap((feed) =>
      feed.pyth === undefined && feed.before === undefined && feed.answer !== undefined && (feed.answer.roundId & ROUND_MASK) > 1n
        ? [{ feed, call: roundData(feed.proxy, feed.answer.roundId - 1n) }]
        : [],
    );
    if (asked.length === 0) return;
    const rounds = yield asked.map(({ call }) => call);
    for (const [place, { feed }] of asked.entries()) {
      const round = answerOf(rounds[place]);
      // An aggregator that never had the round answers zeros.
      if (round !== undefined && round.updatedAt > 0) feed.before = round;
    }
  }

  filters(): readonly LogFilter[] {
    return [];
  }

  apply(_block: Head, _logs: readonly RawLog[]): Undo {
    return nothing;
  }

  reads(block: Head): readonly ViewCall[] {
    const turn = block.number % Math.max(1, this.#feeds.size);
    this.#asked = [...this.#feeds.values()].map((feed, place) => ({ feed, calls: callsFor(feed, place === turn) }));
    return this.#asked.flatMap(({ calls }) => calls);
  }

  ingest(_block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    this.#take(answers);
    return this.#journal.take();
  }

  audit(_block: BlockRef, _limit: number, _seed: number): readonly ViewCheck[] {
    return [];
  }

  #take(answers: readonly ViewAnswer[]): void {
    let next = 0;
    for (const { feed, calls } of this.#asked) {
      this.#takeOne(feed, answers.slice(next, next + calls.length));
      next += calls.length;
    }
  }

  #takeOne(feed: Feed, [round, aggregator, places]: readonly ViewAnswer[]): void {
    const answer = feed.pyth === undefined ? answerOf(round) : pythAnswerOf(round);
    const before = feed.answer;
    const same = answer?.roundId === before?.roundId && answer?.answer === before?.answer && answer?.updatedAt === before?.updatedAt;
    if (!same) {
      this.#journal.set(feed, 'answer', answer);
      this.#journal.set(feed, 'answeredInRound', feed.pyth === undefined ? uintOf(round, 4) : answer?.roundId);
      if (before !== undefined && before.roundId !== answer?.roundId) this.#journal.set(feed, 'before', before);
    }
    if (feed.pyth !== undefined) this.#takeDecimals(feed, exponentOf(round));
    if (aggregator === undefined) return;
    this.#journal.set(feed, 'aggregator', addressOf(aggregator));
    this.#journal.set(feed, 'aggregatorPhase', phaseOf(answer));
    this.#takeDecimals(feed, uintOf(places));
  }

  #takeDecimals(feed: Feed, decimals: bigint | undefined): void {
    if (feed.decimals === decimals) return;
    this.#journal.set(feed, 'decimals', decimals);
    if (feed.firstDecimals === undefined) this.#journal.set(feed, 'firstDecimals', decimals);
  }
}

/**
 * In the block of a change of aggregator the answer is right at once; what else there is to know follows one block later.
 *
 * @param itsTurn one feed a block is asked everything: a proxy without phases changes what stands behind it without a sign
 */
function callsFor(feed: Feed, itsTurn: boolean): readonly ViewCall[] {
  if (feed.pyth !== undefined) return [pythPriceOf(feed.pyth.pyth, BigInt(feed.pyth.priceId))];
  const round = latestRoundData(feed.proxy);
  const known = feed.aggregatorPhase !== undefined && feed.aggregatorPhase === phaseOf(feed.answer);
  return known && !itsTurn ? [round] : [round, aggregatorOf(feed.proxy), decimalsOf(feed.proxy)];
}

function phaseOf(answer: FeedAnswer | undefined): bigint | undefined {
  return answer === undefined ? undefined : answer.roundId >> PHASE_SHIFT;
}

/** AggregatorV3Interface.latestRoundData: (roundId, answer, startedAt, updatedAt, answeredInRound). */
export function answerOf(round: ViewAnswer | undefined): FeedAnswer | undefined {
  const roundId = uintOf(round, 0);
  const answer = intOf(round, 1);
  const updatedAt = uintOf(round, 3);
  if (roundId === undefined || answer === undefined || updatedAt === undefined || updatedAt > BigInt(Number.MAX_SAFE_INTEGER))
    return undefined;
  return { roundId, answer, updatedAt: Number(updatedAt) };
}

/** IPyth.getPriceUnsafe: (price, confidence, exponent, publishTime). The round is the time of publication, as in PythAggregatorV3. */
function pythAnswerOf(price: ViewAnswer | undefined): FeedAnswer | undefined {
  const [answer, publishTime] = [intOf(price, 0), uintOf(price, 3)];
  if (answer === undefined || publishTime === undefined || publishTime > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return { answer, updatedAt: Number(publishTime), roundId: publishTime };
}

/** PythAggregatorV3.decimals follows the exponent. */
function exponentOf(price: ViewAnswer | undefined): bigint | undefined {
  const exponent = intOf(price, 2);
  return exponent === undefined ? undefined : -exponent;
}

import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import { addressesOf, intOf, textOf, topicOf, uintOf, viewCall } from '../lib/words.ts';
import { Journal } from '../mirror/journal.ts';
import type { Mirrored, Reading, Undo, ViewCheck } from '../mirror/types.ts';
import type { Feeds } from './feeds.ts';
import { CONFIG_SET_TOPICS } from './ocr-signatures.ts';
import {
  type AggregatorState,
  isAuctioned,
  NEW_TRANSMISSION_TOPICS,
  PRIMARY_UNLOCKED,
  type Round,
  SECONDARY_ROUND,
  withLog,
} from './ocr-state.ts';
import type { FeedAnswer, FeedId } from './types.ts';

const SENDERS_CHANGED = topicOf('event AuthorizedSendersChanged(address[] senders, address changedBy)');
const FORWARDER_TOPICS = [SENDERS_CHANGED];
const AGGREGATOR_TOPICS = [...CONFIG_SET_TOPICS, ...NEW_TRANSMISSION_TOPICS, SECONDARY_ROUND, PRIMARY_UNLOCKED];

const alone =
  (call: ReturnType<typeof viewCall>) =>
  (to: Address): ViewCall => ({ ...call(to), alone: true });

/** What is asked about an aggregator when it becomes known, or has a new configuration. Versions name the list of transmitters differently. */
const configReads = [
  viewCall('function latestConfigDetails()'),
  viewCall('function transmitters()'),
  viewCall('function getTransmitters()'),
  viewCall('function minAnswer()'),
  viewCall('function maxAnswer()'),
  viewCall('function typeAndVersion()'),
  // NOTE: both answer contracts only by permission, or never: Multicall3 would be refused.
  alone(viewCall('function latestTransmissionDetails()')),
  alone(viewCall('function latestRoundData()')),
];
const authorizedSenders = viewCall('function getAuthorizedSenders()');
/** `maxNumOracles`; a forwarder with more senders than this is none of Chainlink's. */
const MAX_TRANSMITTERS = 31;
const MAX_SENDERS = 64;

type Entry = { readonly aggregator: Address; state: AggregatorState | undefined };
type Transmitter = { senders: ReadonlySet<Address> | null | undefined };
type Asked = { readonly entries: readonly Entry[]; readonly transmitters: readonly Address[] };

/** What is mirrored about the aggregators behind the wanted feeds, for judging transmissions that are not mined yet. */
export interface AggregatorBook {
  state(aggregator: Address): AggregatorState | undefined;
  /** Who may call this transmitter's `forward`; null: it is no forwarder; undefined: not known yet. */
  sendersOf(transmitter: Address): ReadonlySet<Address> | null | undefined;
  feedsOf(aggregator: Address): readonly FeedId[];
  answer(feed: FeedId): FeedAnswer | undefined;
  /** Does this proxy of a DualAggregator answer what `transmitSecondary` brought? Undefined until a block has told. */
  auctioned(aggregator: Address, feed: FeedId): boolean | undefined;
  /** Addresses that a transmission is sent to: aggregators and transmitters. The same set until it changes. */
  targets(): ReadonlySet<Address>;
}

/**
 * The aggregators behind the wanted feeds. Everything is read once and then follows from logs: an idle block asks for nothing here.
 * NOTE: it stands behind `Feeds` in the mirror, whose answers of the same block it looks at.
 */
export class OcrAggregators implements Mirrored, AggregatorBook {
  readonly id = 'aggregators';
  readonly fromBlock = 0;
  readonly #feeds: Feeds;
  readonly #journal = new Journal();
  readonly #entries = new Map<Address, Entry>();
  readonly #transmitters = new Map<Address, Transmitter>();
  /** By aggregator and proxy. Which one is auctioned is fixed in the contract: never taken back. */
  readonly #auctioned = new Map<string, boolean>();
  /** Of the block that is being folded in. */
  #logs: readonly RawLog[] = [];
  #asked: Asked = { entries: [], transmitters: [] };
  #filters: readonly LogFilter[] = [];
  #targets: ReadonlySet<Address> = new Set();

  constructor(feeds: Feeds) {
    this.#feeds = feeds;
  }

  state(aggregator: Address): AggregatorState | undefined {
    return this.#entries.get(aggregator)?.state;
  }

  sendersOf(transmitter: Address): ReadonlySet<Address> | null | undefined {
    return this.#transmitters.get(transmitter)?.senders;
  }

  answer(feed: FeedId): FeedAnswer | undefined {
    return this.#feeds.answer(feed);
  }

  feedsOf(aggregator: Address): readonly FeedId[] {
    return this.#feeds.feedsOf(aggregator);
  }

  auctioned(aggregator: Address, feed: FeedId): boolean | undefined {
    return this.#auctioned.get(pairOf(aggregator, feed));
  }

  targets(): ReadonlySet<Address> {
    return this.#targets;
  }

  discoveryFilters(): readonly LogFilter[] {
    return [];
  }

  discover(_logs: readonly RawLog[]): void {}

  *anchor(_block: Head): Reading {
    this.#journal.stop();
    this.#entries.clear();
    this.#transmitters.clear();
    // Transmitters are known only when their aggregators have been read.
    for (let round = 0; round < 2; round++) this.#take(yield this.#ask());
  }

  filters(): readonly LogFilter[] {
    const aggregators = [...this.#feeds.aggregators()];
    // Accounts change nothing; endpoints take a thousand addresses in one call.
    const transmitters = [...this.#transmitters].filter(([, { senders }]) => senders !== null).map(([address]) => address);
    const had = this.#filters.flatMap(({ addresses }) => addresses ?? []);
    const wanted = [...aggregators, ...transmitters];
    if (had.length === wanted.length && wanted.every((address, place) => had[place] === address)) return this.#filters;
    this.#filters = [
      { addresses: aggregators, topics0: AGGREGATOR_TOPICS },
      { addresses: transmitters, topics0: FORWARDER_TOPICS },
    ].filter(({ addresses }) => addresses.length > 0);
    return this.#filters;
  }

  apply(block: Head, logs: readonly RawLog[]): Undo {
    this.#journal.begin();
    this.#logs = logs;
    for (const log of logs) {
      const entry = this.#entries.get(log.address);
      if (entry?.state !== undefined) this.#applyTo(entry, entry.state, block, log);
      const transmitter = this.#transmitters.get(log.address);
      if (transmitter !== undefined && log.topics[0] === SENDERS_CHANGED) this.#journal.set(transmitter, 'senders', undefined);
    }
    return this.#journal.take();
  }

  reads(_block: Head): readonly ViewCall[] {
    return this.#ask();
  }

  ingest(_block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    this.#take(answers);
    this.#learn();
    return this.#journal.take();
  }

  audit(_block: BlockRef, _limit: number, _seed: number): readonly ViewCheck[] {
    return [];
  }

  #applyTo(entry: Entry, state: AggregatorState, block: Head, log: RawLog): void {
    const configured = log.topics[0] !== undefined && CONFIG_SET_TOPICS.includes(log.topics[0]);
    this.#journal.set(entry, 'state', configured ? undefined : withLog(state, log, block.timestamp));
  }

  #ask(): readonly ViewCall[] {
    for (const aggregator of this.#feeds.aggregators())
      if (!this.#entries.has(aggregator)) this.#entries.set(aggregator, { aggregator, state: undefined });
    const entries = [...this.#entries.values()].filter(({ state }) => state === undefined);
    const transmitters = [...this.#transmitters].filter(([, { senders }]) => senders === undefined).map(([address]) => address);
    this.#asked = { entries, transmitters };
    return [
      ...entries.flatMap(({ aggregator }) => configReads.map((read) => read(aggregator))),
      ...transmitters.map((address) => authorizedSenders(address)),
    ];
  }

  #take(answers: readonly ViewAnswer[]): void {
    const { entries, transmitters } = this.#asked;
    if (entries.length + transmitters.length === 0) return;
    for (const [place, entry] of entries.entries()) {
      const state = stateOf(answers.slice(place * configReads.length, (place + 1) * configReads.length));
      this.#journal.set(entry, 'state', state);
      for (const address of state.transmitters)
        if (!this.#transmitters.has(address)) this.#journal.setKey(this.#transmitters, address, { senders: undefined });
    }
    const rest = entries.length * configReads.length;
    for (const [place, address] of transmitters.entries())
      this.#journal.set(this.#transmitters.get(address)!, 'senders', sendersIn(answers[rest + place]));
    // NOTE: never taken back; an address too many costs a look at a transaction.
    this.#targets = new Set([...this.#entries.keys(), ...this.#transmitters.keys()]);
  }

  #learn(): void {
    for (const { aggregator, state } of this.#entries.values()) {
      const logs = state?.dual ? this.#logs.filter(({ address }) => address === aggregator) : [];
      if (state === undefined || logs.length === 0) continue;
      for (const feed of this.#feeds.feedsOf(aggregator)) {
        const answer = this.#feeds.answer(feed);
        const told = answer && isAuctioned(state, logs, Number(BigInt.asUintN(64, answer.roundId)));
        if (told !== undefined) this.#auctioned.set(pairOf(aggregator, feed), told);
      }
    }
  }
}

function pairOf(aggregator: Address, feed: FeedId): string {
  return `${aggregator}${feed}`;
}

/** NOTE: an aggregator that answers none of this is remembered as such (no transmitters), so that it is not asked again every block. */
function stateOf([config, transmitters, getTransmitters, least, most, type, latest, round]: readonly ViewAnswer[]): AggregatorState {
  const epoch = uintOf(latest, 1);
  const inEpoch = uintOf(latest, 2);
  const first = firstRound(round);
  return {
    configDigest: config?.ok ? `0x${config.data.slice(2 + 128, 2 + 192)}` : '0x',
    configBlock: Number(BigInt.asUintN(32, uintOf(config, 1) ?? 0n)),
    transmitters: new Set(addressesOf(transmitters, MAX_TRANSMITTERS) ?? addressesOf(getTransmitters, MAX_TRANSMITTERS) ?? []),
    minAnswer: intOf(least),
    maxAnswer: intOf(most),
    dual: textOf(type)?.startsWith('DualAggregator') === true,
    latestEpochAndRound: epoch === undefined || inEpoch === undefined ? 0 : Number(BigInt.asUintN(40, (epoch << 8n) | inEpoch)),
    rounds: first === undefined ? [] : [first],
    secondary: undefined,
  };
}

/** AggregatorV3Interface.latestRoundData: (roundId, answer, startedAt, updatedAt, answeredInRound); of OCR2 `startedAt` is when it was observed. */
function firstRound(answer: ViewAnswer | undefined): Round | undefined {
  const [id, value, observedAt, updatedAt] = [uintOf(answer, 0), intOf(answer, 1), uintOf(answer, 2), uintOf(answer, 3)];
  if (id === undefined || value === undefined || observedAt === undefined || updatedAt === undefined) return undefined;
  return {
    id: Number(BigInt.asUintN(32, id)),
    answer: value,
    observationsTimestamp: Number(observedAt),
    updatedAt: Number(updatedAt),
    by: undefined,
  };
}

/** An account without code answers nothing; a contract that is no forwarder reverts. */
function sendersIn(answer: ViewAnswer | undefined): ReadonlySet<Address> | null {
  const senders = addressesOf(answer, MAX_SENDERS);
  return senders === undefined ? null : new Set(senders);
}

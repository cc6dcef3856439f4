/** Price updates before they land: which transmissions count, and what feeds will answer after them. Pure. */
import { max } from '../lib/math.ts';
import type { Address, Hex } from '../lib/types.ts';
import { decodeTransmission, type Transmission } from './ocr.ts';
import type { AggregatorBook } from './ocr-aggregators.ts';
import type { AggregatorState, Round } from './ocr-state.ts';
import type { FeedAnswer, FeedId } from './types.ts';

/** A transaction that is not mined yet, from the public mempool in full or as a hint of what a private one does. */
export type Sighting = PublicSighting | HintSighting;

export type PublicSighting = {
  readonly kind: 'public';
  readonly txHash: Hex;
  /** The signed transaction: its hash is `txHash`. */
  readonly raw: Hex;
  readonly from: Address;
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  readonly gas: bigint;
  readonly maxFeePerGasWei: bigint;
  readonly maxPriorityFeePerGasWei: bigint;
  /** performance.now() when its message arrived. */
  readonly seenAtMs: number;
};

export type HintSighting = {
  readonly kind: 'hint';
  readonly txHash: Hex;
  readonly to: Address;
  readonly data: Hex;
  readonly seenAtMs: number;
};

export type PriceUpdate = {
  readonly sighting: Sighting;
  readonly transmission: Transmission;
  /** What the wanted feeds answer if this alone is included next, at the timestamp given when it was judged. Never empty. */
  readonly feeds: ReadonlyMap<FeedId, FeedAnswer>;
};

export type RejectReason =
  /** Begins like a transmission, but is not encoded like one. */
  | 'malformed'
  /** Of an aggregator behind none of the wanted feeds. */
  | 'unknown-aggregator'
  | 'not-a-transmitter'
  /** The forwarder does not know the sender. */
  | 'unauthorized-sender'
  | 'wrong-digest'
  /** Not newer than the last one that was mined. */
  | 'stale'
  /** None of the wanted feeds answers what comes this way: the other path of a DualAggregator. */
  | 'moves-no-feed'
  /** The aggregator itself refuses it: outside its bounds, or OCR1 with unsorted observations. */
  | 'out-of-range'
  | 'unsorted'
  /** Further from the present answer than a single update ever goes: only its signatures can speak for it. */
  | 'implausible';

export type Rejected = {
  readonly reason: RejectReason;
  readonly sighting: Sighting;
  readonly aggregator: Address | undefined;
};

export type Judgement =
  | { readonly kind: 'update'; readonly update: PriceUpdate }
  /** `held`: what it would be, if its signatures are genuine. */
  | { readonly kind: 'rejected'; readonly rejected: Rejected; readonly held?: PriceUpdate };

/** What is known of the chain at the mirrored block. */
export type Known = Pick<AggregatorBook, 'state' | 'sendersOf' | 'feedsOf' | 'auctioned'> & {
  answer(feed: FeedId): FeedAnswer | undefined;
};

/** Feeds are updated when they are off by a percent or less; half of the larger value is a report from another world. */
const MAX_DEVIATION_BPS = 5_000n;
const BPS = 10_000n;
const PHASE_SHIFT = 64n;

/**
 * Everything about a sighting that costs no signature recovery.
 *
 * @param timestamp of the block that will include it
 */
export function judgeSighting(sighting: Sighting, known: Known, timestamp: number): Judgement {
  const transmission = decodeTransmission(sighting.to, sighting.data);
  const rejected = (reason: RejectReason) => ({
    kind: 'rejected' as const,
    rejected: { reason, sighting, aggregator: transmission?.aggregator },
  });
  if (transmission === undefined) return rejected('malformed');
  const state = known.state(transmission.aggregator);
  if (state === undefined || known.feedsOf(transmission.aggregator).length === 0) return rejected('unknown-aggregator');
  const refusal = whyRefused(sighting, transmission, state, known);
  if (refusal !== undefined) return rejected(refusal);
  const feeds = answersAfter([{ sighting, transmission }], known, timestamp);
  if (feeds.size === 0) return rejected('moves-no-feed');
  const update = { sighting, transmission, feeds };
  const plausible = [...feeds].every(([feed, { answer }]) => isPlausible(answer, known.answer(feed)?.answer));
  return plausible ? { kind: 'update', update } : { ...rejected('implausible'), held: update };
}

function whyRefused(sighting: Sighting, transmission: Transmission, state: AggregatorState, known: Known): RejectReason | undefined {
  const { forwarder, median, observations, ocr } = transmission;
  const from = sighting.kind === 'public' ? sighting.from : undefined;
  // A hint does not say who sends; without a forwarder nobody can be held against the list.
  const transmitter = forwarder ?? from;
  if (transmitter !== undefined && !state.transmitters.has(transmitter)) return 'not-a-transmitter';
  if (forwarder !== undefined && !mayForward(from, known.sendersOf(forwarder))) return 'unauthorized-sender';
  if (transmission.configDigest !== state.configDigest) return 'wrong-digest';
  if (state.minAnswer === undefined || state.maxAnswer === undefined) return 'out-of-range';
  if (median < state.minAnswer || median > state.maxAnswer) return 'out-of-range';
  if (!isAhead({ sighting, transmission }, known)) return 'stale';
  if (ocr === 1 && observations.some((value, place) => place > 0 && value < observations[place - 1]!)) return 'unsorted';
  return undefined;
}

function mayForward(from: Address | undefined, senders: ReadonlySet<Address> | null | undefined): boolean {
  if (senders === null) return false;
  return from === undefined || senders === undefined || senders.has(from);
}

function isPlausible(answer: bigint, present: bigint | undefined): boolean {
  if (answer <= 0n) return false;
  if (present === undefined || present <= 0n) return true;
  const apart = answer > present ? answer - present : present - answer;
  return apart * BPS <= max(answer, present) * MAX_DEVIATION_BPS;
}

type Landing = Pick<PriceUpdate, 'sighting' | 'transmission'>;
/** An aggregator while several updates reach it in one block. */
type Ahead = { epochAndRound: number; secondaryRound: number; readonly rounds: Reached[] };
/** The round that an update makes its aggregator answer; without a time, it is that of the block. */
type Reached = Omit<Round, 'updatedAt' | 'by'> & { readonly updatedAt: number | undefined };

/**
 * What the wanted feeds answer at the end of a block that includes these updates in this order, where that differs from now. An update that
 * another one before it makes stale would revert, and changes nothing.
 *
 * Round and time: OCR2Aggregator._report; of a DualAggregator transmitSecondary and _getLatestRound.
 */
export function answersAfter(ordered: readonly Landing[], known: Known, timestamp: number): Map<FeedId, FeedAnswer> {
  const answers = new Map<FeedId, FeedAnswer>();
  const aheads = new Map<Address, Ahead>();
  for (const { transmission } of ordered) {
    const { aggregator } = transmission;
    const state = known.state(aggregator);
    if (state === undefined) continue;
    const ahead = aheads.get(aggregator) ?? aheadOf(state);
    aheads.set(aggregator, ahead);
    const reached = land(transmission, ahead);
    if (reached === undefined) continue;
    for (const feed of known.feedsOf(aggregator)) {
      const before = known.answer(feed);
      if (before === undefined || !moves(feed, transmission, state, known)) continue;
      const roundId = ((before.roundId >> PHASE_SHIFT) << PHASE_SHIFT) | BigInt(reached.id);
      answers.set(feed, { answer: reached.answer, updatedAt: reached.updatedAt ?? timestamp, roundId });
    }
  }
  return answers;
}

/** Would the aggregator still take it at the mirrored block? False once it, or a newer one, was mined. */
export function isAhead({ transmission }: Landing, known: Known): boolean {
  const state = known.state(transmission.aggregator);
  return state !== undefined && land(transmission, aheadOf(state)) !== undefined;
}

function aheadOf(state: AggregatorState): Ahead {
  return { epochAndRound: state.latestEpochAndRound, secondaryRound: state.secondary?.round ?? 0, rounds: [...state.rounds] };
}

/** The round that it reaches, with `ahead` moved there; undefined when it would revert as stale. */
function land({ secondary, epochAndRound, observationsTimestamp, median }: Transmission, ahead: Ahead): Reached | undefined {
  // DualAggregator._doesReportExist: a report that the primary path brought already is merely unlocked for the auctioned proxy.
  const isSame = (round: Reached) => round.observationsTimestamp === observationsTimestamp && round.answer === median;
  const present = secondary ? ahead.rounds.findLast(isSame) : undefined;
  if (present !== undefined) {
    if (present.id <= ahead.secondaryRound) return undefined;
    ahead.secondaryRound = present.id;
    return present;
  }
  if (epochAndRound <= ahead.epochAndRound) return undefined;
  const reached = { id: (ahead.rounds.at(-1)?.id ?? 0) + 1, answer: median, observationsTimestamp, updatedAt: undefined };
  ahead.epochAndRound = epochAndRound;
  ahead.rounds.push(reached);
  if (secondary) ahead.secondaryRound = reached.id;
  return reached;
}

/** Until a block has told which proxy of a DualAggregator is the auctioned one, each counts as that: consumers of such feeds read through it. */
function moves(feed: FeedId, { aggregator, secondary }: Transmission, { dual }: AggregatorState, known: Known): boolean {
  return secondary === (dual && (known.auctioned(aggregator, feed) ?? true));
}

/** May the prices that a liquidation rests on be believed? Each doubt is named, with its figures. */
import type { FeedAnswer, FeedId, FeedState } from '../oracles/types.ts';
import type { SkipCode, SkipReason } from '../strategy/types.ts';

/** Seconds are the chain's own: a chain's clock may lie years off this machine's. */
export type OracleBounds = {
  /** Oldest answer of a feed whose heartbeat is not known. */
  readonly maxFeedAgeSeconds: number;
  /** Longest time between two answers of a feed, where the operator knows it. */
  readonly heartbeatSeconds: Readonly<Record<FeedId, number>>;
  /** Most that an answer may differ from the one before, as a share of the larger of both. */
  readonly maxJumpBps: bigint;
  /** Most that the pools' rate may differ from the oracle's, as a share of the larger of both. */
  readonly maxPoolDeviationBps: bigint;
  /** How long borrowers have after an outage of the sequencer to mend their positions. */
  readonly sequencerGraceSeconds: number;
};

/** What an L2's uptime feed tells; undefined answers are a feed that does not tell. */
export type SequencerState = { readonly answer: bigint | undefined; readonly startedAt: bigint | undefined };

const BPS = 10_000n;
/** Above these bits a proxy's round id tells which aggregator answered (EACAggregatorProxy.addPhase). */
const PHASE_SHIFT = 64n;

/**
 * One feed at a moment.
 *
 * @param at the answer at the moment: the mirrored one, or a pending update's
 */
export function checkFeed(
  feed: FeedId,
  at: FeedAnswer | undefined,
  state: FeedState,
  timestamp: number,
  bounds: OracleBounds,
): SkipReason | undefined {
  if (at === undefined) return doubt('oracle-stale', { feed, cause: 'it does not answer' });
  if (at.answer <= 0n) return doubt('oracle-not-positive', { feed, answer: String(at.answer) });
  if (at.updatedAt === 0) return doubt('oracle-frozen', { feed, roundId: String(at.roundId), cause: 'the round is not complete' });
  const limitSeconds = bounds.heartbeatSeconds[feed] ?? bounds.maxFeedAgeSeconds;
  const ageSeconds = timestamp - at.updatedAt;
  if (ageSeconds > limitSeconds) return doubt('oracle-stale', { feed, ageSeconds: String(ageSeconds), limitSeconds: String(limitSeconds) });
  const pending = !sameRound(at, state.answer);
  return checkRounds(feed, pending ? state.answer : state.before, at, pending ? undefined : state, bounds) ?? checkDecimals(feed, state);
}

/** @param mirrored undefined for a round that is pending: of that nothing but the answer is known */
function checkRounds(
  feed: FeedId,
  before: FeedAnswer | undefined,
  now: FeedAnswer,
  mirrored: FeedState | undefined,
  { maxJumpBps }: OracleBounds,
): SkipReason | undefined {
  const answeredInRound = mirrored?.answeredInRound ?? 0n;
  // Contracts without rounds of their own answer 0.
  if (answeredInRound !== 0n && answeredInRound < now.roundId)
    return doubt('oracle-frozen', { feed, roundId: String(now.roundId), answeredInRound: String(answeredInRound) });
  if (before === undefined) return undefined;
  const [phaseBefore, phase] = [before.roundId >> PHASE_SHIFT, now.roundId >> PHASE_SHIFT];
  if (mirrored !== undefined && phaseBefore !== phase)
    return doubt('oracle-changed', { feed, phaseBefore: String(phaseBefore), phase: String(phase) });
  if (now.updatedAt < before.updatedAt)
    return doubt('oracle-frozen', { feed, updatedAt: String(now.updatedAt), updatedBefore: String(before.updatedAt) });
  const movedBps = differenceBps(before.answer, now.answer);
  if (movedBps > maxJumpBps)
    return doubt('oracle-jump', {
      ...{ feed, answerBefore: String(before.answer), answer: String(now.answer) },
      ...{ movedBps: String(movedBps), limitBps: String(maxJumpBps) },
    });
  return undefined;
}

function checkDecimals(feed: FeedId, { decimals, firstDecimals }: FeedState): SkipReason | undefined {
  if (firstDecimals === undefined || decimals === firstDecimals) return undefined;
  return doubt('oracle-changed', { feed, decimalsBefore: String(firstDecimals), decimals: String(decimals ?? 'none') });
}

/** Chainlink's L2 uptime feeds: 0 is up, 1 is down, since `startedAt`; a feed that was never told has `startedAt` 0. */
export function checkSequencer({ answer, startedAt }: SequencerState, timestamp: number, bounds: OracleBounds): SkipReason | undefined {
  if (answer === undefined || startedAt === undefined || startedAt === 0n)
    return doubt('sequencer-down', { cause: 'its uptime feed does not tell' });
  const seconds = BigInt(timestamp) - startedAt;
  if (answer !== 0n) return doubt('sequencer-down', { downSeconds: String(seconds) });
  // As PriceOracleSentinel: the grace period's last second is part of it.
  if (seconds <= BigInt(bounds.sequencerGraceSeconds))
    return doubt('sequencer-down', { upSeconds: String(seconds), graceSeconds: String(bounds.sequencerGraceSeconds) });
  return undefined;
}

/** What pools give for something, held against what the oracle says it is worth. Both in the same raw units. */
export function checkPool(
  pair: { readonly sold: string; readonly bought: string },
  poolRaw: bigint,
  oracleRaw: bigint,
  { maxPoolDeviationBps }: OracleBounds,
): SkipReason | undefined {
  const deviationBps = differenceBps(poolRaw, oracleRaw);
  if (deviationBps <= maxPoolDeviationBps) return undefined;
  return doubt('oracle-off-pool', {
    ...pair,
    ...{ poolRaw: String(poolRaw), oracleRaw: String(oracleRaw) },
    ...{ deviationBps: String(deviationBps), limitBps: String(maxPoolDeviationBps) },
  });
}

/** How far two numbers lie apart, as a share of the larger, rounded up; everything where one of them is not positive and the other is. */
export function differenceBps(one: bigint, other: bigint): bigint {
  const [less, more] = one < other ? [one, other] : [other, one];
  if (less === more) return 0n;
  if (less <= 0n) return BPS;
  return ((more - less) * BPS + more - 1n) / more;
}

function sameRound(one: FeedAnswer, other: FeedAnswer | undefined): boolean {
  return one.roundId === other?.roundId && one.answer === other.answer && one.updatedAt === other.updatedAt;
}

function doubt(reason: SkipCode, figures: SkipReason['figures']): SkipReason {
  return { reason, figures };
}

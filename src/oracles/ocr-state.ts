/** An aggregator as far as it decides what becomes of a transmission, and what its logs change about that. Pure. */
import type { Address, Hex, RawLog } from '../lib/types.ts';
import { dataWord, topicOf } from '../lib/words.ts';

const NEW_TRANSMISSION_1 = topicOf(
  'event NewTransmission(uint32 indexed aggregatorRoundId, int192 answer, address transmitter, int192[] observations, bytes observers, bytes32 rawReportContext)',
);
const NEW_TRANSMISSION_2 = topicOf(
  'event NewTransmission(uint32 indexed aggregatorRoundId, int192 answer, address transmitter, uint32 observationsTimestamp, int192[] observations, bytes observers, int192 juelsPerFeeCoin, bytes32 configDigest, uint40 epochAndRound)',
);
export const NEW_TRANSMISSION_TOPICS: readonly Hex[] = [NEW_TRANSMISSION_1, NEW_TRANSMISSION_2];
export const PRIMARY_UNLOCKED = topicOf('event PrimaryFeedUnlocked(uint32 indexed primaryRoundId)');
export const SECONDARY_ROUND = topicOf('event SecondaryRoundIdUpdated(uint32 indexed secondaryRoundId)');

/** DualAggregator looks no further back for a report that it has (`maxSyncIterations` on mainnet). */
const ROUNDS_KEPT = 20;

/** `updatedAt`: the timestamp of the block that took the report; `by`: the transaction that brought it, where that was seen. */
export type Round = {
  readonly id: number;
  readonly answer: bigint;
  readonly observationsTimestamp: number | undefined;
  readonly updatedAt: number;
  readonly by: Hex | undefined;
};

export type AggregatorState = {
  /** 32 bytes; OCR1's 16 padded on the right. `0x`: it has no configuration, or is no aggregator that we know. */
  readonly configDigest: Hex;
  readonly configBlock: number;
  readonly transmitters: ReadonlySet<Address>;
  readonly minAnswer: bigint | undefined;
  readonly maxAnswer: bigint | undefined;
  /** A DualAggregator: it answers an auctioned proxy with its own rounds. */
  readonly dual: boolean;
  readonly latestEpochAndRound: number;
  /** Ascending, the latest last. */
  readonly rounds: readonly Round[];
  /** The latest round that its auctioned proxy got by a transmission of its own; undefined: none has been seen. */
  readonly secondary: { readonly round: number; readonly by: Hex } | undefined;
};

type Transmitted = { readonly round: Round; readonly epochAndRound: number };

/** The state after one of these logs. Throws a RangeError on a log that is too short for its signature. */
export function withLog(state: AggregatorState, log: RawLog, blockTimestamp: number): AggregatorState {
  if (log.topics[0] === SECONDARY_ROUND) return { ...state, secondary: { round: idOf(log), by: log.transactionHash } };
  const transmitted = roundOf(log, blockTimestamp);
  if (transmitted === undefined) return state;
  const rounds = [...state.rounds, transmitted.round].slice(-ROUNDS_KEPT);
  return { ...state, rounds, latestEpochAndRound: transmitted.epochAndRound };
}

function roundOf(log: RawLog, updatedAt: number): Transmitted | undefined {
  const round = { id: idOf(log), answer: BigInt.asIntN(256, dataWord(log, 0)), updatedAt, by: log.transactionHash };
  const last40 = (word: number) => Number(BigInt.asUintN(40, dataWord(log, word)));
  if (log.topics[0] === NEW_TRANSMISSION_1) return { round: { ...round, observationsTimestamp: undefined }, epochAndRound: last40(4) };
  if (log.topics[0] === NEW_TRANSMISSION_2)
    return { round: { ...round, observationsTimestamp: Number(dataWord(log, 2)) }, epochAndRound: last40(7) };
  return undefined;
}

function idOf(log: RawLog): number {
  return Number(BigInt.asUintN(32, BigInt(log.topics[1] ?? '0x0')));
}

/**
 * Is a proxy of this DualAggregator the auctioned one? Told by its answer in a block that brought one round by one path: within that block the
 * auctioned proxy alone answers a round that came by `transmitSecondary`, and every other one alone a round that came by `transmit`. Undefined when the block does not tell.
 *
 * @param logs of the aggregator in the block
 * @param answered the round that the proxy answers at its end, without the phase
 */
export function isAuctioned(state: AggregatorState, logs: readonly RawLog[], answered: number): boolean | undefined {
  const latest = state.rounds.at(-1);
  if (!state.dual || latest === undefined || !logs.some((log) => log.transactionHash === latest.by)) return undefined;
  const unlocked = logs.filter(
    ({ topics }) => topics[0] === SECONDARY_ROUND && topics[1] !== undefined && BigInt(topics[1]) === BigInt(latest.id),
  );
  const bySecondary = unlocked.some(({ transactionHash }) => transactionHash === latest.by);
  const byBoth = bySecondary ? logs.some(({ topics }) => topics[0] === PRIMARY_UNLOCKED) : unlocked.length > 0;
  if (byBoth) return undefined;
  return bySecondary === (answered === latest.id);
}

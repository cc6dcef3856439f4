/** What a pool's oracle answers (`UniswapV3Pool.observe`), from its logs: v3-core `Oracle`. Not for the seconds per liquidity. */
import type { RawLog } from '../../lib/types.ts';
import { dataWord, intOf, topicOf, uintOf, viewCall } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { TOPIC, VIEW } from './abi.ts';
import type { UniswapV3Pool } from './pool.ts';

const GROWN = topicOf('event IncreaseObservationCardinalityNext(uint16,uint16)');
/** Beside the pool's own (`POOL_TOPICS`). */
export const OBSERVATION_TOPICS = [GROWN] as const;

const observationAt = viewCall('function observations(uint256)');
const MAX_READ_AT_ONCE = 200;

type Observation = { readonly timestamp: number; readonly tickCumulative: number };

/**
 * The newest of a pool's observations, as a value: enough of them for averages over `keepSeconds`.
 *
 * A pool's tick changes in no block without an observation of the tick before, so between two observations it is constant, and what `observe` interpolates
 * is exact whole numbers: the sum of ticks over time.
 */
export class Observations {
  readonly entries: readonly Observation[];
  readonly keepSeconds: number;
  /** Of the ring: where the newest is, how many places it uses, how many it will use. */
  readonly ring: { readonly index: number; readonly cardinality: number; readonly next: number };

  constructor(entries: readonly Observation[], ring: { index: number; cardinality: number; next: number }, keepSeconds: number) {
    this.entries = entries;
    this.ring = ring;
    this.keepSeconds = keepSeconds;
  }

  /** `observe` for one moment, not before the newest observation but by `tick`, the current one; undefined where the pool would answer OLD. */
  cumulativeAt(timestamp: number, tick: number): number | undefined {
    const newest = this.entries.at(-1)!;
    if (timestamp >= newest.timestamp) return newest.tickCumulative + tick * (timestamp - newest.timestamp);
    let at = this.entries.length - 1;
    while (at >= 0 && this.entries[at]!.timestamp > timestamp) at--;
    const [before, after] = [this.entries[at], this.entries[at + 1]!];
    if (before === undefined) return undefined;
    const slope = Math.trunc((after.tickCumulative - before.tickCumulative) / (after.timestamp - before.timestamp));
    return before.tickCumulative + slope * (timestamp - before.timestamp);
  }

  /** What one of the pool's logs, mined at `timestamp`, adds. `before` and `after`: the pool around that log. */
  fold(log: RawLog, before: UniswapV3Pool, after: UniswapV3Pool, timestamp: number): Observations {
    switch (log.topics[0]) {
      case TOPIC.swap:
        return before.tick === after.tick ? this : this.#written(timestamp, before.tick);
      case TOPIC.mint:
      case TOPIC.burn:
        return before.curve.liquidity === after.curve.liquidity ? this : this.#written(timestamp, before.tick);
      case GROWN:
        return new Observations(this.entries, { ...this.ring, next: Number(dataWord(log, 1)) }, this.keepSeconds);
      default:
        return this;
    }
  }

  /** `Oracle.write`: once a block. */
  #written(timestamp: number, tick: number): Observations {
    const newest = this.entries.at(-1)!;
    if (newest.timestamp === timestamp) return this;
    const { index, next } = this.ring;
    const cardinality = next > this.ring.cardinality && index === this.ring.cardinality - 1 ? next : this.ring.cardinality;
    const entry = { timestamp, tickCumulative: newest.tickCumulative + tick * (timestamp - newest.timestamp) };
    const entries = [...this.entries, entry].slice(-cardinality);
    return new Observations(
      recent(entries, timestamp - this.keepSeconds),
      { index: (index + 1) % cardinality, cardinality, next },
      this.keepSeconds,
    );
  }
}

/** Reads a pool's newest observations: those after `timestamp - keepSeconds`, and the one before. */
export function* readObservations(pool: UniswapV3Pool, timestamp: number, keepSeconds: number): Reading<Observations> {
  const { address } = pool.identity;
  const [slot] = yield [VIEW.slot0(address)];
  const [index, cardinality, next] = [2, 3, 4].map((word) => uintOf(slot, word));
  if (index === undefined || cardinality === undefined || next === undefined || cardinality === 0n || index >= cardinality)
    throw new MirrorError(`pool ${address} tells nothing of its observations`);
  const entries: Observation[] = [];
  const since = timestamp - keepSeconds;
  for (let asked = 0n; asked < cardinality && (entries[0]?.timestamp ?? timestamp) >= since; ) {
    const places = Array.from({ length: Number(minOf(BigInt(MAX_READ_AT_ONCE), cardinality - asked)) }, (_, i) => asked + BigInt(i));
    const answers = yield places.map((back) => observationAt(address, (index - back + cardinality) % cardinality));
    asked += BigInt(places.length);
    for (const answer of answers) {
      const [at, tickCumulative, initialized] = [uintOf(answer), intOf(answer, 1), uintOf(answer, 3)];
      if (at === undefined || tickCumulative === undefined) throw new MirrorError(`pool ${address} does not answer observations`);
      // Places of a ring that grew and is not used up to there yet.
      if (initialized === 1n) entries.unshift({ timestamp: Number(at), tickCumulative: Number(tickCumulative) });
    }
  }
  const ring = { index: Number(index), cardinality: Number(cardinality), next: Number(next) };
  return new Observations(recent(entries, since), ring, keepSeconds);
}

/** Without what lies before the last observation at or before `since`. */
function recent(entries: readonly Observation[], since: number): readonly Observation[] {
  const first = entries.findLastIndex(({ timestamp }) => timestamp <= since);
  return first <= 0 ? entries : entries.slice(first);
}

function minOf(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

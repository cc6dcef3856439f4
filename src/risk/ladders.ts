/**
 * The limits that factors must not cross, in buckets of 2^-7 of their value, so that a move finds those it crossed without looking at most others. Each factor
 * has two ladders of them: what it may not fall below, and what it may not rise above.
 */
import { grown } from '../lib/grown.ts';

const wide = new Float64Array(1);
const halves = new Int32Array(wide.buffer);
/** Which half of a double has its sign, exponent and first 20 bits. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
/** Of the 20 bits of the fraction in that half, 7 tell the bucket. */
const SHIFT = 13;
/** Buckets added beyond the one that is needed, and of those that are there this part. */
const SPARE = 16;
const SPARE_PART = 0.25;
/** Room for a price that moves 4,000-fold either way; who makes it move further (anybody may be an oracle) gets no memory for it. */
const MOST_BUCKETS = 24 * 128;

export const NOTHING = -1;

/** The upper half of a number that is not below 0: greater numbers have the same or a greater one. A limit is kept as its key. */
export function keyOf(value: number): number {
  wide[0] = value;
  return halves[HIGH]!;
}

/** Of a bucket: its first chunk of marks, the first mark in it that is free, and how many are not. */
export const CHUNK = 0;
export const FREE = 1;
export const TAKEN = 2;
export const BUCKET = 4;

/** Of a ladder: the number of its first bucket, how many it has, and where the first one stands. */
const LOWEST = 0;
const LENGTH = 1;
const BASE = 2;
const LADDER = 4;

export class Ladders {
  /** Those of all ladders, `BUCKET` integers for each. */
  buckets = new Int32Array(0);
  #end = 0;
  /** `LADDER` integers for each. */
  #ladders = new Int32Array(0);

  /** Where in `buckets` that of a key stands on a ladder; `NOTHING` where the ladder would become too long. */
  place(ladder: number, key: number): number {
    const ladders = this.#ladders;
    const at = ladder * LADDER;
    if (at + LADDER > ladders.length) return this.#widen(ladder, key >> SHIFT);
    const index = (key >> SHIFT) - ladders[at + LOWEST]!;
    return index >= 0 && index < ladders[at + LENGTH]! ? ladders[at + BASE]! + index * BUCKET : this.#widen(ladder, key >> SHIFT);
  }

  /** The same of a key that has a bucket. */
  known(ladder: number, key: number): number {
    const at = ladder * LADDER;
    return this.#ladders[at + BASE]! + ((key >> SHIFT) - this.#ladders[at + LOWEST]!) * BUCKET;
  }

  /** The first bucket in which keys from this one on can be; behind the last one where none can. */
  from(ladder: number, key: number): number {
    const ladders = this.#ladders;
    const at = ladder * LADDER;
    if (at + LADDER > ladders.length) return 0;
    return ladders[at + BASE]! + Math.min(Math.max((key >> SHIFT) - ladders[at + LOWEST]!, 0), ladders[at + LENGTH]!) * BUCKET;
  }

  /** Behind the last bucket in which keys up to this one can be. */
  until(ladder: number, key: number): number {
    const ladders = this.#ladders;
    const at = ladder * LADDER;
    if (at + LADDER > ladders.length) return 0;
    return ladders[at + BASE]! + Math.min(Math.max((key >> SHIFT) + 1 - ladders[at + LOWEST]!, 0), ladders[at + LENGTH]!) * BUCKET;
  }

  /** It moves to where there is room. */
  #widen(ladder: number, bucket: number): number {
    const at = ladder * LADDER;
    if (at + LADDER > this.#ladders.length) this.#ladders = grown(this.#ladders, at + LADDER);
    const ladders = this.#ladders;
    const [before, lowestBefore] = [ladders[at + LENGTH]!, ladders[at + LOWEST]!];
    const spare = SPARE + Math.ceil(before * SPARE_PART);
    const lowest = before === 0 ? bucket - spare : bucket < lowestBefore ? bucket - spare : lowestBefore;
    const highest = before === 0 || bucket >= lowestBefore + before ? bucket + spare : lowestBefore + before - 1;
    const length = highest - lowest + 1;
    if (length > MOST_BUCKETS) return NOTHING;
    const base = this.#end;
    this.#end += length * BUCKET;
    if (this.#end > this.buckets.length) this.buckets = grown(this.buckets, this.#end);
    for (let place = base; place < this.#end; place += BUCKET) {
      this.buckets[place + CHUNK] = NOTHING;
      this.buckets[place + FREE] = NOTHING;
      this.buckets[place + TAKEN] = 0;
    }
    const from = ladders[at + BASE]!;
    if (before > 0) this.buckets.copyWithin(base + (lowestBefore - lowest) * BUCKET, from, from + before * BUCKET);
    ladders[at + LOWEST] = lowest;
    ladders[at + LENGTH] = length;
    ladders[at + BASE] = base;
    return base + (bucket - lowest) * BUCKET;
  }
}

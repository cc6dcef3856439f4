/**
 * The marks in the buckets of all ladders: where a term has its limit, and whose it is. They stand in chunks, so that those of a bucket are read one after
 * another, and what is read of whose they are does not wait for the one before. A mark stays where it is as long as its limit stays in the bucket.
 */
import { grown } from '../lib/grown.ts';
import { CHUNK, FREE, Ladders, NOTHING, TAKEN } from './ladders.ts';

/** Marks in a chunk, in the place of the first of which stands the next chunk of the bucket. */
export const CHUNK_MARKS = 16;
/** Integers of a mark: the limit's key, and the header of the position; 0 or below where the mark is free. */
export const KEY = 0;
export const OWNER = 1;
export const MARK_FIELDS = 2;

export class Marks {
  readonly ladders = new Ladders();
  /** `MARK_FIELDS` integers for each. */
  integers = new Int32Array(0);
  /** Marks in all chunks. */
  #end = 0;
  /** The first of the chunks that no bucket has. */
  #spare = NOTHING;

  /** Makes room for so many in all, at once, and for what stays empty in their chunks. */
  reserve(marks: number): void {
    this.#makeRoom(Math.ceil((marks * CHUNK_MARKS) / (CHUNK_MARKS - 1)));
  }

  /** The key of a mark's limit. */
  keyOf(mark: number): number {
    return this.integers[mark * MARK_FIELDS + KEY]!;
  }

  /** Another key of the same bucket. */
  setKey(mark: number, key: number): void {
    this.integers[mark * MARK_FIELDS + KEY] = key;
  }

  /** A mark in the bucket at a place. */
  put(bucket: number, key: number, owner: number): number {
    const { buckets } = this.ladders;
    if (buckets[bucket + FREE] === NOTHING) this.#addChunk(buckets, bucket);
    const { integers } = this;
    const mark = buckets[bucket + FREE]!;
    buckets[bucket + FREE] = ~integers[mark * MARK_FIELDS + OWNER]!;
    buckets[bucket + TAKEN]!++;
    integers[mark * MARK_FIELDS + KEY] = key;
    integers[mark * MARK_FIELDS + OWNER] = owner;
    return mark;
  }

  /** NOTE: a free mark names the next one by its complement, which is below 0 for each, and 0 for none: no header stands at 0. */
  takeAway(bucket: number, mark: number): void {
    const { buckets } = this.ladders;
    this.integers[mark * MARK_FIELDS + OWNER] = ~buckets[bucket + FREE]!;
    buckets[bucket + FREE] = mark;
    if (--buckets[bucket + TAKEN]! === 0) this.#giveBack(buckets, bucket);
  }

  #addChunk(buckets: Int32Array, bucket: number): void {
    const chunk = this.#takeChunk();
    const { integers } = this;
    const last = chunk + CHUNK_MARKS - 1;
    for (let mark = chunk + 1; mark <= last; mark++) integers[mark * MARK_FIELDS + OWNER] = ~(mark === last ? NOTHING : mark + 1);
    integers[chunk * MARK_FIELDS] = buckets[bucket + CHUNK]!;
    buckets[bucket + CHUNK] = chunk;
    buckets[bucket + FREE] = chunk + 1;
  }

  #takeChunk(): number {
    const spare = this.#spare;
    if (spare !== NOTHING) {
      this.#spare = this.integers[spare * MARK_FIELDS]!;
      return spare;
    }
    const chunk = this.#end;
    this.#end += CHUNK_MARKS;
    this.#makeRoom(this.#end);
    return chunk;
  }

  /** All chunks of a bucket in which nothing is left. */
  #giveBack(buckets: Int32Array, bucket: number): void {
    const { integers } = this;
    for (let chunk = buckets[bucket + CHUNK]!; chunk !== NOTHING; ) {
      const next = integers[chunk * MARK_FIELDS]!;
      integers[chunk * MARK_FIELDS] = this.#spare;
      this.#spare = chunk;
      chunk = next;
    }
    buckets[bucket + CHUNK] = NOTHING;
    buckets[bucket + FREE] = NOTHING;
  }

  #makeRoom(marks: number): void {
    if (marks * MARK_FIELDS > this.integers.length) this.integers = grown(this.integers, marks * MARK_FIELDS);
  }
}

/**
 * Room for the terms of many positions in one growable buffer: a term's 32 bytes stand beside those of its position's other terms, so that looking at a
 * position touches memory in one place. What is given back is used again.
 */
import type { Ladder } from './ladder.ts';

/** Doubles in an entry: coefficient, limit, and the room of four integers. */
export const WIDTH = 4;
export const COEFFICIENT = 0;
export const LIMIT = 1;
/** Integers in an entry; the first four are its two doubles. */
export const FIELDS = 8;
/** The entries after and before it in its bucket; `NONE` at the ends. */
export const NEXT = 4;
export const BEFORE = 5;
export const SLOT = 6;
export const FACTOR = 7;

export const NONE = -1;
/** As the entry before: it is in no bucket. */
export const LOOSE = -2;

const LEAST_ROOM = 64;

export class Entries {
  doubles = new Float64Array(WIDTH * LEAST_ROOM);
  /** The same memory as integers. */
  integers = new Int32Array(this.doubles.buffer);
  #end = 0;
  /** Places given back, by the number of entries that fit. */
  readonly #free: number[][] = [];

  /** Makes room for so many in all, at once. */
  reserve(entries: number): void {
    if (entries * WIDTH <= this.doubles.length) return;
    const larger = new Float64Array(entries * WIDTH);
    larger.set(this.doubles);
    this.doubles = larger;
    this.integers = new Int32Array(larger.buffer);
  }

  /** A place for so many entries, one beside the other, none of them in a bucket. */
  take(count: number): number {
    let first = this.#free[count]?.pop();
    if (first === undefined) {
      first = this.#end;
      this.#end += count;
      if (this.#end * WIDTH > this.doubles.length) this.reserve(Math.ceil(this.#end * 1.5));
    }
    for (let entry = first; entry < first + count; entry++) this.integers[entry * FIELDS + BEFORE] = LOOSE;
    return first;
  }

  giveBack(first: number, count: number): void {
    if (count === 0) return;
    this.#free[count] ??= [];
    this.#free[count].push(first);
  }

  /** Puts an entry that is in no bucket into that of its limit. False where there is none. */
  link(entry: number, ladder: Ladder): boolean {
    const index = ladder.place(this.doubles[entry * WIDTH + LIMIT]!);
    if (index === undefined) return false;
    const { integers } = this;
    const head = ladder.heads[index]!;
    integers[entry * FIELDS + NEXT] = head;
    integers[entry * FIELDS + BEFORE] = NONE;
    if (head !== NONE) integers[head * FIELDS + BEFORE] = entry;
    ladder.heads[index] = entry;
    return true;
  }

  /** Takes an entry out of its bucket, if it is in one; its limit must still be what it was put there by. */
  unlink(entry: number, ladder: Ladder): void {
    const { integers } = this;
    const before = integers[entry * FIELDS + BEFORE]!;
    if (before === LOOSE) return;
    const next = integers[entry * FIELDS + NEXT]!;
    if (next !== NONE) integers[next * FIELDS + BEFORE] = before;
    if (before === NONE) ladder.heads[ladder.place(this.doubles[entry * WIDTH + LIMIT]!)!] = next;
    else integers[before * FIELDS + NEXT] = next;
    integers[entry * FIELDS + BEFORE] = LOOSE;
  }
}

/**
 * Room for what is kept of many positions in one growable buffer: of each a header and behind it its terms, 32 bytes each, so that looking at a position
 * touches memory in one place. What is given back is used again.
 */
import type { Ladder } from './ladder.ts';

/** Doubles in an entry: a term's coefficient and limit, and the room of four integers. */
export const WIDTH = 4;
export const COEFFICIENT = 0;
export const LIMIT = 1;
/** Integers in an entry; the first four are its two doubles. */
export const FIELDS = 8;
/** The entries after and before a term's in its bucket; `NONE` at the ends. */
export const NEXT = 4;
export const BEFORE = 5;
/** The header of the term's position. */
export const HEADER = 6;
export const FACTOR = 7;

/** Of a header, in place of the coefficient; NaN where the position cannot be bounded. */
export const CONSTANT = 0;
/** Of a header: its terms, the number of the last walk that met it or `OPEN`, its place among those that are open, and its slot, or `NONE` where it was given back. */
export const COUNT = 2;
export const MET = 3;
export const PLACE = 4;
export const SLOT = 6;

export const NONE = -1;
/** As the entry before: it is in no bucket. */
export const LOOSE = -2;

const LEAST_ROOM = 64;
/** Above this the room that is left empty would be large. */
const LARGE = 100_000;

export class Entries {
  doubles = new Float64Array(WIDTH * LEAST_ROOM);
  /** The same memory as integers. */
  integers = new Int32Array(this.doubles.buffer);
  /** NOTE: no header stands at 0, which stands for none. */
  #end = 1;
  /** Places given back, by the number of entries that fit. */
  readonly #free: number[][] = [];

  /** Entries, and places given back, in all. From the header at 1 on, each tells by its `COUNT` where the next one stands. */
  get end(): number {
    return this.#end;
  }

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
      if (this.#end * WIDTH > this.doubles.length) this.reserve(Math.ceil(this.#end * (this.#end > LARGE ? 1.125 : 1.5)));
    }
    for (let entry = first; entry < first + count; entry++) this.integers[entry * FIELDS + BEFORE] = LOOSE;
    return first;
  }

  giveBack(first: number, count: number): void {
    this.#free[count] ??= [];
    this.#free[count].push(first);
    this.integers[first * FIELDS + COUNT] = count - 1;
    this.integers[first * FIELDS + SLOT] = NONE;
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

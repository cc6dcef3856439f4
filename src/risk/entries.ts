/**
 * Room for what is kept of many positions in one growable buffer: of each a header and behind it its terms, so that looking at a position touches memory in
 * one place, two or three lines of a cache. What is given back is used again.
 */

/** Doubles that a header takes: its constant, and the room of four integers. */
export const HEADER = 3;
/** Doubles that a term takes: its coefficient, and the room of two integers. */
export const TERM = 2;

// NOTE: doubles are counted from a header or a term, integers from twice that.

/** Of a header: NaN where the position cannot be bounded. */
export const CONSTANT = 0;
/** Of a header: its terms, the number of the last walk that met it or `OPEN`, its place among those that are open, and its slot, or `NONE` where it was given back. */
export const COUNT = 2;
export const MET = 3;
export const PLACE = 4;
export const SLOT = 5;

export const COEFFICIENT = 0;
/** Of a term: the mark of its limit, `NONE` where it has none, and the ladder that this is on, which tells the factor too. */
export const MARK = 2;
export const LADDER = 3;

export const NONE = -1;
/** In place of a walk: it is looked at at every moment, whatever its limits say. */
export const OPEN = -1;

const LEAST_ROOM = 256;
/** Above this the room that is left empty would be large. */
const LARGE = 400_000;

/** The ladder for a coefficient of a factor: those on an even one may not fall below their limit, the others not rise above it. The factor is half its number. */
export function ladderOf(factor: number, coefficient: number): number {
  return 2 * factor + (coefficient >= 0 ? 0 : 1);
}

export class Entries {
  doubles = new Float64Array(LEAST_ROOM);
  /** The same memory as integers. */
  integers = new Int32Array(this.doubles.buffer);
  /** NOTE: no header stands at 0, which stands for none. */
  #end = 1;
  /** Places given back, by the number of terms that fit. */
  readonly #free: number[][] = [];

  /** Headers and terms, and places given back, in all. From the header at 1 on, each tells by its `COUNT` where the next one stands. */
  get end(): number {
    return this.#end;
  }

  /** Makes room for so many doubles in all, at once. */
  reserve(length: number): void {
    if (length <= this.doubles.length) return;
    const larger = new Float64Array(length);
    larger.set(this.doubles);
    this.doubles = larger;
    this.integers = new Int32Array(larger.buffer);
  }

  /** A header's place, with room for so many terms behind it. */
  take(terms: number): number {
    const free = this.#free[terms]?.pop();
    if (free !== undefined) return free;
    const header = this.#end;
    this.#end += HEADER + terms * TERM;
    if (this.#end > this.doubles.length) this.reserve(Math.ceil(this.#end * (this.#end > LARGE ? 1.125 : 1.5)));
    return header;
  }

  giveBack(header: number): void {
    const terms = this.integers[2 * header + COUNT]!;
    this.#free[terms] ??= [];
    this.#free[terms].push(header);
    this.integers[2 * header + SLOT] = NONE;
  }

  /** The place behind its last term, where the next header stands. */
  after(header: number): number {
    return header + HEADER + this.integers[2 * header + COUNT]! * TERM;
  }
}

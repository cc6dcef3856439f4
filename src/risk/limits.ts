import { MOST_TERMS } from '../protocols/bounds.ts';
import { COEFFICIENT, type Entries, HEADER, LADDER, MARK, NONE, TERM } from './entries.ts';
import { keyOf, NOTHING } from './ladders.ts';
import { Marks } from './marks.ts';

/** A factor may fall to half and rise to double before its positions are looked at again, however safe they are. */
const MOST_FALL = 0.5;
const MOST_RISE = 1;
/** So many limits are put at once. */
const BATCH = 4 * MOST_TERMS;

/** How far each factor of each position may move against it before it has to be looked at again, as marks on the ladders of the factors. */
export class Limits {
  readonly marks = new Marks();
  readonly #entries: Entries;
  readonly #onNoRoom: (header: number) => void;
  /** Terms that are to have limits, the keys of these, and whose they are. */
  readonly #terms = new Int32Array(BATCH);
  readonly #keys = new Int32Array(BATCH);
  readonly #owners = new Int32Array(BATCH);
  /** The keys that they have now, if any. */
  readonly #oldKeys = new Int32Array(BATCH);
  #length = 0;

  /** @param onNoRoom told of a position one of whose limits no ladder has room for */
  constructor(entries: Entries, onNoRoom: (header: number) => void) {
    this.#entries = entries;
    this.#onNoRoom = onNoRoom;
  }

  /**
   * Works out a limit for each of the position's factors around where it is now, which is put with those of others: at the latest by `put`.
   *
   * @param slack the position's at these factors, above 0
   */
  workOut(header: number, slack: number, factors: Float64Array): void {
    const { doubles, integers } = this.#entries;
    const end = this.#entries.after(header);
    if (this.#length + MOST_TERMS > BATCH) this.put();
    const room = this.#roomOf(header, slack, factors);
    for (let term = header + HEADER; term < end; term += TERM) {
      const ladder = integers[2 * term + LADDER]!;
      const value = factors[ladder >> 1]!;
      const part = room / rootOf(doubles[term + COEFFICIENT]! * value);
      // What adds nothing cannot add less.
      if (value === 0 && (ladder & 1) === 0) this.#takeAway(term);
      else
        this.#add(
          term,
          keyOf((ladder & 1) === 0 ? value * (1 - Math.min(part, MOST_FALL)) : value * (1 + Math.min(part, MOST_RISE))),
          header,
        );
    }
  }

  /**
   * Puts the limits that were worked out, in steps: where they were is looked up, buckets are found, old marks are taken away, new ones are put. What is read of
   * memory in each step lies all over it, and as nothing is decided by it before the next step, much of it is read at once.
   */
  put(): void {
    this.#readOldKeys();
    this.#findBuckets();
    this.#takeOldAway();
    this.#putNew();
    this.#length = 0;
  }

  /** Takes all limits of the position away. */
  takeAway(header: number): void {
    for (let term = header + HEADER, end = this.#entries.after(header); term < end; term += TERM) this.#takeAway(term);
  }

  /** What every part of the sum may lose, by the power of -1/4 of its share: those that weigh little may move further, and are met less often for it. */
  #roomOf(header: number, slack: number, factors: Float64Array): number {
    const { doubles, integers } = this.#entries;
    let gross = 0;
    let weight = 0;
    for (let term = header + HEADER, end = this.#entries.after(header); term < end; term += TERM) {
      const value = Math.abs(doubles[term + COEFFICIENT]! * factors[integers[2 * term + LADDER]! >> 1]!);
      const root = rootOf(value);
      gross += value;
      weight += root * root * root;
    }
    // Of nothing but zeros nothing is to be said.
    return weight > 0 ? (slack * gross) / weight : 0;
  }

  #add(term: number, key: number, header: number): void {
    this.#terms[this.#length] = term;
    this.#keys[this.#length] = key;
    this.#owners[this.#length++] = header;
  }

  #readOldKeys(): void {
    const { integers } = this.#entries;
    for (let place = 0; place < this.#length; place++)
      this.#oldKeys[place] = this.marks.keyOf(Math.max(0, integers[2 * this.#terms[place]! + MARK]!));
  }

  /** Sees to it that there are buckets for the new marks. A term whose old one can stay is done with, and so is one that has no room. NOTE: others move for a new bucket. */
  #findBuckets(): void {
    const { integers } = this.#entries;
    const { marks } = this;
    const { ladders } = marks;
    let length = 0;
    for (let place = 0; place < this.#length; place++) {
      const term = this.#terms[place]!;
      const key = this.#keys[place]!;
      const owner = this.#owners[place]!;
      const ladder = integers[2 * term + LADDER]!;
      const mark = integers[2 * term + MARK]!;
      const bucket = ladders.place(ladder, key);
      if (bucket === NOTHING) {
        this.#takeAway(term);
        this.#onNoRoom(owner);
      } else if (mark !== NONE && ladders.known(ladder, this.#oldKeys[place]!) === bucket) {
        marks.setKey(mark, key);
      } else {
        this.#terms[length] = term;
        this.#keys[length] = key;
        this.#owners[length++] = owner;
      }
    }
    this.#length = length;
  }

  #takeOldAway(): void {
    for (let place = 0; place < this.#length; place++) this.#takeAway(this.#terms[place]!);
  }

  #putNew(): void {
    const { integers } = this.#entries;
    const { marks } = this;
    for (let place = 0; place < this.#length; place++) {
      const term = this.#terms[place]!;
      const key = this.#keys[place]!;
      const bucket = marks.ladders.known(integers[2 * term + LADDER]!, key);
      integers[2 * term + MARK] = marks.put(bucket, key, this.#owners[place]!);
    }
  }

  #takeAway(term: number): void {
    const { integers } = this.#entries;
    const mark = integers[2 * term + MARK]!;
    if (mark === NONE) return;
    const { marks } = this;
    marks.takeAway(marks.ladders.known(integers[2 * term + LADDER]!, marks.keyOf(mark)), mark);
    integers[2 * term + MARK] = NONE;
  }
}

function rootOf(value: number): number {
  return Math.sqrt(Math.sqrt(Math.abs(value)));
}

import { grown } from '../lib/grown.ts';
import type { Moment } from '../oracles/types.ts';
import { type Bounds, ROUNDING, Terms } from '../protocols/bounds.ts';
import type { Slot } from '../protocols/types.ts';
import { BEFORE, COEFFICIENT, Entries, FACTOR, FIELDS, LIMIT, LOOSE, NEXT, NONE, SLOT, WIDTH } from './entries.ts';
import { bucketOf, Ladder } from './ladder.ts';
import { SlotSet } from './slot-set.ts';

/** What is kept of a slot, beside each other: doubles in it, and integers; the first two integers are its double. */
const SLOT_WIDTH = 4;
/** NaN where the position cannot be bounded. */
const CONSTANT = 0;
const SLOT_FIELDS = 8;
const FIRST = 2;
const COUNT = 3;
/** The number of the last walk that met it, or `OPEN`. */
const MET = 4;

/** In place of a walk: it is looked at at every moment, and in no ladder. */
const OPEN = -1;

/** Nearer to being lost than this, a position's health is worth telling. */
const NEAR = 0.05;

/** A factor may fall to half and rise to double before its positions are looked at again, however safe they are. */
const MOST_FALL = 0.5;
const MOST_RISE = 1;

/**
 * Which of a protocol's positions have to be judged at a moment; all others are healthy then, for certain.
 *
 * Each position that is safe has a limit for each of its factors: while none is crossed its sum cannot have reached 0, however they moved together. So a
 * move looks at the positions whose limit it crosses, and at those that are not safe ("open"), and at no others. What is crossed for good gets new limits
 * around where the factors are then. docs/watchlist.md says why nothing is missed.
 */
export class Watchlist {
  readonly #bounds: Bounds;
  readonly #terms = new Terms();
  readonly #entries = new Entries();
  #slots = new Float64Array(0);
  /** The same memory as integers. */
  #fields = new Int32Array(0);
  /** Looked at at every moment; in no ladder. */
  readonly #open = new SlotSet();
  readonly #watched = new SlotSet();
  /** The limits of each factor: those that it may not fall below, and those that it may not rise above. */
  readonly #falls: Ladder[] = [];
  readonly #rises: Ladder[] = [];
  /** Where the factors are that all limits hold around. */
  #factors = new Float64Array(0);
  #crossed = new Int32Array(0);
  #crossings = 0;
  #walk = 0;
  /** Up to where the protocol's changes have been taken in. */
  #place: number;

  /** @param slots those in debt now */
  constructor(bounds: Bounds, slots: Iterable<Slot>) {
    this.#bounds = bounds;
    this.#place = bounds.changes.end;
    for (const slot of slots) this.#read(slot);
  }

  /** Positions in debt, as of the last look. */
  get positions(): number {
    return this.#watched.size;
  }

  /**
   * The slots to judge at this moment, ascending: every position that could be anything but healthy. Undefined where too much has changed since the last
   * look: a new list has to be made.
   *
   * @param keep whether the moment is where things stand from now on, and not one that may never come: later looks start from there
   */
  suspects(at: Moment, keep: boolean): readonly Slot[] | undefined {
    const changed = this.#bounds.changes.since(this.#place);
    if (changed === undefined) return undefined;
    this.#place += changed.length;
    for (const slot of changed) this.#read(slot);
    const factors = this.#bounds.factors(at);
    this.#findCrossed(factors);
    if (keep) this.#moveTo(factors);
    const suspects: Slot[] = [];
    for (let place = this.#open.size - 1; place >= 0; place--) {
      const slot = this.#open.at(place);
      const slack = this.#slack(slot, factors);
      if (!(slack > 0)) suspects.push(slot);
      else if (keep) this.#limit(slot, slack);
    }
    for (let place = 0; place < this.#crossings; place++) {
      const slot = this.#crossed[place]!;
      const slack = this.#slack(slot, factors);
      if (!(slack > 0)) suspects.push(slot);
      if (!keep) continue;
      if (slack > 0) this.#limit(slot, slack);
      else this.#release(slot);
    }
    return suspects.sort((a, b) => a - b);
  }

  /** Takes the position's terms in anew; it is open until the next look. */
  #read(slot: Slot): void {
    if ((slot + 1) * SLOT_WIDTH > this.#slots.length) this.#grow(slot + 1);
    if (this.#watched.has(slot)) {
      this.#release(slot);
      this.#entries.giveBack(this.#fields[slot * SLOT_FIELDS + FIRST]!, this.#fields[slot * SLOT_FIELDS + COUNT]!);
    }
    const terms = this.#terms;
    terms.clear();
    const kind = this.#bounds.safeBound(slot, terms);
    if (kind === 'idle') {
      this.#open.delete(slot);
      this.#watched.delete(slot);
      this.#fields[slot * SLOT_FIELDS + COUNT] = 0;
      return;
    }
    const count = kind === 'bounded' ? terms.count : 0;
    const first = this.#entries.take(count);
    const { doubles, integers } = this.#entries;
    for (let term = 0; term < count; term++) {
      doubles[(first + term) * WIDTH + COEFFICIENT] = terms.coefficients[term]!;
      integers[(first + term) * FIELDS + SLOT] = slot;
      integers[(first + term) * FIELDS + FACTOR] = terms.factors[term]!;
    }
    this.#fields[slot * SLOT_FIELDS + FIRST] = first;
    this.#fields[slot * SLOT_FIELDS + COUNT] = count;
    this.#slots[slot * SLOT_WIDTH + CONSTANT] = kind === 'bounded' ? terms.constant : Number.NaN;
    this.#watched.add(slot);
    this.#setOpen(slot);
  }

  #grow(slots: number): void {
    this.#slots = grown(this.#slots, slots * SLOT_WIDTH);
    this.#fields = new Int32Array(this.#slots.buffer);
  }

  #setOpen(slot: Slot): void {
    this.#open.add(slot);
    this.#fields[slot * SLOT_FIELDS + MET] = OPEN;
  }

  /** By what part all factors may move against the position at once; above 0 only where it is healthy for certain. */
  #slack(slot: Slot, factors: Float64Array): number {
    const { doubles, integers } = this.#entries;
    let above = 0;
    let below = 0;
    const first = this.#fields[slot * SLOT_FIELDS + FIRST]!;
    const end = first + this.#fields[slot * SLOT_FIELDS + COUNT]!;
    for (let entry = first; entry < end; entry++) {
      const value = doubles[entry * WIDTH + COEFFICIENT]! * factors[integers[entry * FIELDS + FACTOR]!]!;
      if (value < 0) below -= value;
      else above += value;
    }
    const constant = this.#slots[slot * SLOT_WIDTH + CONSTANT]!;
    const gross = above + below;
    return (above - below + constant - ROUNDING * (gross + Math.abs(constant))) / gross;
  }

  /** Gives each of the position's factors a limit around where it is now. */
  #limit(slot: Slot, slack: number): void {
    const entries = this.#entries;
    const first = this.#fields[slot * SLOT_FIELDS + FIRST]!;
    const end = first + this.#fields[slot * SLOT_FIELDS + COUNT]!;
    for (let entry = first; entry < end; entry++) {
      const factor = entries.integers[entry * FIELDS + FACTOR]!;
      const value = this.#factors[factor]!;
      const falls = entries.doubles[entry * WIDTH + COEFFICIENT]! >= 0;
      const limit = falls ? value * (1 - Math.min(slack, MOST_FALL)) : value * (1 + Math.min(slack, MOST_RISE));
      const ladder = this.#ladder(falls ? this.#falls : this.#rises, factor);
      const linked = entries.integers[entry * FIELDS + BEFORE] !== LOOSE;
      if (linked && bucketOf(entries.doubles[entry * WIDTH + LIMIT]!) === bucketOf(limit)) {
        entries.doubles[entry * WIDTH + LIMIT] = limit;
        continue;
      }
      entries.unlink(entry, ladder);
      entries.doubles[entry * WIDTH + LIMIT] = limit;
      // What adds nothing cannot add less.
      if (falls && value === 0) continue;
      if (!entries.link(entry, ladder)) {
        this.#release(slot);
        return;
      }
    }
    if (this.#fields[slot * SLOT_FIELDS + MET] === OPEN) {
      this.#open.delete(slot);
      this.#fields[slot * SLOT_FIELDS + MET] = this.#walk;
    } else if (slack > NEAR) return;
    this.#bounds.noteHealth(slot, (1 + slack) / Math.max(0, 1 - slack));
  }

  /** Takes the position out of all ladders: it is looked at at every moment. */
  #release(slot: Slot): void {
    const entries = this.#entries;
    const first = this.#fields[slot * SLOT_FIELDS + FIRST]!;
    const end = first + this.#fields[slot * SLOT_FIELDS + COUNT]!;
    for (let entry = first; entry < end; entry++) {
      const falls = entries.doubles[entry * WIDTH + COEFFICIENT]! >= 0;
      entries.unlink(entry, this.#ladder(falls ? this.#falls : this.#rises, entries.integers[entry * FIELDS + FACTOR]!));
    }
    this.#setOpen(slot);
  }

  #ladder(ladders: Ladder[], factor: number): Ladder {
    ladders[factor] ??= new Ladder();
    return ladders[factor];
  }

  #moveTo(factors: Float64Array): void {
    if (factors.length === this.#factors.length) this.#factors.set(factors);
    else this.#factors = factors.slice();
  }

  // ---- what a move crosses

  /** NOTE: what a factor is limited by that terms named since the last move is open still. */
  #findCrossed(factors: Float64Array): void {
    this.#walk++;
    this.#crossings = 0;
    for (let factor = 0; factor < this.#factors.length; factor++) {
      const before = this.#factors[factor]!;
      const now = factors[factor]!;
      // Who has a factor that could not be told is open.
      if (now === before || Number.isNaN(before)) continue;
      if (Number.isNaN(now)) this.#crossAll(factor);
      else if (now < before) this.#crossFalling(this.#falls[factor], before, now);
      else this.#crossRising(this.#rises[factor], before, now);
    }
  }

  #crossFalling(ladder: Ladder | undefined, before: number, now: number): void {
    if (ladder === undefined) return;
    const { doubles, integers } = this.#entries;
    const to = Math.min(ladder.highest, bucketOf(before)) - ladder.lowest;
    for (let index = Math.max(0, bucketOf(now) - ladder.lowest); index <= to; index++)
      for (let entry = ladder.heads[index]!; entry !== NONE; entry = integers[entry * FIELDS + NEXT]!)
        if (doubles[entry * WIDTH + LIMIT]! > now) this.#cross(integers[entry * FIELDS + SLOT]!);
  }

  #crossRising(ladder: Ladder | undefined, before: number, now: number): void {
    if (ladder === undefined) return;
    const { doubles, integers } = this.#entries;
    const to = Math.min(ladder.highest, bucketOf(now)) - ladder.lowest;
    for (let index = Math.max(0, bucketOf(before) - ladder.lowest); index <= to; index++)
      for (let entry = ladder.heads[index]!; entry !== NONE; entry = integers[entry * FIELDS + NEXT]!)
        if (doubles[entry * WIDTH + LIMIT]! < now) this.#cross(integers[entry * FIELDS + SLOT]!);
  }

  /** Everybody who has this factor, by however little. */
  #crossAll(factor: number): void {
    const { integers } = this.#entries;
    for (let place = 0; place < this.#watched.size; place++) {
      const slot = this.#watched.at(place);
      const first = this.#fields[slot * SLOT_FIELDS + FIRST]!;
      const end = first + this.#fields[slot * SLOT_FIELDS + COUNT]!;
      for (let entry = first; entry < end; entry++) if (integers[entry * FIELDS + FACTOR] === factor) this.#cross(slot);
    }
  }

  #cross(slot: Slot): void {
    const met = this.#fields[slot * SLOT_FIELDS + MET]!;
    if (met === this.#walk || met === OPEN) return;
    this.#fields[slot * SLOT_FIELDS + MET] = this.#walk;
    if (this.#crossings === this.#crossed.length) this.#crossed = grown(this.#crossed, this.#crossings + 1);
    this.#crossed[this.#crossings++] = slot;
  }
}

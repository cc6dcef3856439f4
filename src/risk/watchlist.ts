import { grown } from '../lib/grown.ts';
import type { Moment } from '../oracles/types.ts';
import { type Bounds, Terms } from '../protocols/bounds.ts';
import type { Slot } from '../protocols/types.ts';
import { Crossings } from './crossings.ts';
import { COEFFICIENT, CONSTANT, COUNT, Entries, HEADER, LADDER, ladderOf, MARK, MET, NONE, SLOT, TERM } from './entries.ts';
import { Limits } from './limits.ts';
import { Open } from './open.ts';
import { isLost, slackOf } from './sums.ts';

/** Of somebody looked at: it has to be judged; it is lost for certain. */
const NAMED = 1;
const LOST = 2;

/** Nearer to being lost than this, a position's health is worth telling. */
const NEAR = 0.05;

/** What is done at once; the rest is left for later, or done another way. */
export type Effort = {
  /** Where a move crosses the limits of more than so many, and of one in 32, looking at everybody in turn is quicker than finding them. */
  readonly crossings: number;
  /** Who is open and safe again gets new limits, so many at a time: fewer, down to a quarter, after a move that crosses many, and one in 16 of those that wait. */
  readonly limits: number;
  /** So many suspects and more are told apart in floats first: those that are lost for certain, and those that are to be judged. */
  readonly judged: number;
};

const EFFORT: Effort = { crossings: 4_096, limits: 256, judged: 16 };
/** After so many it is told how much room all of them take, and some more. */
const SAMPLE = 4_096;
const SPARE = 1.02;
/** Of the doubles of an account, so many have a limit. */
const MARKS_PART = 0.5;
const CROSSINGS_PART = 32;
const LIMITS_PART = 4;
const WAITING_PART = 16;

/**
 * Which of a protocol's positions have to be judged at a moment; all others are healthy then, for certain.
 *
 * Each position that is safe has a limit for each of its factors: while none is crossed its sum cannot have reached 0, however they moved together. So a
 * move looks at the positions whose limit it crosses, and at those that are not safe, or not known to be ("open"), and at no others. What is crossed for good
 * gets new limits around where the factors are then. docs/watchlist.md says why nothing is missed.
 */
export class Watchlist {
  readonly #bounds: Bounds;
  readonly #effort: Effort;
  readonly #terms = new Terms();
  readonly #entries = new Entries();
  readonly #open = new Open(this.#entries);
  readonly #limits = new Limits(this.#entries, (header) => this.#open.add(header));
  readonly #crossings = new Crossings(this.#entries, this.#limits);
  /** The header of each slot; 0 for those that are not in debt. */
  #headers = new Int32Array(0);
  #watched = 0;
  /** Read since limits were given last. */
  #changed = 0;
  /** Headers that are looked at, and their slacks: made once and used again. */
  #looked = new Int32Array(0);
  #slacks = new Float64Array(0);
  /** Where the factors are that all limits hold around. */
  #factors = new Float64Array(0);
  /** What the last look found out beside, where it was at everybody. */
  #crash: { readonly suspects: readonly Slot[]; readonly lost: Uint8Array } | undefined;
  /** Before the first move nobody has limits: all get them at once. */
  #begun = false;
  /** Up to where the protocol's changes have been taken in. */
  #place: number;

  /** @param slots those in debt now */
  constructor(bounds: Bounds, slots: Iterable<Slot>, effort: Effort = EFFORT) {
    this.#bounds = bounds;
    this.#effort = effort;
    this.#place = bounds.changes.end;
    const all = [...slots];
    for (let place = 0; place < all.length; place++) {
      // Room that grows with them would be copied again and again.
      if (place === SAMPLE) this.#reserve(all.length / SAMPLE);
      this.#read(all[place]!);
    }
  }

  /** Positions in debt, as of the last look. */
  get positions(): number {
    return this.#watched;
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
    const most = Math.max(this.#effort.crossings, this.#watched / CROSSINGS_PART);
    const few = this.#crossings.find(this.#factors, factors, most);
    // Who is left alone has to be told from who is crossed.
    if (keep && !few) this.#crossings.findAll(this.#factors, factors);
    if (keep) this.#moveTo(factors);
    this.#crash = undefined;
    const suspects = few ? this.#lookAtCrossed(factors, keep).sort((a, b) => a - b) : this.#lookAtAll(factors, keep, at);
    this.#limits.put();
    this.#begun ||= keep;
    return suspects;
  }

  /**
   * Which of the suspects are unhealthy for certain at that moment, so that they need not be judged to know it: 1 at their place, 0 where bigint has the
   * last word. For suspects as they were just named: of what has changed since, nothing is known.
   */
  lost(suspects: readonly Slot[], at: Moment): Uint8Array {
    if (this.#crash?.suspects === suspects) return this.#crash.lost;
    const lost = new Uint8Array(suspects.length);
    const { truth } = this.#bounds;
    if (truth === undefined || suspects.length < this.#effort.judged) return lost;
    const factors = truth.factors(at);
    for (const [place, slot] of suspects.entries()) if (isLost(this.#entries, this.#headers[slot]!, factors, truth.width)) lost[place] = 1;
    return lost;
  }

  #lookAtCrossed(factors: Float64Array, keep: boolean): Slot[] {
    const entries = this.#entries;
    const suspects: Slot[] = [];
    const looks = this.#open.length + this.#crossings.length;
    if (looks > this.#looked.length) [this.#looked, this.#slacks] = [grown(this.#looked, looks), grown(this.#slacks, looks)];
    const [headers, slacks] = [this.#looked, this.#slacks];
    headers.set(this.#open.headers, 0);
    headers.set(this.#crossings.headers, this.#open.length);
    // First of all: what is read of memory all over is read the quicker, the less is done in between.
    for (let look = 0; look < looks; look++) slacks[look] = slackOf(entries, headers[look]!, factors);
    let upkeep = keep ? this.#upkeep(looks) : 0;
    for (let look = 0; look < looks; look++) {
      const slack = slacks[look]!;
      const header = headers[look]!;
      if (!(slack > 0)) suspects.push(entries.integers[2 * header + SLOT]!);
      if (!keep) continue;
      if (slack > 0 && upkeep-- > 0) this.#limit(header, slack);
      else this.#open.add(header);
    }
    return suspects;
  }

  /** As they lie in memory, which has long ceased to be the order of slots. */
  #lookAtAll(factors: Float64Array, keep: boolean, at: Moment): Slot[] {
    const entries = this.#entries;
    const { integers, end } = entries;
    const named = new Uint8Array(this.#headers.length);
    // Who is near in memory is told at once whether it is lost: coming back to 100,000 of them takes as long as finding them.
    const { truth } = this.#bounds;
    const truly = keep ? undefined : truth?.factors(at);
    const { walk } = this.#crossings;
    let upkeep = keep ? this.#upkeep(this.#watched) : 0;
    for (let header = 1; header < end; header = entries.after(header)) {
      const slot = integers[2 * header + SLOT]!;
      if (slot === NONE) continue;
      const slack = slackOf(entries, header, factors);
      if (!(slack > 0)) named[slot] = truly !== undefined && isLost(entries, header, truly, truth!.width) ? LOST : NAMED;
      if (!keep) continue;
      if (slack > 0 && integers[2 * header + MET] !== walk && !this.#open.has(header)) continue;
      if (slack > 0 && upkeep-- > 0) this.#limit(header, slack);
      else this.#open.add(header);
    }
    const suspects: Slot[] = [];
    for (let slot = 0; slot < named.length; slot++) if (named[slot] !== 0) suspects.push(slot);
    if (truly !== undefined) this.#crash = { suspects, lost: Uint8Array.from(suspects, (slot) => (named[slot] === LOST ? 1 : 0)) };
    return suspects;
  }

  /**
   * How many get new limits now, of so many that wait for them: as many as have changed, and some more, the fewer of them the more had to be found. What a move
   * that crosses many leaves is done in quieter looks.
   */
  #upkeep(waiting: number): number {
    const { limits } = this.#effort;
    const least = Math.ceil(Math.max(limits / LIMITS_PART, waiting / WAITING_PART));
    const most = this.#begun ? this.#changed + Math.max(limits - this.#crossings.length, least) : waiting;
    this.#changed = 0;
    return most;
  }

  /** Takes the position's terms in anew; it is open until the next look. */
  #read(slot: Slot): void {
    if (slot >= this.#headers.length) this.#headers = grown(this.#headers, slot + 1);
    this.#forget(slot);
    const terms = this.#terms;
    terms.clear();
    const kind = this.#bounds.safeBound(slot, terms);
    if (kind === 'idle') return;
    const count = kind === 'bounded' ? terms.count : 0;
    const header = this.#entries.take(count);
    const { doubles, integers } = this.#entries;
    for (let place = 0, term = header + HEADER; place < count; place++, term += TERM) {
      const coefficient = terms.coefficients[place]!;
      doubles[term + COEFFICIENT] = coefficient;
      integers[2 * term + MARK] = NONE;
      integers[2 * term + LADDER] = ladderOf(terms.factors[place]!, coefficient);
    }
    doubles[header + CONSTANT] = kind === 'bounded' ? terms.constant : Number.NaN;
    integers[2 * header + COUNT] = count;
    integers[2 * header + SLOT] = slot;
    integers[2 * header + MET] = this.#crossings.walk;
    this.#headers[slot] = header;
    this.#watched++;
    this.#changed++;
    this.#open.add(header);
  }

  #forget(slot: Slot): void {
    const header = this.#headers[slot]!;
    if (header === 0) return;
    this.#limits.takeAway(header);
    this.#open.remove(header, this.#crossings.walk);
    this.#entries.giveBack(header);
    this.#headers[slot] = 0;
    this.#watched--;
  }

  /** It gets limits around where the factors are now, so that it is left alone until one is crossed. */
  #limit(header: number, slack: number): void {
    const open = this.#open.has(header);
    this.#limits.workOut(header, slack, this.#factors);
    if (open) this.#open.remove(header, this.#crossings.walk);
    if (open || slack <= NEAR) this.#bounds.noteHealth(this.#entries.integers[2 * header + SLOT]!, (1 + slack) / Math.max(0, 1 - slack));
  }

  /** Room for so many times what is there. */
  #reserve(times: number): void {
    const doubles = Math.ceil(this.#entries.end * times * SPARE);
    this.#entries.reserve(doubles);
    this.#limits.marks.reserve(Math.ceil(doubles * MARKS_PART));
  }

  #moveTo(factors: Float64Array): void {
    if (factors.length === this.#factors.length) this.#factors.set(factors);
    else this.#factors = factors.slice();
  }
}

import { grown } from '../lib/grown.ts';
import type { Moment } from '../oracles/types.ts';
import { type Bounds, ROUNDING, Terms } from '../protocols/bounds.ts';
import type { Slot } from '../protocols/types.ts';
import {
  BEFORE,
  COEFFICIENT,
  CONSTANT,
  COUNT,
  Entries,
  FACTOR,
  FIELDS,
  HEADER,
  LIMIT,
  LOOSE,
  MET,
  NEXT,
  NONE,
  PLACE,
  SLOT,
  WIDTH,
} from './entries.ts';
import { bucketOf, Ladder } from './ladder.ts';

/** In place of a walk: it is looked at at every moment, whatever its limits say. */
const OPEN = -1;

/** Of somebody looked at: it has to be judged; it is lost for certain. */
const NAMED = 1;
const LOST = 2;

/** Nearer to being lost than this, a position's health is worth telling. */
const NEAR = 0.05;

/** A factor may fall to half and rise to double before its positions are looked at again, however safe they are. */
const MOST_FALL = 0.5;
const MOST_RISE = 1;

/** What is done at once; the rest is left for later, or done another way. */
export type Effort = {
  /** Where a move crosses the limits of more than so many, and of one in 32, looking at everybody in turn is quicker than finding them. */
  readonly crossings: number;
  /** What is open and safe again gets new limits so many at a time, or a quarter of it: a move that crosses thousands costs little more than others. */
  readonly limits: number;
  /** So many suspects and more are told apart in floats first: those that are lost for certain, and those that are to be judged. */
  readonly judged: number;
};

const EFFORT: Effort = { crossings: 4_096, limits: 256, judged: 64 };
/** After so many it is told how much room all of them take, and some more. */
const SAMPLE = 4_096;
const SPARE = 1.02;
const CROSSINGS_PART = 32;
const LIMITS_PART = 4;

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
  /** The header of each slot; 0 for those that are not in debt. */
  #headers = new Int32Array(0);
  #watched = 0;
  /** Headers that are looked at at every moment. */
  #open = new Int32Array(0);
  #opened = 0;
  /** The limits of each factor: those that it may not fall below, and those that it may not rise above. */
  readonly #falls: Ladder[] = [];
  readonly #rises: Ladder[] = [];
  /** Where the factors are that all limits hold around. */
  #factors = new Float64Array(0);
  #crossed = new Int32Array(0);
  #crossings = 0;
  #most = 0;
  #walk = 0;
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
      if (place === SAMPLE) this.#entries.reserve(Math.ceil((this.#entries.end * all.length * SPARE) / SAMPLE));
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
    const few = this.#findCrossed(factors);
    if (keep) this.#moveTo(factors);
    this.#crash = undefined;
    const suspects = few ? this.#lookAtCrossed(factors, keep).sort((a, b) => a - b) : this.#lookAtAll(factors, keep, at);
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
    for (const [place, slot] of suspects.entries()) if (this.#isLost(this.#headers[slot]!, factors, truth.width)) lost[place] = 1;
    return lost;
  }

  /** Whether even the most that its sum can be, each coefficient and the constant being off as far as they may, is below 0. */
  #isLost(header: number, factors: Float64Array, width: number): boolean {
    const { doubles, integers } = this.#entries;
    let above = Math.abs(doubles[header * WIDTH + CONSTANT]!);
    let below = 0;
    const last = header + integers[header * FIELDS + COUNT]!;
    for (let entry = header + 1; entry <= last; entry++) {
      const coefficient = doubles[entry * WIDTH + COEFFICIENT]!;
      const factor = factors[integers[entry * FIELDS + FACTOR]!]!;
      if (coefficient >= 0) above += (coefficient + width) * factor;
      else below += Math.max(0, -coefficient - width) * factor;
    }
    return above - below + ROUNDING * (above + below) < 0;
  }

  #lookAtCrossed(factors: Float64Array, keep: boolean): Slot[] {
    const { integers } = this.#entries;
    const suspects: Slot[] = [];
    let upkeep = this.#upkeep(this.#opened + this.#crossings);
    for (let place = this.#opened - 1; place >= 0; place--) {
      const header = this.#open[place]!;
      const slack = this.#slack(header, factors);
      if (!(slack > 0)) suspects.push(integers[header * FIELDS + SLOT]!);
      else if (keep && upkeep-- > 0) this.#limit(header, slack);
    }
    for (let place = 0; place < this.#crossings; place++) {
      const header = this.#crossed[place]!;
      const slack = this.#slack(header, factors);
      if (!(slack > 0)) suspects.push(integers[header * FIELDS + SLOT]!);
      if (!keep) continue;
      if (slack > 0 && upkeep-- > 0) this.#limit(header, slack);
      else this.#setOpen(header);
    }
    return suspects;
  }

  /** As they lie in memory, which has long ceased to be the order of slots. */
  #lookAtAll(factors: Float64Array, keep: boolean, at: Moment): Slot[] {
    const { integers, end } = this.#entries;
    const named = new Uint8Array(this.#headers.length);
    // Who is near in memory is told at once whether it is lost: coming back to 100,000 of them takes as long as finding them.
    const { truth } = this.#bounds;
    const truly = keep ? undefined : truth?.factors(at);
    let upkeep = this.#upkeep(this.#watched);
    for (let header = 1; header < end; header += 1 + integers[header * FIELDS + COUNT]!) {
      const slot = integers[header * FIELDS + SLOT]!;
      if (slot === NONE) continue;
      const slack = this.#slack(header, factors);
      if (!(slack > 0)) named[slot] = truly !== undefined && this.#isLost(header, truly, truth!.width) ? LOST : NAMED;
      if (!keep) continue;
      const open = integers[header * FIELDS + MET] === OPEN;
      if (!open && slack > 0 && !this.#isCrossed(header, factors)) continue;
      if (slack > 0 && upkeep-- > 0) this.#limit(header, slack);
      else if (!open) this.#setOpen(header);
    }
    const suspects: Slot[] = [];
    for (let slot = 0; slot < named.length; slot++) if (named[slot] !== 0) suspects.push(slot);
    if (truly !== undefined) this.#crash = { suspects, lost: Uint8Array.from(suspects, (slot) => (named[slot] === LOST ? 1 : 0)) };
    return suspects;
  }

  /** How many get new limits now. */
  #upkeep(waiting: number): number {
    return this.#begun ? Math.max(this.#effort.limits, Math.ceil(waiting / LIMITS_PART)) : waiting;
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
    const header = this.#entries.take(count + 1);
    const { doubles, integers } = this.#entries;
    for (let term = 0; term < count; term++) {
      const entry = header + 1 + term;
      doubles[entry * WIDTH + COEFFICIENT] = terms.coefficients[term]!;
      integers[entry * FIELDS + HEADER] = header;
      integers[entry * FIELDS + FACTOR] = terms.factors[term]!;
    }
    doubles[header * WIDTH + CONSTANT] = kind === 'bounded' ? terms.constant : Number.NaN;
    integers[header * FIELDS + COUNT] = count;
    integers[header * FIELDS + SLOT] = slot;
    integers[header * FIELDS + MET] = this.#walk;
    this.#headers[slot] = header;
    this.#watched++;
    this.#setOpen(header);
  }

  #forget(slot: Slot): void {
    const header = this.#headers[slot]!;
    if (header === 0) return;
    const entries = this.#entries;
    const count = entries.integers[header * FIELDS + COUNT]!;
    for (let entry = header + 1; entry <= header + count; entry++) {
      const falls = entries.doubles[entry * WIDTH + COEFFICIENT]! >= 0;
      entries.unlink(entry, this.#ladder(falls ? this.#falls : this.#rises, entries.integers[entry * FIELDS + FACTOR]!));
    }
    this.#setClosed(header);
    entries.giveBack(header, count + 1);
    this.#headers[slot] = 0;
    this.#watched--;
  }

  /** NOTE: it stays in its ladders, where whoever meets it passes it by: taking thousands out at once would take long. */
  #setOpen(header: number): void {
    const { integers } = this.#entries;
    if (integers[header * FIELDS + MET] === OPEN) return;
    if (this.#opened === this.#open.length) this.#open = grown(this.#open, this.#opened + 1);
    integers[header * FIELDS + MET] = OPEN;
    integers[header * FIELDS + PLACE] = this.#opened;
    this.#open[this.#opened++] = header;
  }

  /** The last one takes its place. */
  #setClosed(header: number): void {
    const { integers } = this.#entries;
    if (integers[header * FIELDS + MET] !== OPEN) return;
    const place = integers[header * FIELDS + PLACE]!;
    const last = this.#open[--this.#opened]!;
    this.#open[place] = last;
    integers[last * FIELDS + PLACE] = place;
    integers[header * FIELDS + MET] = this.#walk;
  }

  /** By what part all factors may move against the position at once; above 0 only where it is healthy for certain. */
  #slack(header: number, factors: Float64Array): number {
    const { doubles, integers } = this.#entries;
    let net = 0;
    let gross = 0;
    const last = header + integers[header * FIELDS + COUNT]!;
    for (let entry = header + 1; entry <= last; entry++) {
      const value = doubles[entry * WIDTH + COEFFICIENT]! * factors[integers[entry * FIELDS + FACTOR]!]!;
      net += value;
      gross += Math.abs(value);
    }
    const constant = doubles[header * WIDTH + CONSTANT]!;
    return (net + constant - ROUNDING * (gross + Math.abs(constant))) / gross;
  }

  /** Gives each of the position's factors a limit around where it is now. */
  #limit(header: number, slack: number): void {
    const entries = this.#entries;
    const { doubles, integers } = entries;
    const last = header + integers[header * FIELDS + COUNT]!;
    for (let entry = header + 1; entry <= last; entry++) {
      const factor = integers[entry * FIELDS + FACTOR]!;
      const value = this.#factors[factor]!;
      const falls = doubles[entry * WIDTH + COEFFICIENT]! >= 0;
      const limit = falls ? value * (1 - Math.min(slack, MOST_FALL)) : value * (1 + Math.min(slack, MOST_RISE));
      const ladder = this.#ladder(falls ? this.#falls : this.#rises, factor);
      const linked = integers[entry * FIELDS + BEFORE] !== LOOSE;
      if (linked && bucketOf(doubles[entry * WIDTH + LIMIT]!) === bucketOf(limit)) {
        doubles[entry * WIDTH + LIMIT] = limit;
        continue;
      }
      entries.unlink(entry, ladder);
      doubles[entry * WIDTH + LIMIT] = limit;
      // What adds nothing cannot add less.
      if (falls && value === 0) continue;
      if (!entries.link(entry, ladder)) {
        this.#setOpen(header);
        return;
      }
    }
    if (integers[header * FIELDS + MET] === OPEN) this.#setClosed(header);
    else if (slack > NEAR) return;
    this.#bounds.noteHealth(integers[header * FIELDS + SLOT]!, (1 + slack) / Math.max(0, 1 - slack));
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

  /** False where there are so many that everybody is to be looked at. NOTE: what a factor is limited by that terms named since the last move is open still. */
  #findCrossed(factors: Float64Array): boolean {
    this.#walk++;
    this.#crossings = 0;
    this.#most = Math.max(this.#effort.crossings, this.#watched / CROSSINGS_PART);
    for (let factor = 0; factor < this.#factors.length; factor++) {
      const before = this.#factors[factor]!;
      const now = factors[factor]!;
      // Who has a factor that could not be told is open.
      if (now === before || Number.isNaN(before)) continue;
      if (Number.isNaN(now) || this.#crossings > this.#most) return false;
      if (now < before) this.#crossFalling(this.#falls[factor], before, now);
      else this.#crossRising(this.#rises[factor], before, now);
    }
    return this.#crossings <= this.#most;
  }

  #crossFalling(ladder: Ladder | undefined, before: number, now: number): void {
    if (ladder === undefined) return;
    const { doubles, integers } = this.#entries;
    const to = Math.min(ladder.highest, bucketOf(before)) - ladder.lowest;
    for (let index = Math.max(0, bucketOf(now) - ladder.lowest); index <= to && this.#crossings <= this.#most; index++)
      for (let entry = ladder.heads[index]!; entry !== NONE; entry = integers[entry * FIELDS + NEXT]!)
        if (doubles[entry * WIDTH + LIMIT]! > now) this.#cross(integers[entry * FIELDS + HEADER]!);
  }

  #crossRising(ladder: Ladder | undefined, before: number, now: number): void {
    if (ladder === undefined) return;
    const { doubles, integers } = this.#entries;
    const to = Math.min(ladder.highest, bucketOf(now)) - ladder.lowest;
    for (let index = Math.max(0, bucketOf(before) - ladder.lowest); index <= to && this.#crossings <= this.#most; index++)
      for (let entry = ladder.heads[index]!; entry !== NONE; entry = integers[entry * FIELDS + NEXT]!)
        if (doubles[entry * WIDTH + LIMIT]! < now) this.#cross(integers[entry * FIELDS + HEADER]!);
  }

  #cross(header: number): void {
    const { integers } = this.#entries;
    const met = integers[header * FIELDS + MET]!;
    if (met === this.#walk || met === OPEN) return;
    integers[header * FIELDS + MET] = this.#walk;
    if (this.#crossings === this.#crossed.length) this.#crossed = grown(this.#crossed, this.#crossings + 1);
    this.#crossed[this.#crossings++] = header;
  }

  /** Whether one of its limits does not hold at these factors. */
  #isCrossed(header: number, factors: Float64Array): boolean {
    const { doubles, integers } = this.#entries;
    const last = header + integers[header * FIELDS + COUNT]!;
    for (let entry = header + 1; entry <= last; entry++) {
      const now = factors[integers[entry * FIELDS + FACTOR]!]!;
      const limit = doubles[entry * WIDTH + LIMIT]!;
      if (doubles[entry * WIDTH + COEFFICIENT]! >= 0 ? now < limit : now > limit) return true;
    }
    return false;
  }
}

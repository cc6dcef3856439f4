import { grown } from '../lib/grown.ts';
import { type Entries, ladderOf, MET, OPEN } from './entries.ts';
import { BUCKET, CHUNK, keyOf, NOTHING } from './ladders.ts';
import type { Limits } from './limits.ts';
import { CHUNK_MARKS, KEY, MARK_FIELDS, OWNER } from './marks.ts';

/** The positions of which a move crosses a limit, each once. Those that are open are left out: they are looked at anyway. */
export class Crossings {
  readonly #entries: Entries;
  readonly #limits: Limits;
  #headers = new Int32Array(0);
  #length = 0;
  #walk = 0;

  constructor(entries: Entries, limits: Limits) {
    this.#entries = entries;
    this.#limits = limits;
  }

  get length(): number {
    return this.#length;
  }

  /** The number of the last walk: headers that it met have it. */
  get walk(): number {
    return this.#walk;
  }

  /** NOTE: good until the next are looked for. */
  get headers(): Int32Array {
    return this.#headers.subarray(0, this.#length);
  }

  /**
   * Finds those that a move from some factors to others crosses. False where everybody has to be looked at: there are more than `most`, not all of which are
   * found then, or a factor cannot be told any more. NOTE: what a factor is limited by that terms named since the last move is open still.
   */
  find(before: Float64Array, now: Float64Array, most: number): boolean {
    const few = this.#gather(before, now, most) && this.#length <= most;
    if (few) this.#leaveOut();
    return few;
  }

  /** Finds all, however many they are: those that it met have the number of this walk. */
  findAll(before: Float64Array, now: Float64Array): void {
    this.#gather(before, now, Number.POSITIVE_INFINITY);
    this.#leaveOut();
  }

  /** False where a factor cannot be told. */
  #gather(before: Float64Array, now: Float64Array, most: number): boolean {
    this.#walk++;
    this.#length = 0;
    let told = true;
    for (let factor = 0; factor < before.length; factor++) {
      const from = before[factor]!;
      const to = now[factor]!;
      // Who has a factor that could not be told is open.
      if (to === from || Number.isNaN(from)) continue;
      if (Number.isNaN(to)) {
        told = false;
        continue;
      }
      const fell = to < from;
      this.#cross(ladderOf(factor, fell ? 1 : -1), keyOf(from), keyOf(to), fell, most);
    }
    return told;
  }

  /** Those met before, and those that are open. It reads memory all over, and does nothing else, so that many reads go on at once. */
  #leaveOut(): void {
    const { integers } = this.#entries;
    const headers = this.#headers;
    const walk = this.#walk;
    const end = this.#length;
    let length = 0;
    for (let place = 0; place < end; place++) {
      const header = headers[place]!;
      const met = integers[2 * header + MET]!;
      if (met === walk || met === OPEN) continue;
      integers[2 * header + MET] = walk;
      headers[length++] = header;
    }
    this.#length = length;
  }

  /** Whose key is equal counts as crossed: the limit may be a little less, or more, than its key says. */
  #cross(ladder: number, from: number, to: number, fell: boolean, most: number): void {
    const { integers, ladders } = this.#limits.marks;
    const { buckets } = ladders;
    const sign = fell ? 1 : -1;
    const end = ladders.until(ladder, fell ? from : to);
    for (let bucket = ladders.from(ladder, fell ? to : from); bucket < end && this.#length <= most; bucket += BUCKET) {
      for (let chunk = buckets[bucket + CHUNK]!; chunk !== NOTHING; chunk = integers[chunk * MARK_FIELDS]!) {
        for (let at = (chunk + 1) * MARK_FIELDS; at < (chunk + CHUNK_MARKS) * MARK_FIELDS; at += MARK_FIELDS) {
          const owner = integers[at + OWNER]!;
          if (owner > 0 && (integers[at + KEY]! - to) * sign >= 0) this.#meet(owner);
        }
      }
    }
  }

  #meet(header: number): void {
    if (this.#length === this.#headers.length) this.#headers = grown(this.#headers, this.#length + 1);
    this.#headers[this.#length++] = header;
  }
}

/** The limits that one factor must not cross, in buckets of 2^-12 of their value, so that a move finds those it crossed without looking at the others. */

const wide = new Float64Array(1);
const halves = new Int32Array(wide.buffer);
/** Which half of a double has its exponent. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
/** Of the 20 bits of the fraction in that half, 12 tell the bucket. */
const SHIFT = 8;
/** Buckets added beyond the one that is needed. */
const SPARE = 256;
/** Room for a price that moves 4,000-fold either way; who makes it move further (anybody may be an oracle) gets no memory for it. */
const MOST_BUCKETS = 24 * 4_096;

const NOTHING = -1;

/** The bucket of a positive number: greater numbers have the same or a greater one. */
export function bucketOf(value: number): number {
  wide[0] = value;
  return halves[HIGH]! >> SHIFT;
}

export class Ladder {
  /** The first entry in each bucket, -1 for none. */
  heads = new Int32Array(0);
  /** The bucket of the first of them. */
  lowest = 0;

  get highest(): number {
    return this.lowest + this.heads.length - 1;
  }

  /** The index in `heads` of the bucket of a limit; undefined where the ladder would become too long. */
  place(limit: number): number | undefined {
    const bucket = bucketOf(limit);
    const index = bucket - this.lowest;
    return index >= 0 && index < this.heads.length ? index : this.#widen(bucket);
  }

  #widen(bucket: number): number | undefined {
    const empty = this.heads.length === 0;
    const lowest = empty ? bucket - SPARE : Math.min(this.lowest, bucket - SPARE);
    const highest = empty ? bucket + SPARE : Math.max(this.highest, bucket + SPARE);
    if (highest - lowest >= MOST_BUCKETS) return undefined;
    const wider = new Int32Array(highest - lowest + 1).fill(NOTHING);
    wider.set(this.heads, empty ? 0 : this.lowest - lowest);
    this.heads = wider;
    this.lowest = lowest;
    return bucket - lowest;
  }
}

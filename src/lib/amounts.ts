import { grown } from './grown.ts';

const LIMB = 64n;
/** In place of the upper limb: the amount is kept elsewhere. */
const ELSEWHERE = 2n ** 64n - 1n;
const LEAST_ELSEWHERE = ELSEWHERE << LIMB;

/** Exact amounts by number, in 16 bytes each: two limbs of 64 bits. What is below zero or has more than 128 bits, which no honest token holds, is kept beside. */
export class Amounts {
  #limbs = new BigUint64Array(0);
  readonly #odd = new Map<number, bigint>();

  /** The limbs of the first so many, the lower one first: as they can be written down, with `odd`. */
  limbs(length: number): BigUint64Array {
    return this.#limbs.subarray(0, 2 * length);
  }

  get odd(): ReadonlyMap<number, bigint> {
    return this.#odd;
  }

  /** 0 where nothing was set. */
  get(index: number): bigint {
    const upper = this.#limbs[2 * index + 1]!;
    const lower = this.#limbs[2 * index]!;
    if (upper === 0n) return lower;
    return upper === ELSEWHERE ? this.#odd.get(index)! : (upper << LIMB) | lower;
  }

  /** Of an index for which there is room. */
  set(index: number, amount: bigint): void {
    if (this.#odd.size > 0) this.#odd.delete(index);
    const odd = amount < 0n || amount >= LEAST_ELSEWHERE;
    if (odd) this.#odd.set(index, amount);
    this.#limbs[2 * index] = odd ? 0n : amount;
    this.#limbs[2 * index + 1] = odd ? ELSEWHERE : amount >> LIMB;
  }

  /** Makes room for so many in all. */
  reserve(length: number): void {
    if (2 * length > this.#limbs.length) this.#limbs = grown(this.#limbs, 2 * length);
  }
}

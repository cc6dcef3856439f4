import { grown } from './grown.ts';

const LIMB = 64n;
/** In place of the upper limb: the amount is kept elsewhere. */
const ELSEWHERE = 2n ** 64n - 1n;
/** Each of its words. */
const FULL = 0xffff_ffff;
const WORDS = 4;
/** What turns the place of a word into where it lies: 0 on machines that have the lower word of a limb first. */
const SWAP = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const HALF_LIMB = 2 ** 32;
const WHOLE_LIMB = 2 ** 64;
const LEAST_ELSEWHERE = ELSEWHERE << LIMB;

/** Exact amounts by number, in 16 bytes each: two limbs of 64 bits. What is below zero or has more than 128 bits, which no honest token holds, is kept beside. */
export class Amounts {
  #limbs = new BigUint64Array(0);
  /** The same memory in words of 32 bits, for copying without a bigint. */
  #words = new Uint32Array(this.#limbs.buffer);
  readonly #odd = new Map<number, bigint>();

  /** Is it kept beside? Its words tell nothing then. */
  isOdd(index: number): boolean {
    return this.#odd.has(index);
  }

  /** The 32 bits at a place from 0, the lowest, to 3. */
  word(index: number, place: number): number {
    return this.#words[WORDS * index + (place ^ SWAP)]!;
  }

  /** An amount by its words, of an index for which there is room. Throws a RangeError for one that has to be kept beside. */
  setWords(index: number, w0: number, w1: number, w2: number, w3: number): void {
    if (w2 === FULL && w3 === FULL) throw new RangeError('an amount is left out');
    if (this.#odd.size > 0) this.#odd.delete(index);
    const from = WORDS * index;
    this.#words[from + SWAP] = w0;
    this.#words[from + (1 ^ SWAP)] = w1;
    this.#words[from + (2 ^ SWAP)] = w2;
    this.#words[from + (3 ^ SWAP)] = w3;
  }

  /** 0 where nothing was set. */
  get(index: number): bigint {
    const upper = this.#limbs[2 * index + 1]!;
    const lower = this.#limbs[2 * index]!;
    if (upper === 0n) return lower;
    return upper === ELSEWHERE ? this.#odd.get(index)! : (upper << LIMB) | lower;
  }

  /** As a double, with at most three roundings. */
  float(index: number): number {
    const upper = this.word(index, 3) * HALF_LIMB + this.word(index, 2);
    const lower = this.word(index, 1) * HALF_LIMB + this.word(index, 0);
    if (upper === 0) return lower;
    return this.isOdd(index) ? Number(this.#odd.get(index)) : upper * WHOLE_LIMB + lower;
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
    if (2 * length <= this.#limbs.length) return;
    this.#limbs = grown(this.#limbs, 2 * length);
    this.#words = new Uint32Array(this.#limbs.buffer);
  }
}

/** Where in shared arrays each account's entries stand: beside each other, in a place that grows with them and is used again by others. */
import { grown } from '../../lib/grown.ts';
import type { Slot } from '../types.ts';

/** Entries that a place has room for. */
const SIZES = [2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512];

export class Places {
  #first = new Int32Array(0);
  #counts = new Uint16Array(0);
  /** One more than the number of its size; 0: it has no place. */
  #sizes = new Uint8Array(0);
  #end = 0;
  /** Places given back, by the number of their size. */
  readonly #free: number[][] = SIZES.map(() => []);

  /** A new account, without entries. */
  open(slot: Slot): void {
    if (slot >= this.#first.length) {
      this.#first = grown(this.#first, slot + 1);
      this.#counts = grown(this.#counts, slot + 1);
      this.#sizes = grown(this.#sizes, slot + 1);
    }
    this.#first[slot] = 0;
    this.#counts[slot] = 0;
    this.#sizes[slot] = 0;
  }

  close(slot: Slot): void {
    this.#giveBack(slot);
    this.open(slot);
  }

  /** Entries of all places together. */
  get end(): number {
    return this.#end;
  }

  /** So many entries for an account without any. */
  fill(slot: Slot, count: number, reserve: (entries: number) => void): void {
    if (count === 0) return;
    let size = 0;
    while (count > (SIZES[size] ?? Number.POSITIVE_INFINITY)) size++;
    this.#first[slot] = this.#take(size, reserve);
    this.#counts[slot] = count;
    this.#sizes[slot] = size + 1;
  }

  first(slot: Slot): number {
    return this.#first[slot]!;
  }

  count(slot: Slot): number {
    return this.#counts[slot]!;
  }

  /**
   * Room for one entry more, behind the others. Tells where these were and where they have to be now.
   *
   * @param reserve makes room for so many entries of all accounts together
   */
  append(slot: Slot, reserve: (entries: number) => void): { readonly from: number; readonly to: number } {
    const from = this.first(slot);
    const count = this.count(slot);
    const size = this.#sizes[slot]!;
    if (size === 0 || count === SIZES[size - 1]) {
      this.#giveBack(slot);
      this.#first[slot] = this.#take(size, reserve);
      this.#sizes[slot] = size + 1;
    }
    this.#counts[slot] = count + 1;
    return { from, to: this.first(slot) };
  }

  removeLast(slot: Slot): void {
    this.#counts[slot]!--;
  }

  #take(size: number, reserve: (entries: number) => void): number {
    const entries = SIZES[size];
    if (entries === undefined) throw new RangeError('an account has more entries than there are reserves');
    const free = this.#free[size]!.pop();
    if (free !== undefined) return free;
    const first = this.#end;
    this.#end += entries;
    reserve(this.#end);
    return first;
  }

  /** NOTE: what stands in it is still there until somebody else takes it. */
  #giveBack(slot: Slot): void {
    const size = this.#sizes[slot]!;
    if (size > 0) this.#free[size - 1]!.push(this.first(slot));
  }
}

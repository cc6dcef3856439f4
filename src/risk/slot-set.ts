import { grown } from '../lib/grown.ts';
import type { Slot } from '../protocols/types.ts';

/** A set of slots that is quick to walk through and to change, and that keeps its room. */
export class SlotSet {
  #slots = new Int32Array(0);
  /** One more than where in `#slots` each slot is; 0: it is not there. */
  #places = new Int32Array(0);
  size = 0;

  at(place: number): Slot {
    return this.#slots[place]!;
  }

  has(slot: Slot): boolean {
    return slot < this.#places.length && this.#places[slot] !== 0;
  }

  add(slot: Slot): void {
    if (this.has(slot)) return;
    if (slot >= this.#places.length) this.#places = grown(this.#places, slot + 1);
    if (this.size === this.#slots.length) this.#slots = grown(this.#slots, this.size + 1);
    this.#slots[this.size++] = slot;
    this.#places[slot] = this.size;
  }

  /** The last one takes its place. */
  delete(slot: Slot): void {
    if (!this.has(slot)) return;
    const place = this.#places[slot]! - 1;
    const last = this.#slots[--this.size]!;
    this.#slots[place] = last;
    this.#places[last] = place + 1;
    this.#places[slot] = 0;
  }
}

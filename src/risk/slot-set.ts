import type { Slot } from '../protocols/types.ts';
import { grown } from './grown.ts';

const NOWHERE = -1;

/** A set of slots that is quick to walk through and to change, and that keeps its room. */
export class SlotSet {
  #slots = new Int32Array(0);
  /** Where in `#slots` each slot is. */
  #places = new Int32Array(0);
  size = 0;

  at(place: number): Slot {
    return this.#slots[place]!;
  }

  has(slot: Slot): boolean {
    return slot < this.#places.length && this.#places[slot] !== NOWHERE;
  }

  add(slot: Slot): void {
    if (this.has(slot)) return;
    if (slot >= this.#places.length) this.#places = grown(this.#places, slot + 1, NOWHERE);
    if (this.size === this.#slots.length) this.#slots = grown(this.#slots, this.size + 1, NOWHERE);
    this.#slots[this.size] = slot;
    this.#places[slot] = this.size++;
  }

  /** The last one takes its place. */
  delete(slot: Slot): void {
    if (!this.has(slot)) return;
    const place = this.#places[slot]!;
    const last = this.#slots[--this.size]!;
    this.#slots[place] = last;
    this.#places[last] = place;
    this.#places[slot] = NOWHERE;
  }
}

import type { Undo } from './types.ts';

type Step = () => void;

/**
 * Makes changes of ordinary state (fields, maps, sets, arrays) reversible. Between `begin` and `take` every change made through the journal
 * is remembered; outside (while anchoring) a change costs one comparison and remembers nothing.
 *
 *     journal.begin();
 *     journal.setKey(balances, account, 5n);
 *     const undo = journal.take();   // the Undo that `apply` or `ingest` returns
 */
export class Journal {
  #steps: Step[] | null = null;

  get recording(): boolean {
    return this.#steps !== null;
  }

  /**
   * Starts a record. One left open (its block threw half way) is forgotten: the engine re-anchors whatever threw, and nothing of what an
   * anchor reads may ever be taken back.
   */
  begin(): void {
    this.#steps = [];
  }

  /** Ends a record without a trace; `anchor` calls it first, in case the block before it threw half way. */
  stop(): void {
    this.#steps = null;
  }

  /** Ends the record and returns what takes it back, newest change first; calling that twice does nothing the second time. */
  take(): Undo {
    const steps = this.#steps ?? [];
    this.#steps = null;
    if (steps.length === 0) return nothing;
    return () => {
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) step();
    };
  }

  /** Remembers how to take back a change that the caller makes itself. In hot code test `recording` first and save the closure. */
  record(step: Step): void {
    if (this.#steps !== null) this.#steps.push(step);
  }

  /** `target[key] = value`: a field of an object, or an element of an array or typed array below its length. */
  set<T extends object, K extends keyof T>(target: T, key: K, value: T[K]): void {
    if (this.#steps !== null) {
      const before = target[key];
      const had = key in target;
      this.#steps.push(() => {
        if (had) target[key] = before;
        else delete target[key];
      });
    }
    target[key] = value;
  }

  /** `array.push(value)`; returns the index of the new element. */
  push<T>(array: T[], value: T): number {
    if (this.#steps !== null) {
      const length = array.length;
      this.#steps.push(() => {
        array.length = length;
      });
    }
    return array.push(value) - 1;
  }

  setKey<K, V>(map: Map<K, V>, key: K, value: V): void {
    if (this.#steps !== null) {
      const had = map.has(key);
      const before = map.get(key) as V;
      // NOTE: a key taken back and set again moves to the end of the map's order; nothing may depend on that order.
      this.#steps.push(() => {
        if (had) map.set(key, before);
        else map.delete(key);
      });
    }
    map.set(key, value);
  }

  deleteKey<K, V>(map: Map<K, V>, key: K): void {
    if (!map.has(key)) return;
    if (this.#steps !== null) {
      const before = map.get(key) as V;
      this.#steps.push(() => {
        map.set(key, before);
      });
    }
    map.delete(key);
  }

  addTo<T>(set: Set<T>, value: T): void {
    if (set.has(value)) return;
    this.#steps?.push(() => {
      set.delete(value);
    });
    set.add(value);
  }

  removeFrom<T>(set: Set<T>, value: T): void {
    if (!set.has(value)) return;
    this.#steps?.push(() => {
      set.add(value);
    });
    set.delete(value);
  }
}

/** The Undo of a block that changed nothing. */
export const nothing: Undo = () => {};

/** Faults on demand: which of them apply to a request, counted down as they are used. */
import type { Fault } from './protocol.ts';

const MAX_FAULTS = 64;

export class Faults {
  #active: Fault[] = [];

  add(fault: Fault): void {
    if (this.#active.length >= MAX_FAULTS) throw new Error(`already ${MAX_FAULTS} faults are set`);
    this.#active.push({ ...fault });
  }

  clear(): void {
    this.#active = [];
  }

  list(): Fault[] {
    return this.#active.map((fault) => ({ ...fault }));
  }

  /** The faults of this request; each is used once. Several may apply (a delay and a drop, say). */
  take(method: string): Fault[] {
    const applied = this.#active.filter((fault) => fault.method === undefined || fault.method === method);
    for (const fault of applied) if (fault.count !== undefined) fault.count -= 1;
    this.#active = this.#active.filter(({ count }) => count === undefined || count > 0);
    return applied.map((fault) => ({ ...fault }));
  }
}

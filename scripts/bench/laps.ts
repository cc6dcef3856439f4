/** What an update goes through, in this order. */
export const STAGES = [
  'decode',
  'what is under way',
  'candidates',
  'plan with sizing',
  'guard',
  'encode',
  'sign',
  'durable intent',
  'body and auth signature',
  'write',
] as const;
export type Stage = (typeof STAGES)[number];

/** How long each stage took: whatever passes belongs to the stage that ends next, or to the one that `within` is told of. */
export class Laps {
  readonly #ms = new Map<Stage, number>();
  #since = performance.now();
  totalMs = 0;

  /** The stage that went on until now is this one. */
  end(stage: Stage): void {
    const now = performance.now();
    this.#add(stage, now - this.#since);
    this.#since = now;
  }

  /** Time within another stage, which does not count for that one. */
  within<T>(stage: Stage, work: () => T): T {
    const began = performance.now();
    const result = work();
    const ms = performance.now() - began;
    this.#add(stage, ms);
    this.#since += ms;
    return result;
  }

  ms(stage: Stage): number {
    return this.#ms.get(stage) ?? 0;
  }

  #add(stage: Stage, ms: number): void {
    this.#ms.set(stage, this.ms(stage) + ms);
    this.totalMs += ms;
  }
}

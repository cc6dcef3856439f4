/** What an update goes through, in this order, until the bundle with it is written. */
export const STAGES = [
  'decode',
  'what is under way',
  'candidates',
  'plan with sizing',
  'guard',
  'encode',
  'sign',
  'intent committed',
  'body and auth signature',
  'intent on the disk',
  'write',
] as const;
/** What the bundle without it takes afterwards. */
export const LATER_STAGES = ['second body and auth signature', 'second write'] as const;
export type Stage = (typeof STAGES)[number] | (typeof LATER_STAGES)[number];

/** How long each stage took: whatever passes belongs to the stage that ends next, or to the one that `within` is told of. */
export class Laps {
  readonly #ms = new Map<Stage, number>();
  #since = performance.now();

  /** Until the bundle with the update is written. */
  get totalMs(): number {
    return STAGES.reduce((sum, stage) => sum + this.ms(stage), 0);
  }

  /** Whether this has ended before. */
  has(stage: Stage): boolean {
    return this.#ms.has(stage);
  }

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
  }
}

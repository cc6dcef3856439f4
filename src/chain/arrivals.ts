import type { Freshness } from './types.ts';

/** Gaps remembered. */
const WINDOW = 31;
/** A head is late after this many of the usual gaps. */
const PATIENCE = 5;

/** The rhythm of heads as this machine has seen it. A chain's own timestamps may lie years off and are never compared with our clock. */
export class Arrivals {
  readonly #gaps: number[] = [];
  #lastAt: number;
  /** The first head ends no gap: when the one before it came, nobody here saw. */
  #seen = false;
  #gapMs: number | null = null;

  constructor(nowMs: number) {
    this.#lastAt = nowMs;
  }

  /** `blocks` new blocks became known at once: more than one after an outage, and then their gap is the mean. */
  arrived(nowMs: number, blocks: number): void {
    if (this.#seen) {
      for (let i = 0; i < Math.min(blocks, WINDOW); i++) this.#gaps.push((nowMs - this.#lastAt) / blocks);
      this.#gaps.splice(0, this.#gaps.length - WINDOW);
      // The median: one long outage or one burst does not change the usual gap.
      this.#gapMs = this.#gaps.toSorted((a, b) => a - b)[Math.floor(this.#gaps.length / 2)] ?? null;
    }
    this.#seen = true;
    this.#lastAt = nowMs;
  }

  get gapMs(): number | null {
    return this.#gapMs;
  }

  /** Before two heads have been seen there is no saying, and the head counts as fresh. */
  freshness(nowMs: number): Freshness {
    const waitedMs = nowMs - this.#lastAt;
    return { fresh: this.#gapMs === null || waitedMs <= PATIENCE * this.#gapMs, waitedMs, gapMs: this.#gapMs };
  }
}

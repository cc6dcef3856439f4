/** How wide the ranges of a backfill are, and how many are under way: learned from what the endpoints answer and refuse. Pure. */
import type { Hint } from './limits.ts';

const FIRST_WIDTH = 64;
const WIDEST = 500_000;
/** Logs that an answer should bring: some 3 MB of JSON. Fewer cost round trips, more cost memory. */
const LOGS_WANTED = 4_000;
/** At most so much wider from one range to the next: what lies ahead may be denser. */
const GROWTH = 4;
/** After a refusal, so many answers come before a wider range is tried again; twice as many after every further refusal. */
const FIRST_PATIENCE = 8;
const LONGEST_PATIENCE = 256;
/** Answers without trouble before one more range goes out at once. */
const CALM = 16;

export type PaceOptions = { readonly firstWidth?: number | undefined; readonly mostAtOnce: number };

export class Pace {
  #width: number;
  /** No wider: a range beyond it was refused. */
  #ceiling = WIDEST;
  #patience = FIRST_PATIENCE;
  #answered = 0;
  #atOnce: number;
  #calm = 0;
  readonly #mostAtOnce: number;

  constructor({ firstWidth = FIRST_WIDTH, mostAtOnce }: PaceOptions) {
    this.#width = firstWidth;
    this.#mostAtOnce = mostAtOnce;
    this.#atOnce = mostAtOnce;
  }

  /** Blocks to ask for next. */
  get width(): number {
    return this.#width;
  }

  /** Ranges to have under way. */
  get atOnce(): number {
    return this.#atOnce;
  }

  /** A range of this width was answered with so many logs. */
  answered(width: number, logs: number): void {
    if (++this.#answered >= this.#patience && this.#ceiling < WIDEST) {
      this.#answered = 0;
      this.#ceiling = Math.min(this.#ceiling * 2, WIDEST);
    }
    if (++this.#calm >= CALM) {
      this.#calm = 0;
      this.#atOnce = Math.min(this.#atOnce + 1, this.#mostAtOnce);
    }
    // A range cut short by the end of the history, or by a refusal, tells nothing about wider ones.
    if (width < this.#width && logs < LOGS_WANTED) return;
    const fitting = logs === 0 ? Number.POSITIVE_INFINITY : Math.floor((width / logs) * LOGS_WANTED);
    this.#width = Math.max(1, Math.min(fitting, width * GROWTH, this.#ceiling));
  }

  /** A range of this width was refused. The next is narrower than that. */
  refused(width: number, { widest }: Hint): void {
    const less = Math.max(1, Math.min(widest ?? width >> 1, width - 1));
    this.#ceiling = Math.min(this.#ceiling, less);
    this.#width = Math.min(this.#width, this.#ceiling);
    this.#patience = Math.min(this.#patience * 2, LONGEST_PATIENCE);
    this.#answered = 0;
  }

  /** An endpoint asked for less of everything, or did not manage. */
  slowed(): void {
    this.#atOnce = Math.max(1, this.#atOnce >> 1);
    this.#calm = 0;
  }
}

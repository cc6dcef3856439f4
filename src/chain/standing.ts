import type { Lie } from './errors.ts';

const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;
/** `Retry-After` is honoured up to this. */
const LONGEST_ASKED_REST_MS = 60_000;
/** Lying weighs heavier than failing: the rests are longer, grow faster, and a success does not wipe them out. */
const FIRST_LIE_REST_MS = 5_000;
const LONGEST_LIE_REST_MS = 600_000;
const LIE_FACTOR = 3;
const FORGIVEN_AFTER_MS = 3_600_000;

/** What one endpoint has earned: by failing a rest, by lying no trust. Pure but for the clock that is passed in (`performance.now()`). */
export class Standing {
  /** Why it is not trusted; null while it is. */
  lie: { readonly lie: Lie; readonly reason: string } | null = null;
  #failures = 0;
  #lies = 0;
  #lastLieAt = 0;
  #restUntil = 0;
  #behindUntil = 0;
  #limitedUntil = 0;

  /** Milliseconds for which it should be left alone; never 0 while it is not trusted. */
  restMs(now: number): number {
    return Math.max(this.lie === null ? 0 : 1, this.#restUntil - now, this.#behindUntil - now);
  }

  /** Milliseconds for which it asked to be left alone: asking sooner makes it worse. */
  limitedMs(now: number): number {
    return Math.max(0, this.#limitedUntil - now);
  }

  behind(now: number): boolean {
    return this.#behindUntil > now;
  }

  /** Returns how long it rests: 1 s, doubling to 30 s, and no less than it asked for. */
  failed(now: number, askedMs = 0): number {
    this.#failures++;
    const asked = Math.min(askedMs, LONGEST_ASKED_REST_MS);
    const restMs = Math.max(Math.min(FIRST_REST_MS * 2 ** (this.#failures - 1), LONGEST_REST_MS), asked);
    this.#restUntil = now + restMs;
    if (asked > 0) this.#limitedUntil = now + asked;
    return restMs;
  }

  /** Returns whether it had failed before. */
  succeeded(): boolean {
    if (this.#failures === 0) return false;
    this.#failures = 0;
    this.#restUntil = 0;
    return true;
  }

  fellBehind(now: number, restMs: number): void {
    this.#behindUntil = now + restMs;
  }

  /** Returns after how long it may try to make good: 5 s, three times as long after each further lie within the hour, to 10 min. */
  lied(now: number, lie: Lie, reason: string): number {
    if (now - this.#lastLieAt > FORGIVEN_AFTER_MS) this.#lies = 0;
    this.#lastLieAt = now;
    this.lie = { lie, reason };
    return Math.min(FIRST_LIE_REST_MS * LIE_FACTOR ** this.#lies++, LONGEST_LIE_REST_MS);
  }

  madeGood(): void {
    this.lie = null;
    this.#failures = 0;
    this.#restUntil = 0;
  }
}

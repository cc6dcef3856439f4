const TOLERATED = 3;
/** A slot of Ethereum: what failed for one block is left out of the next. */
const FIRST_REST_MS = 12_000;
const LONGEST_REST_MS = 300_000;
/** `Retry-After` is honoured up to this. */
const LONGEST_ASKED_REST_MS = 60_000;

/** What failing in a row earns a relay: at the third time a rest, twice as long each time that it fails after one. Pure but for the times passed in. */
export class Rest {
  #failures = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #until = 0;
  #failing = false;

  /** From its first rest until it has answered again. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Milliseconds for which it should be left alone. */
  restMs(now: number): number {
    return Math.max(0, this.#until - now);
  }

  /** What was under way together fails together, and counts once. Returns whether it begins to fail by this. */
  failed(began: number, now: number, askedMs = 0): boolean {
    const asked = Math.min(askedMs, LONGEST_ASKED_REST_MS);
    if (began > this.#failedAt) {
      this.#failures++;
      this.#failedAt = now;
      const beyond = this.#failures - TOLERATED;
      if (beyond >= 0) this.#until = now + Math.min(FIRST_REST_MS * 2 ** beyond, LONGEST_REST_MS);
    }
    if (asked > 0) this.#until = Math.max(this.#until, now + asked);
    const begins = !this.#failing && this.#until > now;
    this.#failing ||= begins;
    return begins;
  }

  /** Returns whether it had been failing. */
  succeeded(): boolean {
    const back = this.#failing;
    this.#failures = 0;
    this.#until = 0;
    this.#failing = false;
    return back;
  }
}

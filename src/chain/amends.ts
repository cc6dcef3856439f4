/** Resolves with true once what an endpoint was distrusted for is no longer so. May reject: then it is not. */
export type Amends = () => Promise<boolean>;

/** While nobody else can be asked, trying costs nothing. */
const TRY_EVERY_MS = 5_000;

export type AmendsClockParts = {
  /** Is no endpoint trusted? */
  readonly alone: () => boolean;
  readonly madeGood: Amends;
  /** It was tried in its turn and has not made good: for how long it rests now. */
  readonly again: () => number;
};

/** When an endpoint that lied is tried again: after the rest that it earned, and every 5 s while no endpoint can be trusted. */
export class AmendsClock {
  readonly #parts: AmendsClockParts;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(parts: AmendsClockParts) {
    this.#parts = parts;
  }

  begin(restMs: number): void {
    if (this.#closed) return;
    const { alone, madeGood, again } = this.#parts;
    const due = performance.now() + restMs;
    const left = () => Math.max(due - performance.now(), 0);
    this.#timer = setTimeout(
      async () => {
        const early = left() > 1;
        if (early && !alone()) this.begin(left());
        else if (!(await madeGood().catch(() => false))) this.begin(early ? left() : again());
      },
      Math.min(restMs, TRY_EVERY_MS),
    );
    this.#timer.unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}

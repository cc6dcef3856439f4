/** The slot clock: ticks at whole multiples of the slot since it started, and waits for nobody. A tick that is overrun is left out. */
export class Slots {
  readonly slotMs: number;
  readonly #tick: () => Promise<void>;
  /** The running clock; another one after each `resume`, so that a tick that outlasts a hold cannot start a second. */
  #clock: { origin: number; timer?: NodeJS.Timeout } | undefined;

  /** `tick` must not reject. */
  constructor(slotMs: number, tick: () => Promise<void>) {
    this.slotMs = slotMs;
    this.#tick = tick;
  }

  get held(): boolean {
    return this.#clock === undefined;
  }

  resume(): void {
    if (this.#clock) return;
    this.#clock = { origin: performance.now() };
    this.#schedule(this.#clock);
  }

  hold(): void {
    clearTimeout(this.#clock?.timer);
    this.#clock = undefined;
  }

  /** Milliseconds until the next tick; null while held. */
  nextMs(): number | null {
    return this.#clock === undefined ? null : this.#untilTick(this.#clock);
  }

  #untilTick({ origin }: { origin: number }): number {
    return this.slotMs - ((performance.now() - origin) % this.slotMs);
  }

  #schedule(clock: { origin: number; timer?: NodeJS.Timeout }): void {
    clock.timer = setTimeout(async () => {
      await this.#tick();
      if (this.#clock === clock) this.#schedule(clock);
    }, this.#untilTick(clock));
  }
}

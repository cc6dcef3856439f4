/** The slot clock: ticks at whole multiples of the slot since it started, and waits for nobody. A tick that is overrun is left out. */
export class Slots {
  readonly slotMs: number;
  readonly #tick: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #held = true;
  #origin = 0;

  constructor(slotMs: number, tick: () => Promise<void>) {
    this.slotMs = slotMs;
    this.#tick = tick;
  }

  get held(): boolean {
    return this.#held;
  }

  resume(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#origin = performance.now();
    this.#schedule();
  }

  hold(): void {
    this.#held = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    const elapsed = performance.now() - this.#origin;
    const wait = this.slotMs - (elapsed % this.slotMs);
    this.#timer = setTimeout(async () => {
      await this.#tick();
      if (!this.#held) this.#schedule();
    }, wait);
  }
}

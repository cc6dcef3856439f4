import { type BreakerCommand, type BreakerEvent, type BreakerState, restoreBreaker, stepBreaker } from '../guard/breaker.ts';
import { DAY_MS } from '../guard/limits.ts';
import { spokenAnswer } from '../ledger/control.ts';
import type { Ledger } from '../ledger/types.ts';
import type { Emit } from '../telemetry/events.ts';

export type Answer = { readonly done: boolean; readonly answer: string };

/** The breaker and the operator's switch, kept durable: a state counts only once the ledger has it. One event after another. */
export class Switchboard {
  readonly #ledger: Ledger;
  readonly #emit: Emit;
  readonly #nowMs: () => number;
  #state: BreakerState;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(state: BreakerState, ledger: Ledger, emit: Emit, nowMs: () => number) {
    this.#state = state;
    this.#ledger = ledger;
    this.#emit = emit;
    this.#nowMs = nowMs;
  }

  /** As the ledger left it: a restart lifts nothing. */
  static async restore(ledger: Ledger, maxConsecutiveFailures: number, emit: Emit, nowMs: () => number): Promise<Switchboard> {
    const [saved, spending] = [await ledger.switchState(), await ledger.spending(nowMs() - DAY_MS)];
    return new Switchboard(restoreBreaker(saved, spending.consecutiveFailures, maxConsecutiveFailures, nowMs()), ledger, emit, nowMs);
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Resolves once the event is durable and in force. */
  handle(event: BreakerEvent): Promise<Answer> {
    const done = this.#turn.then(async () => {
      const [next, commands] = stepBreaker(this.#state, event, this.#nowMs());
      let answer: Answer = { done: true, answer: next.switch };
      for (const command of commands) answer = (await this.#perform(command)) ?? answer;
      this.#state = next;
      return answer;
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  /** After a reorganisation took outcomes back. */
  async recount(): Promise<void> {
    const { consecutiveFailures } = await this.#ledger.spending(this.#nowMs() - DAY_MS);
    await this.handle({ kind: 'recounted', consecutiveFailures });
  }

  /** Commands left in the ledger by `bailiff pause|resume|kill`. */
  async obeyLedger(): Promise<void> {
    for (const { id, command, afterKill } of await this.#ledger.commands()) {
      const { answer, done } = await this.handle({ kind: 'command', command, afterKill, by: 'the command line' });
      await this.#ledger.acknowledge(id, spokenAnswer(done, answer));
    }
  }

  async #perform(command: BreakerCommand): Promise<Answer | undefined> {
    switch (command.kind) {
      case 'save-switch':
        await this.#ledger.setSwitch(command.state, command.reason);
        return undefined;
      case 'reset-failures':
        await this.#ledger.resetFailures();
        return undefined;
      case 'report':
        this.#emit(command.event, { reason: command.reason });
        return undefined;
      case 'answer':
        return { done: command.done, answer: command.answer };
    }
  }
}

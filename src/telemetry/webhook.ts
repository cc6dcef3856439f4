import { sleep } from '../lib/async.ts';
import { explainError } from '../lib/errors.ts';
import { type SecretUrl, scrub } from '../lib/secret.ts';
import type { Heard, Listener } from './announcer.ts';
import type { Log } from './log.ts';

/** What somebody has to be woken for. */
const ALERTS: ReadonlySet<string> = new Set(['alert.raised', 'breaker.opened', 'keeper.killed', 'market.suspended', 'audit.mismatch']);
/** While nobody answers; the newest are dropped beyond it. */
const MOST_WAITING = 100;
const TIMEOUT_MS = 5_000;
/** Before each further try. */
const WAITS_MS = [1_000, 5_000];
/** For what is still to be told when the keeper ends. */
const LAST_MS = 3_000;

/**
 * Hands alerts to the operator's webhook, one after another: a POST of `{"text", "event", "time", …fields}`, tried three times. `text` is a line for people, as chat
 * services want it. Nothing waits for it; what could not be told is in the log.
 */
export class Webhook {
  readonly #url: SecretUrl;
  readonly #log: Log;
  readonly #waiting: Heard[] = [];
  readonly #closed = new AbortController();
  #working: Promise<void> | undefined;

  constructor(url: SecretUrl, log: Log) {
    this.#url = url;
    this.#log = log;
  }

  readonly listener: Listener = (heard) => {
    if (!ALERTS.has(heard.event)) return;
    if (this.#waiting.length >= MOST_WAITING) return this.#lost(heard, 'too many are waiting');
    this.#waiting.push(heard);
    this.#working ??= this.#work();
  };

  /** Gives what is waiting a last chance. */
  async close(): Promise<void> {
    await Promise.race([this.#working, sleep(LAST_MS)]);
    this.#closed.abort();
  }

  async #work(): Promise<void> {
    for (let heard = this.#waiting.shift(); heard !== undefined; heard = this.#waiting.shift()) await this.#tell(heard);
    this.#working = undefined;
  }

  async #tell(heard: Heard): Promise<void> {
    for (const waitMs of [...WAITS_MS, undefined]) {
      const fault = await this.#post(bodyOf(heard));
      if (fault === undefined) return;
      if (waitMs === undefined || this.#closed.signal.aborted) return this.#lost(heard, fault);
      await sleep(waitMs, this.#closed.signal);
    }
  }

  /** Undefined when it was taken. */
  async #post(body: string): Promise<string | undefined> {
    try {
      const signal = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(this.#url.reveal(), { method: 'POST', headers, body, signal, redirect: 'error' });
      await response.body?.cancel();
      return response.ok ? undefined : `HTTP ${response.status}`;
    } catch (error) {
      return explainError(error);
    }
  }

  #lost({ event }: Heard, reason: string): void {
    this.#log.error('alert.lost', { about: event, host: this.#url.host, reason });
  }
}

function bodyOf({ at, event, fields }: Heard): string {
  const told = Object.entries(fields).map(([name, value]) => `${name} ${String(value)}`);
  return scrub(JSON.stringify({ text: `bailiff: ${event} ${told.join(', ')}`, event, time: new Date(at).toISOString(), ...fields }));
}

import type { Emit, EventFields, EventName } from './events.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export type Heard = { readonly at: number; readonly event: string; readonly fields: EventFields };
export type Listener = (heard: Heard) => void;

/** Tells every happening once, to the log, the metrics and whoever listens. */
export class Announcer {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #listeners = new Set<Listener>();

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
  }

  readonly emit: Emit = (event, fields) => {
    this.#log.event(event, fields);
    this.#count(event, fields);
    const heard = { at: Date.now(), event, fields };
    for (const listener of this.#listeners) listener(heard);
  };

  /** Returns how to stop listening. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #count(event: EventName, fields: EventFields): void {
    const metrics = this.#metrics;
    if (event === 'plan.made') metrics.plans.inc();
    else if (event === 'plan.skipped') metrics.skips.inc({ reason: String(fields['reason']) });
    else if (event === 'reorg.handled') metrics.reorgs.inc();
    else if (event === 'audit.mismatch') metrics.auditMismatches.inc({ market: String(fields['market']) });
    else if (event === 'market.suspended') metrics.suspended.set({ market: String(fields['market']) }, 1);
    else if (event === 'market.resumed') metrics.suspended.set({ market: String(fields['market']) }, 0);
    else if (event.startsWith('attempt.') && event !== 'attempt.sent') metrics.attempts.inc({ outcome: event.slice('attempt.'.length) });
  }
}

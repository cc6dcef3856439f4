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

  #countEndpoint({ kind, host, failure, lie }: EventFields): void {
    const metrics = this.#metrics;
    const of = { host: String(host) };
    if (kind === 'endpoint-failed') metrics.endpointFailures.inc({ ...of, kind: String(failure) });
    if (kind === 'endpoint-distrusted') metrics.endpointLies.inc({ ...of, lie: String(lie) });
    if (kind === 'endpoint-failed' || kind === 'endpoint-back') metrics.endpointUp.set(of, kind === 'endpoint-back' ? 1 : 0);
    if (kind === 'endpoint-distrusted' || kind === 'endpoint-trusted') metrics.endpointTrusted.set(of, kind === 'endpoint-trusted' ? 1 : 0);
    if (kind === 'none-trusted' || kind === 'trusted-again') metrics.noneTrusted.set(kind === 'none-trusted' ? 1 : 0);
  }

  #count(event: EventName, fields: EventFields): void {
    const metrics = this.#metrics;
    const number = (field: string) => Number(fields[field] ?? 0);
    switch (event) {
      case 'block.processed':
        metrics.headBlock.set(number('block'));
        metrics.lagMs.set(number('lagMs'));
        metrics.processing.observe(number('lagMs') / 1_000);
        metrics.positions.set(number('positions'));
        metrics.candidates.set(number('candidates'));
        metrics.rpcCallsPerBlock.set(number('rpcCalls'));
        break;
      case 'bundle.sent':
        metrics.sending.observe(number('sentAfterMs') / 1_000);
        break;
      case 'plan.made':
        metrics.plans.inc();
        break;
      case 'plan.skipped':
        metrics.skips.inc({ reason: String(fields['reason']) });
        break;
      case 'reorg.handled':
        metrics.reorgs.inc();
        break;
      case 'audit.mismatch':
        metrics.auditMismatches.inc({ market: String(fields['market']) });
        break;
      case 'market.suspended':
      case 'market.resumed':
        metrics.suspended.set({ market: String(fields['market']) }, event === 'market.suspended' ? 1 : 0);
        break;
      case 'endpoint.changed':
        this.#countEndpoint(fields);
        break;
      case 'lane.topped-up':
        metrics.laneTopUps.inc({ lane: String(fields['lane']) });
        break;
      case 'hedge.inventory':
        metrics.inventoryUsd.set(number('valueUsd'));
        break;
      case 'unwind.inventory':
        metrics.keptUsd.set(number('valueUsd'));
        break;
      case 'alert.raised':
        metrics.alerts.inc({ about: String(fields['about']) });
        break;
      case 'breaker.opened':
      case 'breaker.closed':
        metrics.breakerOpen.set(event === 'breaker.opened' ? 1 : 0);
        break;
      case 'keeper.started':
        this.#switchTo(String(fields['switch']));
        break;
      case 'keeper.paused':
      case 'keeper.killed':
        this.#switchTo(event.slice('keeper.'.length));
        break;
      case 'keeper.resumed':
        this.#switchTo('running');
        break;
      case 'attempt.included':
      case 'attempt.reverted':
      case 'attempt.missed':
      case 'attempt.replaced':
      case 'attempt.expired':
        metrics.attempts.inc({ outcome: event.slice('attempt.'.length) });
        metrics.profitUsd.inc(number('profitUsd'));
        metrics.gasSpentUsd.inc(number('gasUsd'));
        break;
      default:
        break;
    }
  }

  #switchTo(state: string): void {
    for (const each of ['running', 'paused', 'killed']) this.#metrics.switchState.set({ state: each }, each === state ? 1 : 0);
  }
}

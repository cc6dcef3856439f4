/**
 * Which endpoint announces heads: one at a time, the first usable one, subscriptions before polling. When its socket is lost, when it falls
 * behind, or when no head came for five of the usual gaps, the next takes over; a preferred one is taken up again as soon as it is back.
 */
import { sleep } from '../lib/async.ts';
import type { Head } from '../lib/types.ts';
import type { Arrivals } from './arrivals.ts';
import type { Endpoint } from './endpoint.ts';
import { asRpcError } from './errors.ts';
import { openSource, type Source } from './sources.ts';
import type { Notify } from './types.ts';

/** A head counts as late no sooner, however fast the chain is, before connections are dropped for it. */
const LATE_FLOOR_MS = 1_000;
/** With no gap seen yet. */
const LATE_UNKNOWN_MS = 30_000;
const LONGEST_LATE_MS = 60_000;
/** Endpoints are compared after so many heads; more than so many blocks behind is too many. */
const COMPARE_EVERY = 32;
const BEHIND = 2;
const BEHIND_REST_MS = 30_000;

export type HeadSourcesParts = {
  /** In the operator's order. */
  readonly endpoints: readonly Endpoint[];
  readonly arrivals: Arrivals;
  /** The head that we stand at. */
  readonly tip: () => Head;
  readonly offer: (head: Head) => void;
  readonly notify: Notify;
  readonly timeoutMs: number;
};

export class HeadSources {
  readonly #parts: HeadSourcesParts;
  readonly #ordered: readonly Endpoint[];
  readonly #closed = new AbortController();
  #source: Source | null = null;
  #sinceCompared = COMPARE_EVERY;
  #patience = 1;

  /** Starts at once. */
  constructor(parts: HeadSourcesParts) {
    this.#parts = parts;
    const { endpoints } = parts;
    this.#ordered = [...endpoints.filter(({ subscribes }) => subscribes), ...endpoints.filter(({ subscribes }) => !subscribes)];
    void this.#run();
  }

  get host(): string | null {
    return this.#source?.endpoint.host ?? null;
  }

  /** A new head was reached. */
  advanced(): void {
    this.#patience = 1;
    this.#sinceCompared++;
  }

  /** The present source's newest block, asked for; null when there is no telling. */
  async latest(): Promise<Head | null> {
    return (await this.#source?.endpoint.latest(this.#parts.timeoutMs).catch(() => null)) ?? null;
  }

  /** Half a gap: an endpoint that is back is noticed well within two blocks. */
  get retryMs(): number {
    return Math.min(Math.max((this.#parts.arrivals.gapMs ?? 500) / 2, 100), 2_000);
  }

  close(): void {
    this.#closed.abort();
    this.#source?.close();
  }

  async #run(): Promise<void> {
    let avoid: Endpoint | null = null;
    while (!this.#closed.signal.aborted) {
      const source = await this.#openBest(avoid);
      avoid = null;
      if (source === null) await sleep(this.retryMs, this.#closed.signal);
      else avoid = await this.#watch(source);
    }
  }

  /** Until there is nothing to be had from this source any more; returns the endpoint that the next choice should avoid, if any. */
  async #watch(first: Source): Promise<Endpoint | null> {
    const { signal } = this.#closed;
    let source = first;
    this.#use(source);
    try {
      while (!signal.aborted) {
        const over = await Promise.race([source.ended, sleep(this.retryMs, signal)]);
        if (over !== undefined) {
          if (!signal.aborted) source.endpoint.failed(over);
          return null;
        }
        if (this.#isLate() || (await this.#isBehind(source))) return source.endpoint;
        const preferred = await this.#openPreferred(source);
        if (preferred === null) continue;
        source.close();
        source = preferred;
        this.#use(source);
      }
      return null;
    } finally {
      source.close();
      this.#source = null;
    }
  }

  #use(source: Source): void {
    this.#source = source;
    this.#parts.notify({ kind: 'heads-from', host: source.endpoint.host, by: source.by });
    source.start((head) => {
      if (this.#source === source) this.#parts.offer(head);
    });
  }

  /** The first endpoint that is up to date; when none is, the first that works at all. */
  async #openBest(avoid: Endpoint | null): Promise<Source | null> {
    const ordered = this.#ordered.filter((endpoint) => !endpoint.refused);
    const candidates = avoid === null ? ordered : [...ordered.filter((endpoint) => endpoint !== avoid), avoid];
    const enough = avoid === null ? this.#parts.tip().number - 1 : this.#parts.tip().number + 1;
    let fallback: Source | null = null;
    for (const endpoint of candidates) {
      const source = await this.#open(endpoint);
      if (source === null) continue;
      if (source.latest().number >= enough) {
        fallback?.close();
        return source;
      }
      if (fallback === null) fallback = source;
      else source.close();
    }
    return fallback;
  }

  async #open(endpoint: Endpoint): Promise<Source | null> {
    if (this.#closed.signal.aborted) return null;
    try {
      const source = await openSource(endpoint, { timeoutMs: this.#parts.timeoutMs, gapMs: () => this.#parts.arrivals.gapMs });
      endpoint.succeeded();
      if (!this.#closed.signal.aborted) return source;
      source.close();
      return null;
    } catch (error) {
      endpoint.failed(asRpcError(endpoint.host, error));
      return null;
    }
  }

  async #openPreferred(present: Source): Promise<Source | null> {
    for (const endpoint of this.#ordered.slice(0, this.#ordered.indexOf(present.endpoint))) {
      if (endpoint.refused || endpoint.behind) continue;
      const source = await this.#open(endpoint);
      if (source === null) continue;
      if (source.latest().number >= this.#parts.tip().number - 1) return source;
      source.close();
    }
    return null;
  }

  #isLate(): boolean {
    const { waitedMs, gapMs } = this.#parts.arrivals.freshness(performance.now());
    const limit = gapMs === null ? LATE_UNKNOWN_MS : Math.max(5 * gapMs, LATE_FLOOR_MS);
    if (waitedMs <= limit * this.#patience) return false;
    this.#parts.notify({ kind: 'heads-late', waitedMs, gapMs: gapMs ?? 0 });
    // A chain that stands still is not mended by reconnecting ever more often.
    this.#patience = Math.max(Math.min(this.#patience * 2, LONGEST_LATE_MS / limit), this.#patience + 1);
    return true;
  }

  async #isBehind(source: Source): Promise<boolean> {
    const others = this.#parts.endpoints.filter((endpoint) => endpoint !== source.endpoint && endpoint.restMs === 0);
    if (others.length === 0 || this.#sinceCompared < COMPARE_EVERY) return false;
    this.#sinceCompared = 0;
    for (const endpoint of others) {
      const best = await endpoint.latest(this.#parts.timeoutMs).catch(() => null);
      const behind = best === null ? 0 : best.number - this.#parts.tip().number;
      if (behind <= BEHIND) continue;
      source.endpoint.fellBehind(behind, BEHIND_REST_MS);
      return true;
    }
    return false;
  }
}

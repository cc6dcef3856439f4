/**
 * Which endpoint announces heads: one at a time, the first usable one, subscriptions before polling. When its socket is lost, when it falls
 * behind or loses trust, or when no head came for five of the usual gaps, the next takes over, rather one that goes on from our tip; a preferred one is
 * taken up again as soon as it is back and goes on from our tip.
 */
import { sleep } from '../lib/async.ts';
import type { Head } from '../lib/types.ts';
import type { Agreement } from './agreement.ts';
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

export type HeadSourcesParts = {
  /** In the operator's order. */
  readonly endpoints: readonly Endpoint[];
  readonly arrivals: Arrivals;
  /** The head that we stand at. */
  readonly tip: () => Head;
  readonly agreement: Agreement;
  readonly offer: (head: Head, from: Endpoint) => void;
  readonly notify: Notify;
  readonly timeoutMs: number;
};

export class HeadSources {
  readonly #parts: HeadSourcesParts;
  readonly #ordered: readonly Endpoint[];
  readonly #closed = new AbortController();
  #source: Source | null = null;
  #patience = 1;

  /** Starts at once. */
  constructor(parts: HeadSourcesParts) {
    this.#parts = parts;
    const { endpoints } = parts;
    this.#ordered = [...endpoints.filter(({ subscribes }) => subscribes), ...endpoints.filter(({ subscribes }) => !subscribes)];
    void this.#run();
  }

  get host(): string | null {
    return this.endpoint?.host ?? null;
  }

  get endpoint(): Endpoint | null {
    return this.#source?.endpoint ?? null;
  }

  /** A new head was reached. */
  advanced(): void {
    this.#patience = 1;
    this.#parts.agreement.advanced();
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
        if (this.#isLate() || (await this.#parts.agreement.look(source.endpoint)) || source.endpoint.distrust !== null)
          return source.endpoint;
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
    this.#parts.agreement.begin();
    this.#parts.notify({ kind: 'heads-from', host: source.endpoint.host, by: source.by });
    source.start((head) => {
      if (this.#source === source && source.endpoint.distrust === null) this.#parts.offer(head, source.endpoint);
    });
  }

  /** The first endpoint that is up to date and on our branch; when none is, the first that is up to date; when none is, the first that works at all. */
  async #openBest(avoid: Endpoint | null): Promise<Source | null> {
    const ordered = this.#ordered.filter(({ distrust }) => distrust === null);
    const candidates = [...ordered.filter((endpoint) => endpoint !== avoid), ...ordered.filter((endpoint) => endpoint === avoid)];
    const enough = avoid === null ? this.#parts.tip().number - 1 : this.#parts.tip().number + 1;
    let fallback: Source | null = null;
    for (const endpoint of candidates) {
      const source = await this.#open(endpoint);
      if (source === null) continue;
      const fresh = source.latest().number >= enough;
      if (fresh && (await this.#parts.agreement.continues(endpoint, source.latest()))) {
        fallback?.close();
        return source;
      }
      if (fallback === null || (fresh && fallback.latest().number < enough)) {
        fallback?.close();
        fallback = source;
      } else source.close();
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
      if (endpoint.distrust !== null || endpoint.behind) continue;
      const source = await this.#open(endpoint);
      if (source === null) continue;
      if (await this.#parts.agreement.continues(endpoint, source.latest())) return source;
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
}

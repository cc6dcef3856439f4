/**
 * The heads of the chain, by parent hash.
 *
 * 1. One endpoint at a time announces heads: the first usable one, subscriptions before polling. When its socket is lost, when it falls behind, or when no head
 *    came for five of the usual gaps, the next takes over; a preferred one is taken up again as soon as it is back.
 * 2. A head whose parent is unknown is linked by filling the gap or walking back to the common ancestor, at most 128 blocks below our tip.
 * 3. A follower asks for the way from the block where it stands to the tip. Nothing is queued: however slow it is, it gets every block of our
 *    chain in order, and blocks that came and went meanwhile never concern it.
 */
import { sleep } from '../lib/async.ts';
import type { BlockRef, Head } from '../lib/types.ts';
import { getHead, getHeads } from './actions/getHead.ts';
import { Arrivals } from './arrivals.ts';
import type { Endpoint } from './endpoint.ts';
import { asRpcError, RpcError } from './errors.ts';
import { HeadChain } from './headchain.ts';
import type { RpcPool } from './rpc.ts';
import { openSource, type Source } from './sources.ts';
import type { Freshness, HeadEvent, Notify } from './types.ts';

const DEEPEST_REORG = 128;
const LONGEST_GAP = 512;
const TIMEOUT_MS = 5_000;
/** A head that cannot be linked is asked for again so often; then the next one, or the watchdog, has to bring us on. */
const LINK_RETRIES = 8;
/** A head counts as late no sooner, however fast the chain is, before connections are dropped for it. */
const LATE_FLOOR_MS = 1_000;
/** With no gap seen yet. */
const LATE_UNKNOWN_MS = 30_000;
const LONGEST_LATE_MS = 60_000;
/** Endpoints are compared after so many heads; more than so many blocks behind is too many. */
const COMPARE_EVERY = 32;
const BEHIND = 2;
const BEHIND_REST_MS = 30_000;

export type HeadsOptions = { readonly notify?: Notify; readonly timeoutMs?: number };

export class Heads {
  readonly #pool: RpcPool;
  readonly #notify: Notify;
  readonly #timeoutMs: number;
  readonly #closed = new AbortController();
  readonly #arrivals = new Arrivals(performance.now());
  #chain: HeadChain;
  #arrivedAtMs = performance.now();
  /** The newest head announced and not yet linked; an older one that still waits is dropped for it. */
  #offered: Head | null = null;
  #linking = false;
  #changed = Promise.withResolvers<void>();
  #source: Source | null = null;
  #sinceCompared = COMPARE_EVERY;
  #patience = 1;

  /** Starts at once. `known`: the newest blocks that the follower has, oldest first, each the parent of the next. */
  constructor(pool: RpcPool, known: readonly Head[], options: HeadsOptions = {}) {
    this.#pool = pool;
    this.#notify = options.notify ?? (() => {});
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#chain = new HeadChain(known);
    void this.#run();
  }

  get tip(): Head {
    return this.#chain.tip;
  }

  /** Where heads come from now; null while no endpoint announces any. */
  get host(): string | null {
    return this.#source?.endpoint.host ?? null;
  }

  freshness(): Freshness {
    return this.#arrivals.freshness(performance.now());
  }

  /** Resolves once our chain's tip is another block than `after`; null when closed. */
  async next(after: BlockRef): Promise<HeadEvent | null> {
    while (!this.#closed.signal.aborted) {
      const changed = this.#changed.promise;
      const event = this.#eventFor(after);
      if (event !== null) return event;
      await changed;
    }
    return null;
  }

  /** The follower has synced anew and stands elsewhere: goes on from there. */
  restart(known: readonly Head[]): void {
    const announced = this.#chain.tip;
    this.#chain = new HeadChain(known);
    if (announced.number > this.#chain.tip.number) this.#offer(announced);
  }

  close(): void {
    this.#closed.abort();
    this.#source?.close();
    this.#changed.resolve();
  }

  #eventFor(after: BlockRef): HeadEvent | null {
    const arrivedAtMs = this.#arrivedAtMs;
    if (after.hash === this.tip.hash) return null;
    const path = this.#chain.path(after);
    if (path === null) return { kind: 'lost', head: this.tip, arrivedAtMs };
    return path.removed.length > 0 ? { kind: 'reorg', ...path, arrivedAtMs } : { kind: 'extended', added: path.added, arrivedAtMs };
  }

  #offer(head: Head): void {
    this.#offered = head;
    if (!this.#linking) void this.#linkOffered();
  }

  async #linkOffered(): Promise<void> {
    this.#linking = true;
    let failures = 0;
    for (let head = this.#offered; head !== null && !this.#closed.signal.aborted; head = this.#offered) {
      this.#offered = null;
      const before = this.tip;
      const announcedAt = performance.now();
      try {
        await this.#link(head);
        failures = 0;
      } catch (error) {
        // The endpoints could not tell its parents yet, or have left that branch meanwhile: what they say then is another try.
        asRpcError('endpoint', error);
        if (failures++ < LINK_RETRIES) await this.#offerLatest();
      }
      if (this.tip.hash !== before.hash) this.#advanced(before, announcedAt);
    }
    this.#linking = false;
  }

  async #offerLatest(): Promise<void> {
    await sleep(this.#retryMs(), this.#closed.signal);
    const latest = await this.#source?.endpoint.latest(this.#timeoutMs).catch(() => null);
    if (this.#offered === null && latest) this.#offered = latest;
  }

  async #link(head: Head): Promise<void> {
    const chain = this.#chain;
    if (chain.isOurs(head)) return;
    const branch = [head];
    const missing = head.number - chain.tip.number - 1;
    if (missing > LONGEST_GAP || head.number < chain.tip.number - DEEPEST_REORG) return this.#startOver(head);
    if (missing > 0) {
      const gap = await getHeads(this.#pool, chain.tip.number + 1, head.number - 1, { timeoutMs: this.#timeoutMs });
      if (gap.at(-1)!.hash !== head.parentHash)
        throw new RpcError('unknown-block', 'endpoint', `block ${head.number} is of another branch`);
      branch.unshift(...gap);
    }
    while (!chain.links(branch[0]!)) {
      if (branch[0]!.number <= Math.max(chain.lowest, chain.tip.number - DEEPEST_REORG)) return this.#startOver(head);
      const parent = await getHead(this.#pool, { hash: branch[0]!.parentHash }, { timeoutMs: this.#timeoutMs });
      branch.unshift(parent);
    }
    // Started over meanwhile: what was found belongs to a chain that is no longer ours.
    if (chain !== this.#chain) return;
    for (const block of branch) chain.accept(block);
  }

  #startOver(head: Head): void {
    this.#chain = new HeadChain([head]);
  }

  #advanced(before: Head, announcedAtMs: number): void {
    this.#arrivals.arrived(announcedAtMs, Math.max(this.tip.number - before.number, 1));
    this.#arrivedAtMs = announcedAtMs;
    this.#patience = 1;
    this.#sinceCompared++;
    const changed = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    changed.resolve();
  }

  async #run(): Promise<void> {
    let avoid: Endpoint | null = null;
    while (!this.#closed.signal.aborted) {
      const source = await this.#openBest(avoid);
      avoid = null;
      if (source === null) await sleep(this.#retryMs(), this.#closed.signal);
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
        const over = await Promise.race([source.ended, sleep(this.#retryMs(), signal)]);
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
    this.#notify({ kind: 'heads-from', host: source.endpoint.host, by: source.by });
    source.start((head) => {
      if (this.#source === source) this.#offer(head);
    });
  }

  /** Subscriptions first, then polling, each in the operator's order. */
  #ordered(): Endpoint[] {
    const { endpoints } = this.#pool;
    return [...endpoints.filter(({ subscribes }) => subscribes), ...endpoints.filter(({ subscribes }) => !subscribes)];
  }

  /** The first endpoint that is up to date; when none is, the first that works at all. */
  async #openBest(avoid: Endpoint | null): Promise<Source | null> {
    const ordered = this.#ordered().filter((endpoint) => !endpoint.refused);
    const candidates = avoid === null ? ordered : [...ordered.filter((endpoint) => endpoint !== avoid), avoid];
    const enough = avoid === null ? this.tip.number - 1 : this.tip.number + 1;
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
      const source = await openSource(endpoint, { timeoutMs: this.#timeoutMs, gapMs: () => this.#arrivals.gapMs });
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
    const ordered = this.#ordered();
    for (const endpoint of ordered.slice(0, ordered.indexOf(present.endpoint))) {
      if (endpoint.refused || endpoint.behind) continue;
      const source = await this.#open(endpoint);
      if (source === null) continue;
      if (source.latest().number >= this.tip.number - 1) return source;
      source.close();
    }
    return null;
  }

  #isLate(): boolean {
    const { waitedMs, gapMs } = this.freshness();
    const limit = gapMs === null ? LATE_UNKNOWN_MS : Math.max(5 * gapMs, LATE_FLOOR_MS);
    if (waitedMs <= limit * this.#patience) return false;
    this.#notify({ kind: 'heads-late', waitedMs, gapMs: gapMs ?? 0 });
    // A chain that stands still is not mended by reconnecting ever more often.
    this.#patience = Math.max(Math.min(this.#patience * 2, LONGEST_LATE_MS / limit), this.#patience + 1);
    return true;
  }

  async #isBehind(source: Source): Promise<boolean> {
    const others = this.#pool.endpoints.filter((endpoint) => endpoint !== source.endpoint && endpoint.restMs === 0);
    if (others.length === 0 || this.#sinceCompared < COMPARE_EVERY) return false;
    this.#sinceCompared = 0;
    for (const endpoint of others) {
      const best = await endpoint.latest(this.#timeoutMs).catch(() => null);
      const behind = best === null ? 0 : best.number - this.tip.number;
      if (behind <= BEHIND) continue;
      source.endpoint.fellBehind(behind, BEHIND_REST_MS);
      return true;
    }
    return false;
  }

  /** Half a gap: an endpoint that is back is noticed well within two blocks. */
  #retryMs(): number {
    return Math.min(Math.max((this.#arrivals.gapMs ?? 500) / 2, 100), 2_000);
  }
}

/**
 * The heads of the chain, by parent hash.
 *
 * 1. One endpoint at a time announces them (`HeadSources`); who that is may change at any time, and then what it says links to what is known.
 * 2. A head whose parent is unknown is linked by filling the gap or walking back to the common ancestor, at most 128 blocks below our tip.
 * 3. A branch that leaves ours more than 32 blocks below the tip is followed only where the endpoints agree about it (`Agreement`).
 * 4. A block whose logs were shown to be wrong is handed out again, with all that follow it, as if reorganised.
 * 5. A follower asks for the way from the block where it stands to the tip. Nothing is queued: however slow it is, it gets every block of our
 *    chain in order, and blocks that came and went meanwhile never concern it.
 */
import { sleep } from '../lib/async.ts';
import type { BlockRef, Head } from '../lib/types.ts';
import { getHead, getHeads } from './actions/getHead.ts';
import { Agreement, SETTLED_DEPTH } from './agreement.ts';
import { Arrivals } from './arrivals.ts';
import type { Endpoint } from './endpoint.ts';
import { asRpcError, RpcError } from './errors.ts';
import { HeadSources } from './head-sources.ts';
import { HeadChain, MisfitError, misfitOf } from './headchain.ts';
import type { RpcPool } from './rpc.ts';
import type { Freshness, HeadEvent, Notify } from './types.ts';

const DEEPEST_REORG = 128;
const LONGEST_GAP = 512;
const TIMEOUT_MS = 5_000;
/** A head that cannot be linked is asked for again so often; then the next one, or the watchdog, has to bring us on. */
const LINK_RETRIES = 8;

type Offered = { readonly head: Head; readonly from: Endpoint };

export type HeadsOptions = { readonly notify?: Notify; readonly timeoutMs?: number };

export class Heads {
  readonly #pool: RpcPool;
  readonly #agreement: Agreement;
  readonly #sources: HeadSources;
  readonly #timeoutMs: number;
  readonly #closed = new AbortController();
  readonly #arrivals = new Arrivals(performance.now());
  #chain: HeadChain;
  #arrivedAtMs = performance.now();
  /** The newest head announced and not yet linked; an older one that still waits is dropped for it. */
  #offered: Offered | null = null;
  #refuted: readonly Head[] = [];
  #linking = false;
  #changed = Promise.withResolvers<void>();

  /** Starts at once. `known`: the newest blocks that the follower has, oldest first, each the parent of the next. */
  constructor(pool: RpcPool, known: readonly Head[], options: HeadsOptions = {}) {
    this.#pool = pool;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#chain = new HeadChain(known);
    this.#agreement = new Agreement({ endpoints: pool.endpoints, chain: () => this.#chain, timeoutMs: this.#timeoutMs });
    this.#sources = new HeadSources({
      agreement: this.#agreement,
      endpoints: pool.endpoints,
      arrivals: this.#arrivals,
      tip: () => this.tip,
      offer: (head, from) => this.#offer({ head, from }),
      notify: options.notify ?? (() => {}),
      timeoutMs: this.#timeoutMs,
    });
  }

  get tip(): Head {
    return this.#chain.tip;
  }

  /** Where heads come from now; null while no endpoint announces any. */
  get host(): string | null {
    return this.#sources.host;
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
    const [from] = this.#pool.endpoints;
    if (announced.number > this.#chain.tip.number) this.#offer({ head: announced, from: this.#sources.endpoint ?? from! });
  }

  close(): void {
    this.#closed.abort();
    this.#sources.close();
    this.#changed.resolve();
  }

  #eventFor(after: BlockRef): HeadEvent | null {
    const arrivedAtMs = this.#arrivedAtMs;
    const reread = this.#rereadFor(after, arrivedAtMs);
    if (reread !== null) return reread;
    if (after.hash === this.tip.hash) return null;
    const path = this.#chain.path(after);
    if (path === null) return { kind: 'lost', head: this.tip, arrivedAtMs };
    return path.removed.length > 0 ? { kind: 'reorg', ...path, arrivedAtMs } : { kind: 'extended', added: path.added, arrivedAtMs };
  }

  #offer(offered: Offered): void {
    this.#offered = offered;
    if (!this.#linking) void this.#linkOffered();
  }

  async #linkOffered(): Promise<void> {
    this.#linking = true;
    let failures = 0;
    for (let offered = this.#offered; offered !== null && !this.#closed.signal.aborted; offered = this.#offered) {
      this.#offered = null;
      const before = this.tip;
      const announcedAt = performance.now();
      try {
        await this.#link(offered.head, offered.from);
        failures = 0;
      } catch (error) {
        // The endpoints could not tell its parents yet, or have left that branch meanwhile: what they say then is another try.
        await this.#blame(offered, error);
        if (failures++ < LINK_RETRIES) await this.#offerLatest();
      }
      if (this.tip.hash !== before.hash) this.#advanced(before, announcedAt);
    }
    this.#linking = false;
  }

  async #offerLatest(): Promise<void> {
    await sleep(this.#sources.retryMs, this.#closed.signal);
    const { endpoint } = this.#sources;
    const head = await this.#sources.latest();
    if (this.#offered === null && head !== null && endpoint !== null) this.#offered = { head, from: endpoint };
  }

  async #link(head: Head, from: Endpoint): Promise<void> {
    const chain = this.#chain;
    if (chain.isOurs(head)) return;
    const branch = [head];
    const missing = head.number - chain.tip.number - 1;
    if (missing > LONGEST_GAP || head.number < chain.tip.number - DEEPEST_REORG) return this.#startOver(head, from);
    if (missing > 0) {
      const gap = await getHeads(this.#pool, chain.tip.number + 1, head.number - 1, { timeoutMs: this.#timeoutMs });
      if (gap.at(-1)!.hash !== head.parentHash)
        throw new RpcError('unknown-block', 'endpoint', `block ${head.number} is of another branch`);
      branch.unshift(...gap);
    }
    while (!chain.links(branch[0]!)) {
      if (branch[0]!.number <= Math.max(chain.lowest, chain.tip.number - DEEPEST_REORG)) return this.#startOver(head, from);
      const parent = await getHead(this.#pool, { hash: branch[0]!.parentHash }, { timeoutMs: this.#timeoutMs });
      branch.unshift(parent);
    }
    // Started over meanwhile: what was found belongs to a chain that is no longer ours.
    if (chain !== this.#chain) return;
    if (branch[0]!.number <= chain.tip.number - SETTLED_DEPTH && !(await this.#agreement.admits(from))) return;
    for (const block of branch) chain.accept(block);
  }

  /** No common ancestor within reach: it takes more than a word to follow. */
  async #startOver(head: Head, from: Endpoint): Promise<void> {
    const chain = this.#chain;
    if ((await from.block(head.hash, this.#timeoutMs)) === null)
      throw new RpcError('bad-answer', from.host, `announced block ${head.number} and does not have it`);
    if (!(await this.#agreement.admits(from)) || chain !== this.#chain) return;
    this.#chain = new HeadChain([head]);
  }

  /** What the announced head itself is to blame for is its endpoint's fault; what others could not tell of it is not. */
  async #blame({ head, from }: Offered, error: unknown): Promise<void> {
    if (error instanceof MisfitError) {
      const parent = await from.block(error.child.parentHash, this.#timeoutMs).catch(() => null);
      // It knows the parent otherwise than we do: somebody else has lied to us, and all that rests on it is to be forgotten.
      if (parent !== null && misfitOf(error.child, parent) === null) return this.#startOver(head, from).catch(() => {});
      from.failed(new RpcError('lied', from.host, error.message, { lie: 'forged-head' }));
      return;
    }
    const fault = asRpcError('endpoint', error);
    if (fault.lie !== undefined && fault.message.startsWith(from.host)) from.failed(fault);
  }

  /** The way back to below the lowest block of the follower's whose logs were wrong, and up to the tip. */
  #rereadFor(after: BlockRef, arrivedAtMs: number): HeadEvent | null {
    this.#refuted = [...this.#refuted, ...this.#pool.refuted(() => this.#wake())].filter((head) => this.#chain.isOurs(head));
    const path = this.#refuted.length === 0 ? null : this.#chain.path(after);
    if (path === null) return null;
    const common = path.added[0] === undefined ? this.tip.number : path.added[0].number - 1;
    const lowest = Math.min(...this.#refuted.map(({ number }) => number));
    this.#refuted = [];
    // What it has not reached yet will be read anew anyway.
    if (lowest > common) return null;
    const again = Array.from({ length: common - lowest + 1 }, (_, i) => this.#chain.at(lowest + i)!);
    return {
      kind: 'reorg',
      removed: [...path.removed, ...again.toReversed()],
      added: [...again, ...path.added],
      arrivedAtMs,
      reread: true,
    };
  }

  #advanced(before: Head, announcedAtMs: number): void {
    this.#arrivals.arrived(announcedAtMs, Math.max(this.tip.number - before.number, 1));
    this.#arrivedAtMs = announcedAtMs;
    this.#sources.advanced();
    this.#wake();
  }

  #wake(): void {
    const changed = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    changed.resolve();
  }
}

/**
 * Keeps a set of Mirrored in step with the chain.
 *
 * 1. Start: discovery logs by range up to the finalised block, all state read there, every later block folded in by hash. What is not deployed
 *    yet at the finalised block is anchored at the head instead.
 * 2. Every block is remembered for taking back, 128 deep; a reorg that reaches deeper, or below the anchor, ends in a sync from scratch.
 * 3. A Mirrored that throws is dropped, reported once, and anchored again at the next block, then after growing pauses. The others go on.
 * 4. Endpoints that cannot answer stall the mirror and change nothing: the next event goes on from `head`.
 */
import { createViews, type Views } from '../chain/actions/callAt.ts';
import { getFinalHead, getHead, getHeads } from '../chain/actions/getHead.ts';
import { RpcError } from '../chain/errors.ts';
import type { HeadEvent, Rpc } from '../chain/types.ts';
import { retry, sleep } from '../lib/async.ts';
import type { Head } from '../lib/types.ts';
import { anchorAll } from './anchor.ts';
import { discoverAll } from './discovery.ts';
import { type Change, Entry, takeBack } from './entry.ts';
import { Fold } from './fold.ts';
import type { BlockReport, Failure, MirrorOptions, MirrorUpdate, SyncProgress } from './reports.ts';
import { MirrorError, type Mirrored } from './types.ts';

const DEPTH = 128;
const SYNC_ATTEMPTS = 5;
const DISCOVERY_PASSES = 5;
/** Blocks of history that may be left to discover together with the anchor. */
const CLOSE_ENOUGH = 16;
const FIRST_STALL_MS = 100;
const LONGEST_STALL_MS = 2_000;

type BlockRecord = { readonly head: Head; readonly changes: readonly Change[] };
type OnProgress = (progress: SyncProgress) => void;

export class Mirror {
  readonly #rpc: Rpc;
  readonly #views: Views;
  readonly #auditLimit: number;
  readonly #depth: number;
  readonly #onProgress: OnProgress;
  #entries: Entry[];
  /** The block below the oldest record. */
  #base!: Head;
  #records: BlockRecord[] = [];
  #finalNumber = 0;
  #mustResync = false;
  #stalls = 0;
  /** Not yet reported. */
  #failures: Failure[] = [];
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(rpc: Rpc, mirrored: readonly Mirrored[], options: MirrorOptions, onProgress: OnProgress) {
    this.#rpc = rpc;
    this.#views = createViews(rpc, options.multicall3);
    this.#auditLimit = options.auditLimit;
    this.#depth = options.depth ?? DEPTH;
    this.#onProgress = onProgress;
    this.#entries = mirrored.map((one) => new Entry(one));
  }

  /** Rejects with `MirrorError` when something is not there even at the head, with `RpcError` when the endpoints cannot answer. */
  static async sync(rpc: Rpc, mirrored: readonly Mirrored[], options: MirrorOptions, onProgress: OnProgress = () => {}): Promise<Mirror> {
    const mirror = new Mirror(rpc, mirrored, options, onProgress);
    await retry(() => mirror.#syncAll(), { attempts: SYNC_ATTEMPTS, delayMs: FIRST_STALL_MS, retryIf: isReorg });
    const [failure] = mirror.#takeFailures();
    if (failure !== undefined) throw failure.error;
    return mirror;
  }

  /** The newest block folded in. */
  get head(): Head {
    return this.#records.at(-1)?.head ?? this.#base;
  }

  /** The blocks that can be taken back, on top of the one below them; oldest first. For starting `Heads`. */
  get recent(): readonly Head[] {
    return [this.#base, ...this.#records.map(({ head }) => head)];
  }

  /** Is this Mirrored's state that of `head`? */
  live(id: string): boolean {
    return this.#entries.some((entry) => entry.id === id && entry.live);
  }

  /** Reads contract state beside the mirror, through the same batching. */
  get views(): Views {
    return this.#views;
  }

  /** Its state is not trusted any more (a mismatch): dropped now, read again at the next block, whose report names it under `anchored`. */
  reanchor(id: string): void {
    for (const entry of this.#entries) if (entry.id === id && entry.live) entry.fail(this.head.number, this.#base.number);
  }

  /** Starts mirroring more, anchored at the present head. Rejects as `sync` does, and then none of them is kept. */
  add(mirrored: readonly Mirrored[]): Promise<void> {
    return this.#inTurn(async () => {
      const entries = mirrored.map((one) => new Entry(one));
      await this.#anchorAt(this.head, entries);
      const [failure] = this.#takeFailures((id) => entries.some((entry) => entry.id === id));
      if (failure !== undefined) throw failure.error;
      this.#entries.push(...entries);
    });
  }

  /** Follows the chain to where the event says it is. One call at a time; a second waits for the first. */
  onHeads(event: HeadEvent): Promise<MirrorUpdate> {
    return this.#inTurn(async () => {
      const blocks: BlockReport[] = [];
      const removed = event.kind === 'reorg' ? event.removed : [];
      try {
        if (event.kind === 'lost' || this.#reachesBelow(removed)) this.#forgetAll();
        if (this.#mustResync) {
          await this.#syncAll();
          this.#stalls = 0;
          return { removed, blocks: [this.#resyncReport()], resynced: true, stalled: null };
        }
        this.#rollBack(removed);
        const added = event.kind === 'lost' ? [] : event.added;
        for (const [i, head] of added.entries()) blocks.push(await this.#extend(head, i === added.length - 1));
        this.#stalls = 0;
        return { removed, blocks, resynced: false, stalled: null };
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        await sleep(Math.min(FIRST_STALL_MS * 2 ** this.#stalls++, LONGEST_STALL_MS));
        return { removed, blocks, resynced: false, stalled: error };
      }
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(work);
    this.#busy = turn.catch(() => {});
    return turn;
  }

  #forgetAll(): void {
    if (this.#mustResync) return;
    this.#mustResync = true;
    for (const entry of this.#entries) entry.drop(entry.mirrored.fromBlock - 1);
  }

  /** Goes on where an attempt that was cut short left off: what is discovered stays discovered. */
  async #syncAll(): Promise<void> {
    for (const entry of this.#entries) if (entry.live) entry.drop(entry.discoveredTo);
    const anchor = await this.#discoverHistory();
    const latest = await getHead(this.#rpc, 'latest');
    this.#records = [];
    this.#base = anchor;
    this.#finalNumber = anchor.number;
    await this.#anchorAt(
      anchor,
      this.#entries.filter(({ mirrored }) => mirrored.fromBlock <= anchor.number),
    );
    // What is not there yet at that block is anchored at the head; what failed otherwise is a failure.
    this.#takeFailures((_, error) => error instanceof MirrorError);
    if (this.#entries.every(({ live }) => !live)) this.#base = latest;
    else await this.#followTo(latest);
    const young = this.#entries.filter(({ live, id }) => !live && !this.#failures.some((failure) => failure.id === id));
    await this.#anchorAt(this.head, young);
    this.#mustResync = false;
  }

  /** Reading a long history takes longer than nodes keep state, so the block to anchor at is chosen when the discovery has almost caught up. */
  async #discoverHistory(): Promise<Head> {
    let anchor = await getFinalHead(this.#rpc);
    for (let pass = 0; pass < DISCOVERY_PASSES; pass++) {
      const reached = anchor.number;
      this.#finalNumber = reached;
      this.#records = [];
      this.#base = anchor;
      await this.#discoverTo(
        anchor,
        this.#entries.filter(({ mirrored }) => mirrored.fromBlock <= reached),
      );
      anchor = await getFinalHead(this.#rpc);
      if (anchor.number - reached <= CLOSE_ENOUGH) break;
    }
    return anchor;
  }

  async #followTo(target: Head): Promise<void> {
    for (const head of await getHeads(this.#rpc, this.head.number + 1, target.number)) {
      if (head.parentHash !== this.head.hash) throw new RpcError('unknown-block', 'endpoint', `block ${head.number} is of another branch`);
      const { failures, logs } = await this.#extend(head, false);
      this.#failures.push(...failures);
      this.#onProgress({ phase: 'following', done: head.number, total: target.number, logs });
    }
  }

  /** Hands over what is not discovered yet up to this block; returns the entries that took it. */
  async #discoverTo(to: Head, entries: readonly Entry[]): Promise<readonly Entry[]> {
    if (entries.length === 0) return [];
    const recent = this.recent.filter(({ number }) => number <= to.number);
    const progress = (done: number, logs: number) => this.#onProgress({ phase: 'discovering', done, total: to.number, logs });
    const failures = await discoverAll(this.#rpc, entries, { to, finalNumber: this.#finalNumber, recent }, progress);
    const failed = new Set(failures.map(({ id }) => id));
    for (const entry of entries) if (failed.has(entry.id)) entry.fail(to.number, entry.discoveredTo);
    this.#failures.push(...failures);
    return entries.filter(({ id }) => !failed.has(id));
  }

  /** Discovery up to this block, then all state read there; who fails stays down, with the failure kept for the next report. */
  async #anchorAt(at: Head, entries: readonly Entry[]): Promise<void> {
    const ready = await this.#discoverTo(at, entries);
    const reads = (done: number) => this.#onProgress({ phase: 'anchoring', done, total: done, logs: 0 });
    this.#failures.push(...(await anchorAll(this.#views, ready, at, reads)));
  }

  /** Folds one block in. At the newest one the audit runs, and what is down gets its chance. */
  async #extend(head: Head, newest: boolean): Promise<BlockReport> {
    if (head.parentHash !== this.head.hash) throw new RangeError(`block ${head.number} does not follow the mirror's head`);
    const fold = new Fold(this.#rpc, this.#views, head, newest ? this.#auditLimit : 0);
    try {
      await fold.run(this.#entries.filter(({ live }) => live));
    } finally {
      this.#failures.push(...fold.failures);
    }
    this.#records.push({ head, changes: fold.changes });
    if (this.#records.length > this.#depth) this.#base = this.#records.shift()!.head;
    const anchored = newest ? await this.#revive(head) : [];
    const { logs, reads, audited, mismatches } = fold;
    return { head, logs, reads, audited, mismatches, failures: this.#takeFailures(), anchored };
  }

  async #revive(head: Head): Promise<string[]> {
    const broken = new Set(this.#failures.map(({ id }) => id));
    const due = this.#entries.filter((entry) => entry.due(head.number) && !broken.has(entry.id));
    try {
      await this.#anchorAt(head, due);
    } catch (error) {
      // The block itself is folded in; the next one is another chance.
      if (!(error instanceof RpcError)) throw error;
    }
    return due.filter(({ live }) => live).map(({ id }) => id);
  }

  #resyncReport(): BlockReport {
    const anchored = this.#entries.filter(({ live }) => live).map(({ id }) => id);
    return { head: this.head, logs: 0, reads: 0, audited: 0, mismatches: [], failures: this.#takeFailures(), anchored };
  }

  #reachesBelow(removed: readonly Head[]): boolean {
    return removed.length > this.#records.length;
  }

  #rollBack(removed: readonly Head[]): void {
    for (const block of removed) {
      const record = this.#records.at(-1);
      if (record?.head.hash !== block.hash) throw new RangeError(`block ${block.number} is not the mirror's head`);
      takeBack(record.changes, (failure, entry) => {
        entry.fail(block.number);
        this.#failures.push(failure);
      });
      this.#records.pop();
    }
    // Anchored on a block that is gone: nothing to go back to, so it is read again at the new head.
    const { number } = this.head;
    for (const entry of this.#entries) if (entry.anchoredAt !== null && entry.anchoredAt.number > number) entry.drop(number);
    for (const entry of this.#entries) if (!entry.live) entry.drop(number);
  }

  #takeFailures(which: (id: string, error: Error) => boolean = () => true): Failure[] {
    const taken = this.#failures.filter(({ id, error }) => which(id, error));
    this.#failures = this.#failures.filter((failure) => !taken.includes(failure));
    return taken;
  }
}

/** The chain changed under a sync: begin again from where it is now. */
function isReorg(error: unknown): boolean {
  return error instanceof RpcError && error.kind === 'unknown-block';
}

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
import type { DiscoveryScope } from './discovery.ts';
import { type Change, type Entry, takeBack } from './entry.ts';
import { Fold } from './fold.ts';
import { Past, type PastStatus } from './past.ts';
import type { BlockReport, Failure, MirrorOptions, MirrorUpdate } from './reports.ts';
import { type OnProgress, Roster } from './roster.ts';
import type { Keeper, Kept } from './snapshots/take.ts';
import { MirrorError, type Mirrored } from './types.ts';

const DEPTH = 128;
const SYNC_ATTEMPTS = 5;
const DISCOVERY_PASSES = 5;
/** Blocks of history that may be left to discover together with the anchor. */
const CLOSE_ENOUGH = 16;
const FIRST_STALL_MS = 100;
const LONGEST_STALL_MS = 2_000;

type BlockRecord = { readonly head: Head; readonly changes: readonly Change[] };

export class Mirror implements Keeper {
  readonly #rpc: Rpc;
  readonly #views: Views;
  readonly #auditLimit: number;
  readonly #depth: number;
  readonly #onProgress: OnProgress;
  readonly #roster: Roster;
  /** The block below the oldest record. */
  #base!: Head;
  #records: BlockRecord[] = [];
  #finalNumber = 0;
  #mustResync = false;
  readonly #told: MirrorOptions['told'];
  #past: Past | undefined;
  #stalls = 0;
  #retreats = 0;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(rpc: Rpc, mirrored: readonly Mirrored[], options: MirrorOptions, onProgress: OnProgress) {
    this.#rpc = rpc;
    this.#views = createViews(rpc, options.multicall3);
    this.#auditLimit = options.auditLimit;
    this.#depth = options.depth ?? DEPTH;
    this.#onProgress = onProgress;
    this.#told = options.told;
    this.#roster = new Roster(rpc, this.#views, mirrored, options, onProgress);
  }

  /**
   * What cannot be read even at the head is left down, to be tried again, and told by `takeFailures`. Rejects with the first such `MirrorError`
   * when nothing could be read at all, with `RpcError` when the endpoints cannot answer.
   */
  static async sync(rpc: Rpc, mirrored: readonly Mirrored[], options: MirrorOptions, onProgress: OnProgress = () => {}): Promise<Mirror> {
    const mirror = new Mirror(rpc, mirrored, options, onProgress);
    await retry(() => mirror.#syncAll(), { attempts: SYNC_ATTEMPTS, delayMs: FIRST_STALL_MS, retryIf: isReorg });
    if (mirrored.length > 0 && mirror.#roster.live.length === 0) {
      const [failure] = mirror.#roster.takeFailures();
      if (failure !== undefined) throw failure.error;
    }
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
    return this.#roster.live.some((entry) => entry.id === id);
  }

  /** What of the history is not known yet; undefined when all of it is. */
  get past(): PastStatus | undefined {
    return this.#past?.status;
  }

  /**
   * Goes through what the start left out, beside the stream, and has whoever it names read at the next block. Resolves at once where nothing was left out;
   * rejects with RpcError where the endpoints stay away for hours.
   */
  async goThroughPast(signal: AbortSignal): Promise<void> {
    const past = this.#past;
    const status = past?.status;
    if (past === undefined || status === undefined) return;
    const failures = await past.goThrough(
      this.#rpc,
      ({ doneTo, logs, logsPerSecond, secondsLeft }) =>
        this.#onProgress({ phase: 'past', done: doneTo, total: status.to, logs, logsPerSecond, secondsLeft }),
      signal,
    );
    await this.#inTurn(async () => {
      this.#roster.report(...failures);
      for (const entry of past.settle()) if (entry.live) entry.drop(this.#base.number);
    });
  }

  /** What went wrong at the start. Told once: whoever asks keeps it from the next block's report. */
  takeFailures(): readonly Failure[] {
    return this.#roster.takeFailures();
  }

  /** What outlasts a restart: live, and up to `head`. */
  kept(): readonly Kept[] {
    return this.#roster.kept(this.head.number);
  }

  /** Changes whenever a state that was there is there no more. */
  get retreats(): number {
    return this.#retreats + this.#roster.all.reduce((sum, { drops }) => sum + drops, 0);
  }

  /** Resolves once no block is half folded in. */
  async settled(): Promise<void> {
    await this.#busy;
  }

  /** Reads contract state beside the mirror, through the same batching. */
  get views(): Views {
    return this.#views;
  }

  /** Its state is not trusted any more (a mismatch): dropped now, read again at the next block, whose report names it under `anchored`. */
  reanchor(id: string): void {
    for (const entry of this.#roster.live) if (entry.id === id) entry.fail(this.head.number, this.#base.number);
  }

  /** Starts mirroring more, anchored at the present head. Rejects as `sync` does, and then none of them is kept. */
  add(mirrored: readonly Mirrored[]): Promise<void> {
    const anchor = async (attempt: number) => {
      // The head was reorganised away meanwhile: there is nothing to be read at it any more.
      if (attempt > 1) await this.#resync();
      const entries = this.#roster.enter(mirrored);
      await this.#roster.anchor(entries, this.#scope(this.head));
      const [failure] = this.#roster.takeFailures(({ id }) => entries.some((entry) => entry.id === id));
      if (failure !== undefined) throw failure.error;
      this.#roster.join(entries);
    };
    return this.#inTurn(() => retry(anchor, { attempts: SYNC_ATTEMPTS, delayMs: FIRST_STALL_MS, retryIf: isReorg }));
  }

  /** Follows the chain to where the event says it is. One call at a time; a second waits for the first. */
  onHeads(event: HeadEvent): Promise<MirrorUpdate> {
    return this.#inTurn(async () => {
      const blocks: BlockReport[] = [];
      const removed = event.kind === 'reorg' ? event.removed : [];
      try {
        if (this.#mustResync || event.kind === 'lost' || this.#reachesBelow(removed)) {
          await this.#resync();
          this.#stalls = 0;
          return { removed, blocks: [this.#resyncReport()], resynced: true, stalled: null };
        }
        this.#rollBack(removed);
        for (const [i, head] of event.added.entries()) blocks.push(await this.#extend(head, i === event.added.length - 1));
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

  /** Everything from scratch, until that has succeeded once. */
  async #resync(): Promise<void> {
    if (!this.#mustResync) for (const entry of this.#roster.all) entry.drop(entry.mirrored.fromBlock - 1);
    this.#past?.forget();
    this.#mustResync = true;
    this.#retreats++;
    await this.#syncAll();
  }

  /** Goes on where an attempt that was cut short left off: what is discovered stays discovered. */
  async #syncAll(): Promise<void> {
    for (const entry of this.#roster.live) entry.drop(entry.discoveredTo);
    const anchor = await this.#discoverHistory();
    const latest = await getHead(this.#rpc, 'latest');
    this.#records = [];
    this.#base = anchor;
    this.#finalNumber = anchor.number;
    await this.#roster.anchor(
      this.#existingAt(anchor).filter(({ past }) => past !== 'awaited'),
      this.#scope(anchor),
    );
    // What is not there yet at that block is anchored at the head; what failed otherwise is a failure.
    this.#roster.takeFailures(({ error }) => error instanceof MirrorError);
    if (this.#roster.live.length === 0) this.#base = latest;
    else await this.#followTo(latest);
    // A change that calls for a new anchor (an upgrade, a new price source) since then: the head is as good a block to read at.
    this.#roster.takeFailures(({ during, error }) => during === 'apply' && error instanceof MirrorError);
    await this.#roster.anchor(this.#roster.untried, this.#scope(this.head));
    this.#mustResync = false;
  }

  /** Reading a long history takes longer than nodes keep state, so the block to anchor at is chosen when the discovery has almost caught up. */
  async #discoverHistory(): Promise<Head> {
    let anchor = await getFinalHead(this.#rpc);
    if (this.#told !== undefined) this.#past ??= new Past(this.#roster.all, anchor, this.#told);
    for (let pass = 0; pass < DISCOVERY_PASSES; pass++) {
      const reached = anchor.number;
      this.#finalNumber = reached;
      this.#records = [];
      this.#base = anchor;
      await this.#roster.discover(this.#existingAt(anchor), this.#scope(anchor));
      anchor = await getFinalHead(this.#rpc);
      if (anchor.number - reached <= CLOSE_ENOUGH) break;
    }
    return anchor;
  }

  async #followTo(target: Head): Promise<void> {
    for (const head of await getHeads(this.#rpc, this.head.number + 1, target.number)) {
      if (head.parentHash !== this.head.hash) throw new RpcError('unknown-block', 'endpoint', `block ${head.number} is of another branch`);
      const { failures, logs } = await this.#extend(head, false);
      this.#roster.report(...failures);
      this.#onProgress({ phase: 'following', done: head.number, total: target.number, logs });
    }
  }

  #existingAt(block: Head): readonly Entry[] {
    return this.#roster.all.filter(({ mirrored }) => mirrored.fromBlock <= block.number);
  }

  #scope(to: Head): DiscoveryScope {
    return { to, finalNumber: this.#finalNumber, recent: this.recent.filter(({ number }) => number <= to.number) };
  }

  /** Folds one block in. At the newest one the audit runs, and what is down gets its chance. */
  async #extend(head: Head, newest: boolean): Promise<BlockReport> {
    if (head.parentHash !== this.head.hash) throw new RangeError(`block ${head.number} does not follow the mirror's head`);
    const fold = new Fold(this.#rpc, this.#views, head, newest ? this.#auditLimit : 0);
    try {
      await fold.run(this.#roster.live);
    } catch (error) {
      this.#retreats++;
      throw error;
    } finally {
      this.#roster.report(...fold.failures);
    }
    this.#records.push({ head, changes: fold.changes });
    if (this.#records.length > this.#depth) this.#base = this.#records.shift()!.head;
    const anchored = newest ? await this.#roster.revive(this.#scope(head)) : [];
    const { logs, reads, audited, mismatches } = fold;
    return { head, logs, reads, audited, mismatches, failures: this.#roster.takeFailures(), anchored };
  }

  #resyncReport(): BlockReport {
    const anchored = this.#roster.live.map(({ id }) => id);
    return { head: this.head, logs: 0, reads: 0, audited: 0, mismatches: [], failures: this.#roster.takeFailures(), anchored };
  }

  #reachesBelow(removed: readonly Head[]): boolean {
    return removed.length > this.#records.length;
  }

  #rollBack(removed: readonly Head[]): void {
    this.#retreats += removed.length;
    for (const block of removed) {
      const record = this.#records.at(-1);
      if (record?.head.hash !== block.hash) throw new RangeError(`block ${block.number} is not the mirror's head`);
      takeBack(record.changes, (failure, entry) => {
        entry.fail(block.number);
        this.#roster.report(failure);
      });
      this.#records.pop();
    }
    this.#roster.rolledBackTo(this.head);
  }
}

/** The chain changed under a sync: begin again from where it is now. */
function isReorg(error: unknown): boolean {
  return error instanceof RpcError && error.kind === 'unknown-block';
}

import type { Views } from '../chain/actions/callAt.ts';
import type { BackfillProgress } from '../chain/backfill.ts';
import { RpcError } from '../chain/errors.ts';
import type { Rpc } from '../chain/types.ts';
import type { Head } from '../lib/types.ts';
import { anchorAll } from './anchor.ts';
import { type DiscoveryScope, discoverAll } from './discovery.ts';
import { Entry } from './entry.ts';
import type { Failure, MirrorOptions, SyncProgress } from './reports.ts';
import type { Kept } from './snapshots/take.ts';
import type { Mirrored } from './types.ts';

/** Reading a market anew takes time that the block's decisions wait for; those that failed most often wait longest. */
const REVIVED_AT_ONCE = 4;

export type OnProgress = (progress: SyncProgress) => void;

/** Everything mirrored: who is live, who is down, and what went wrong since the last report. */
export class Roster {
  readonly #rpc: Rpc;
  readonly #views: Views;
  readonly #onProgress: OnProgress;
  readonly #options: MirrorOptions;
  readonly #entries: Entry[];
  #failures: Failure[] = [];

  constructor(rpc: Rpc, views: Views, mirrored: readonly Mirrored[], options: MirrorOptions, onProgress: OnProgress) {
    this.#rpc = rpc;
    this.#views = views;
    this.#onProgress = onProgress;
    this.#options = options;
    this.#entries = this.enter(mirrored);
  }

  /** Entries for more of them, with what was kept of each. */
  enter(mirrored: readonly Mirrored[]): Entry[] {
    return mirrored.map((one) => {
      const entry = new Entry(one);
      entry.discoveredTo = this.#options.restoring?.into(one) ?? entry.discoveredTo;
      return entry;
    });
  }

  /** What outlasts a restart, of these or of all that are live. */
  kept(head: number, entries: readonly Entry[] = this.live): readonly Kept[] {
    return entries.flatMap(({ id, discoveredTo, past, mirrored: { fromBlock, keeping }, live }) =>
      keeping === undefined || past !== 'known' ? [] : [{ id, fromBlock, keeping, to: live ? head : discoveredTo }],
    );
  }

  get all(): readonly Entry[] {
    return this.#entries;
  }

  get live(): readonly Entry[] {
    return this.#entries.filter(({ live }) => live);
  }

  /** Down without having failed since the last report: those it is worth trying now. */
  get untried(): readonly Entry[] {
    const failed = new Set(this.#failures.map(({ id }) => id));
    return this.#entries.filter(({ id, live, past }) => !live && past !== 'awaited' && !failed.has(id));
  }

  join(entries: readonly Entry[]): void {
    this.#entries.push(...entries);
  }

  report(...failures: readonly Failure[]): void {
    this.#failures.push(...failures);
  }

  /** The failures not reported yet, or those of them that are asked for; they are not told again. */
  takeFailures(which: (failure: Failure) => boolean = () => true): Failure[] {
    const taken = this.#failures.filter(which);
    this.#failures = this.#failures.filter((failure) => !taken.includes(failure));
    return taken;
  }

  /** Hands over what is not discovered yet up to this block; returns the entries that took it. */
  async discover(entries: readonly Entry[], scope: DiscoveryScope): Promise<readonly Entry[]> {
    if (entries.length === 0) return [];
    const { to } = scope;
    const progress = ({ doneTo, logs, logsPerSecond, secondsLeft }: BackfillProgress) => {
      this.#onProgress({ phase: 'discovering', done: doneTo, total: to.number, logs, logsPerSecond, secondsLeft });
      if (to.number <= scope.finalNumber)
        this.#options.discovered?.(this.kept(to.number, [...new Set([...this.#entries, ...entries])]), to);
    };
    const failures = await discoverAll(this.#rpc, entries, scope, progress);
    const failed = new Set(failures.map(({ id }) => id));
    for (const entry of entries) if (failed.has(entry.id)) entry.fail(to.number, entry.discoveredTo);
    this.report(...failures);
    return entries.filter(({ id }) => !failed.has(id));
  }

  /** Discovery up to this block, then all state read there; who fails stays down. Rejects when the endpoints cannot answer. */
  async anchor(entries: readonly Entry[], scope: DiscoveryScope): Promise<void> {
    const ready = await this.discover(entries, scope);
    const progress = (done: number) => this.#onProgress({ phase: 'anchoring', done, total: done, logs: 0 });
    this.report(...(await anchorAll(this.#views, ready, scope.to, progress)));
  }

  /** Another chance for those that are down and have paused long enough; returns who took it. */
  async revive(scope: DiscoveryScope): Promise<string[]> {
    const due = this.untried
      .filter((entry) => entry.due(scope.to.number))
      .sort((a, b) => a.attempts - b.attempts)
      .slice(0, REVIVED_AT_ONCE);
    // Each by itself: one that asks too much of the endpoints must not keep the others down.
    for (const entry of due) {
      try {
        await this.anchor([entry], scope);
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        // The endpoints' fault: the next block is another chance. What takes them too long may be its own.
        if (error.kind === 'timeout' || error.kind === 'too-much') entry.fail(scope.to.number, entry.discoveredTo);
      }
    }
    return due.filter(({ live }) => live).map(({ id }) => id);
  }

  /** After a rollback: what was anchored on a block that is gone has nothing to go back to, and is read again at the new head. */
  rolledBackTo({ number }: Head): void {
    for (const entry of this.#entries) if (entry.anchoredAt === null || entry.anchoredAt.number > number) entry.drop(number);
  }
}

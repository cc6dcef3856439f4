/** Snapshots of a running keeper: found at its start, taken beside its work. What goes wrong with them is told, and harms nothing but the next start. */
import { getFinalHead, getHead } from '../../chain/actions/getHead.ts';
import type { Rpc } from '../../chain/types.ts';
import { sleep } from '../../lib/async.ts';
import { explainError } from '../../lib/errors.ts';
import type { BlockRef } from '../../lib/types.ts';
import { SnapshotEncoder } from './format.ts';
import { type Restored, Restoring } from './restore.ts';
import type { Refused, SnapshotStore } from './store.ts';
import { type Keeper, type Kept, type Taken, takeSnapshot } from './take.ts';

const EVERY_MS = 600_000;
/** After one that had to be abandoned. */
const AGAIN_MS = 30_000;
/** While a history is gone through. */
const UNDER_WAY_EVERY_MS = 30_000;

export type SnapshotEvent =
  | { readonly kind: 'refused'; readonly file: string; readonly reason: string }
  | { readonly kind: 'used'; readonly first: BlockRef }
  | Restored
  | (Taken & { readonly ms: number })
  | { readonly kind: 'failed'; readonly reason: string };

/** What an earlier run left behind for this chain, if anything of it can be used. */
export async function restoringFrom(
  store: SnapshotStore,
  rpc: Rpc,
  chainId: number,
  tell: (event: SnapshotEvent) => void,
): Promise<Restoring | undefined> {
  const { snapshot, refused } = await store.newest(chainId, (block) => whyNotOurs(rpc, block));
  for (const { file, reason } of refused satisfies readonly Refused[]) tell({ kind: 'refused', file, reason });
  if (snapshot === undefined) return undefined;
  tell({ kind: 'used', first: snapshot.first });
  return new Restoring(snapshot, tell);
}

/** NOTE: a block that may still be taken back would take what was kept with it. */
async function whyNotOurs(rpc: Rpc, { number, hash }: BlockRef): Promise<string | undefined> {
  const final = await getFinalHead(rpc);
  if (number > final.number) return `its block ${number} is not final yet`;
  const ours = await getHead(rpc, { number });
  return ours.hash === hash ? undefined : `its block ${number} is of another branch, or of another chain`;
}

export class SnapshotService {
  readonly #store: SnapshotStore;
  readonly #chainId: number;
  readonly #tell: (event: SnapshotEvent) => void;
  readonly #stopped = new AbortController();
  #working: Promise<void> = Promise.resolve();
  #savedAt = performance.now();
  #saving = false;

  readonly #underWayEveryMs: number;

  constructor(store: SnapshotStore, chainId: number, tell: (event: SnapshotEvent) => void, underWayEveryMs = UNDER_WAY_EVERY_MS) {
    this.#store = store;
    this.#chainId = chainId;
    this.#tell = tell;
    this.#underWayEveryMs = underWayEveryMs;
  }

  /** While a history is gone through: so that it need not be gone through again from its beginning. Made at once, before anything else is discovered. */
  discovered(kept: readonly Kept[], at: BlockRef): void {
    if (this.#saving || performance.now() - this.#savedAt < this.#underWayEveryMs) return;
    this.#savedAt = performance.now();
    const { number, hash } = at;
    const block = { number, hash };
    const encoder = new SnapshotEncoder();
    const entries = kept.map(({ id, fromBlock, to, keeping }) => ({ id, fromBlock, to, shape: keeping.shape }));
    const parts = [encoder.begin({ chainId: this.#chainId, first: block, entries })];
    for (const [entry, { keeping }] of kept.entries())
      for (const piece of keeping.keep()) parts.push(...encoder.frame(entry, piece).map((part) => Buffer.from(part)));
    parts.push(encoder.end({ last: block }));
    this.#saving = true;
    this.#working = this.#guarded(async () => {
      await this.#store.save(async (sink) => {
        for (const part of parts) {
          sink.add(part);
          await sink.drain();
        }
        return number;
      });
    }).finally(() => {
      this.#saving = false;
    });
  }

  /** From now on, until it is stopped. */
  start(keeper: Keeper): void {
    const before = this.#working;
    this.#working = before.then(async () => {
      const { signal } = this.#stopped;
      while (!signal.aborted) await sleep((await this.take(keeper)) ? EVERY_MS : AGAIN_MS, signal);
    });
  }

  /** False where there is none for now. */
  async take(keeper: Keeper): Promise<boolean> {
    let taken: Taken | undefined;
    const began = performance.now();
    await this.#guarded(() =>
      this.#store.save(async (sink) => {
        taken = await takeSnapshot(keeper, this.#chainId, sink, this.#stopped.signal);
        return taken.kind === 'taken' ? taken.first.number : undefined;
      }),
    );
    if (taken !== undefined && !this.#stopped.signal.aborted) this.#tell({ ...taken, ms: performance.now() - began });
    return taken?.kind === 'taken';
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#working;
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#tell({ kind: 'failed', reason: explainError(error) });
    }
  }
}

import { setImmediate as turn } from 'node:timers/promises';
import type { BlockRef } from '../../lib/types.ts';
import type { Keeping } from '../keeping.ts';
import { type KeptEntry, SnapshotEncoder } from './format.ts';

/** For so long pieces are made before others have their turn; a piece more may be begun within it. */
const SLICE_MS = 0.5;

export type Kept = Omit<KeptEntry, 'shape'> & { readonly keeping: Keeping };

/** What is kept from, while blocks go on being folded in. */
export interface Keeper {
  /** Those whose state is that of the newest block. */
  kept(): readonly Kept[];
  readonly head: BlockRef;
  /** Changes whenever a state that was there is there no more: a block taken back, a market read anew. */
  readonly retreats: number;
  /** Resolves once no block is half folded in. */
  settled(): Promise<void>;
}

/** Where a file goes. NOTE: memory that is used again, and not much of it: new memory by the piece is what a garbage collector stops everything for. */
export interface Sink {
  /** Takes the part in at once: it may change afterwards. */
  add(part: Uint8Array): void;
  /** Resolves once there is room for more. */
  drain(): Promise<void>;
}

export type Taken =
  | {
      readonly kind: 'taken';
      readonly first: BlockRef;
      readonly last: BlockRef;
      readonly bytes: number;
      /** As others wait for it, what else the machine did meanwhile included; and of it the longest own work. */
      readonly longestPauseMs: number;
      readonly longestWorkMs: number;
    }
  /** What was written so far is of no use. */
  | { readonly kind: 'abandoned'; readonly reason: string };

/** Hands a whole file to the sink, part by part. The stream goes on meanwhile: it never waits for longer than a slice. */
export async function takeSnapshot(keeper: Keeper, chainId: number, sink: Sink, signal?: AbortSignal): Promise<Taken> {
  await keeper.settled();
  const { retreats, head: first } = keeper;
  const kept = keeper.kept();
  const encoder = new SnapshotEncoder();
  const entries = kept.map(({ id, fromBlock, to, keeping }) => ({ id, fromBlock, to, shape: keeping.shape }));
  let bytes = 0;
  const put = (part: Uint8Array) => {
    bytes += part.length;
    sink.add(part);
  };
  put(encoder.begin({ chainId, first: { number: first.number, hash: first.hash }, entries }));
  let [longestPauseMs, longestWorkMs] = [0, 0];
  for (const [entry, { keeping }] of kept.entries()) {
    const pieces = keeping.keep()[Symbol.iterator]();
    for (let done = false; !done; ) {
      const began = performance.now();
      const worked = process.threadCpuUsage();
      do {
        const next = pieces.next();
        done = next.done === true;
        if (!next.done) encoder.frame(entry, next.value).forEach(put);
      } while (!done && performance.now() - began < SLICE_MS);
      longestPauseMs = Math.max(longestPauseMs, performance.now() - began);
      const { user, system } = process.threadCpuUsage(worked);
      longestWorkMs = Math.max(longestWorkMs, (user + system) / 1_000);
      await sink.drain();
      await turn();
      if (signal?.aborted) return { kind: 'abandoned', reason: 'the keeper stops' };
      if (keeper.retreats !== retreats) return { kind: 'abandoned', reason: 'a block was taken back, or a market read anew, meanwhile' };
    }
  }
  await keeper.settled();
  if (keeper.retreats !== retreats) return { kind: 'abandoned', reason: 'a block was taken back, or a market read anew, meanwhile' };
  const { number, hash } = keeper.head;
  put(encoder.end({ last: { number, hash } }));
  return { kind: 'taken', first, last: { number, hash }, bytes, longestPauseMs, longestWorkMs };
}

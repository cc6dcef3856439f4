import { setImmediate as turn } from 'node:timers/promises';
import type { BlockRef } from '../../lib/types.ts';
import type { Keeping } from '../keeping.ts';
import { type KeptEntry, SnapshotEncoder } from './format.ts';

/** For so long pieces are made before others have their turn; a piece more may be begun within it. */
const SLICE_MS = 1;

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

export type Taken =
  | { readonly kind: 'taken'; readonly first: BlockRef; readonly last: BlockRef; readonly bytes: number; readonly longestPauseMs: number }
  /** What was written so far is of no use. */
  | { readonly kind: 'abandoned'; readonly reason: string };

/** Hands a whole file to `write`, part by part. The stream goes on meanwhile: it never waits for longer than a slice. */
export async function takeSnapshot(
  keeper: Keeper,
  chainId: number,
  write: (bytes: Uint8Array) => Promise<void>,
  signal?: AbortSignal,
): Promise<Taken> {
  await keeper.settled();
  const { retreats, head: first } = keeper;
  const kept = keeper.kept();
  const encoder = new SnapshotEncoder();
  const entries = kept.map(({ id, fromBlock, to, keeping }) => ({ id, fromBlock, to, shape: keeping.shape }));
  let bytes = 0;
  const put = async (part: Uint8Array) => {
    bytes += part.length;
    await write(part);
  };
  await put(encoder.begin({ chainId, first: { number: first.number, hash: first.hash }, entries }));
  let longestPauseMs = 0;
  for (const [entry, { keeping }] of kept.entries()) {
    const pieces = keeping.keep()[Symbol.iterator]();
    for (let done = false; !done; ) {
      const parts: Uint8Array[] = [];
      const began = performance.now();
      do {
        const next = pieces.next();
        done = next.done === true;
        if (!next.done) parts.push(...encoder.frame(entry, next.value));
      } while (!done && performance.now() - began < SLICE_MS);
      longestPauseMs = Math.max(longestPauseMs, performance.now() - began);
      await put(Buffer.concat(parts));
      await turn();
      if (signal?.aborted) return { kind: 'abandoned', reason: 'the keeper stops' };
      if (keeper.retreats !== retreats) return { kind: 'abandoned', reason: 'a block was taken back, or a market read anew, meanwhile' };
    }
  }
  await keeper.settled();
  if (keeper.retreats !== retreats) return { kind: 'abandoned', reason: 'a block was taken back, or a market read anew, meanwhile' };
  const { number, hash } = keeper.head;
  await put(encoder.end({ last: { number, hash } }));
  return { kind: 'taken', first, last: { number, hash }, bytes, longestPauseMs };
}

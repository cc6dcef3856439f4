/** Follows a chain's height for the devnet's own actors: by polling, because a subscription would be one more thing to lose. */
import type { Hex } from 'viem';
import { rpc } from './rpc.ts';

const POLL_MS = 50;

export type FollowOptions = {
  signal: AbortSignal;
  /** Called for the newest block, one call at a time; blocks that pass during a call are left out. */
  onBlock(blockNumber: number): Promise<void>;
  /** A failed call or an unreachable node; following goes on. */
  onError(error: unknown): void;
};

/** Resolves when the signal aborts. */
export async function followBlocks(rpcUrl: string, { signal, onBlock, onError }: FollowOptions): Promise<void> {
  let seen = -1;
  while (!signal.aborted) {
    try {
      const height = Number(await rpc<Hex>(rpcUrl, 'eth_blockNumber'));
      // NOTE: after a reorg or a revert the height may fall; any other height is news.
      if (height !== seen) {
        seen = height;
        await onBlock(height);
      }
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

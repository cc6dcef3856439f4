import type { BlockRef, Head } from '../lib/types.ts';
import type { Restoring } from './snapshots/restore.ts';
import type { Kept } from './snapshots/take.ts';
import type { Told } from './told.ts';
import type { Difference } from './types.ts';

export type SyncProgress = {
  readonly phase: 'discovering' | 'anchoring' | 'following' | 'past';
  /** Block reached and block aimed at; while anchoring: reads answered so far, and the same again. */
  readonly done: number;
  readonly total: number;
  readonly logs: number;
  /** While logs are fetched by range: how many a second lately, and how long the rest takes at that pace. */
  readonly logsPerSecond?: number;
  readonly secondsLeft?: number;
};

/** The mirror and the chain's own view disagree: the caller suspends that market, unless it is mended already. */
export type Mismatch = Difference & { readonly id: string; readonly subject: string };
/** A Mirrored that threw: its state is not to be trusted until its id appears under `anchored`. */
export type Failure = {
  readonly id: string;
  readonly during: 'discover' | 'anchor' | 'apply' | 'ingest' | 'audit' | 'undo';
  readonly error: Error;
};

/** What one new block did. */
export type BlockReport = {
  readonly head: Head;
  readonly logs: number;
  readonly reads: number;
  readonly audited: number;
  readonly mismatches: readonly Mismatch[];
  /** New failures only; a Mirrored that is down already is not reported again. */
  readonly failures: readonly Failure[];
  /** Mirrored that were (re-)anchored at this block and are live again. */
  readonly anchored: readonly string[];
};

export type MirrorUpdate = {
  /** Blocks taken back, newest first. */
  readonly removed: readonly Head[];
  /** New blocks, oldest first. */
  readonly blocks: readonly BlockReport[];
  /** Set when everything was synced anew because the change reached below the journal. */
  readonly resynced: boolean;
  /** Set when the endpoints could not answer for the next block; what was done stands, and the next event goes on from `mirror.head`. */
  readonly stalled: Error | null;
};

export type MirrorOptions = {
  readonly multicall3?: `0x${string}`;
  /** Comparisons per Mirrored and block. */
  readonly auditLimit: number;
  /** Blocks that can be taken back one by one. */
  readonly depth?: number;
  /** What was kept from an earlier run. */
  readonly restoring?: Restoring | undefined;
  /** Accounts that are said to have positions: the start does not wait for histories that nothing is known of yet; `goThroughPast` makes up for them. */
  readonly told?: readonly Told[] | undefined;
  /** Called now and then while a long history is gone through, with what is known so far and the final block that it was begun at. */
  readonly discovered?: ((kept: readonly Kept[], at: BlockRef) => void) | undefined;
};

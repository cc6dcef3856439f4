import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import type { Keeping } from './keeping.ts';

/** Takes back what one block changed. Called at most once, newest block first. */
export type Undo = () => void;

/** Reads of contract state at one block: each `yield` is a batch of calls, answered in the same order at that block's hash. */
export type Reading<T = void> = Generator<readonly ViewCall[], T, readonly ViewAnswer[]>;

/** A position or value of ours held against the chain's own view of it. */
export type ViewCheck = {
  /** What is compared, for the log: `account 0x… health`. */
  readonly subject: string;
  readonly call: ViewCall;
  /** Null when both agree, otherwise what differs. */
  compare(answer: ViewAnswer): Difference | null;
};

/** Ours and the chain's; `mended` says what was done about it where that was enough: the state can be trusted again. */
export type Difference = { readonly ours: string; readonly theirs: string; readonly mended?: string };

/**
 * State that follows the chain. Life: `discover` over the history below the anchor block, `anchor` once at it, then for every later block
 * `apply`, `reads`, `ingest`. After `anchor` every change is reversible.
 */
export interface Mirrored {
  /** For logs and metrics: `aave-v3/core`. */
  readonly id: string;
  /** First block that can hold logs of interest. */
  readonly fromBlock: number;
  /** Logs wanted below the anchor, to discover who exists; empty when the anchor's reads tell everything. */
  discoveryFilters(): readonly LogFilter[];
  discover(logs: readonly RawLog[]): void;
  /**
   * Accounts that are told of before the history is known: read at the next anchor with those discovered. Left out where nothing can be followed before the
   * history is known, because only logs tell its state, or which contracts belong to it.
   */
  hearOf?(accounts: readonly Address[]): void;
  /** Reads the whole state at the anchor block; may be called again later, and then replaces all state (a re-anchor). Throws `MirrorError` when the contracts are not there. */
  anchor(block: Head): Reading;
  /** Logs wanted now. May grow while logs are applied (a new reserve): the block is then rolled back, fetched with the new filters and applied again. */
  filters(): readonly LogFilter[];
  /** Folds one block's logs, in order; foreign logs may be among them and are passed over. */
  apply(block: Head, logs: readonly RawLog[]): Undo;
  /** What logs do not tell, asked once a block, at its hash. */
  reads(block: Head): readonly ViewCall[];
  ingest(block: Head, answers: readonly ViewAnswer[]): Undo;
  /**
   * Up to `limit` comparisons with the chain's own views; `seed` (the block number) varies which. Asked for between `apply` and `ingest`, so that the calls
   * share that block's one batch; `compare` runs when everything mirrored has ingested the block.
   */
  audit(block: BlockRef, limit: number, seed: number): readonly ViewCheck[];
  /** Left out where a start reads everything anew. */
  readonly keeping?: Keeping | undefined;
}

/** The contracts that should be mirrored are not there, or answer nonsense. The message names the address. */
export class MirrorError extends Error {
  override readonly name = 'MirrorError';
}

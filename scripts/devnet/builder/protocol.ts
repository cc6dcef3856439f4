/**
 * What the builder's control API says: `POST /control` (loopback, `content-type: application/json`) with one `Command`; the answer is
 * `{"ok":true,"result":…}` or `{"ok":false,"error":"…"}`. `client.ts` has a typed function for each command. Wei are decimal strings.
 */
import type { Address, Hex } from 'viem';

/**
 * How relay requests go wrong on demand. `drop`: accepted, never included. `delay`: answered `delayMs` late. `http429`, `http500`: refused.
 * `silent`: accepted and worked on (a bundle may land), but the request is never answered. `wrong`: refused with nonsense.
 */
export type Fault = {
  kind: 'drop' | 'delay' | 'http429' | 'http500' | 'silent' | 'wrong';
  /** A JSON-RPC method; all methods when absent. */
  method?: string | undefined;
  /** For so many requests; until cleared when absent. */
  count?: number | undefined;
  delayMs?: number | undefined;
  /** `html`: a page; `text`: JSON cut short; `shape` (default): valid JSON-RPC with a result that has none of the promised fields. */
  wrong?: 'html' | 'text' | 'shape' | undefined;
};

/** What becomes of the transactions of the blocks that a reorg removes: gone, back in the public pool, or again in the new blocks. */
export type ReorgTransactions = 'drop' | 'return' | 'keep';

export type Command =
  | { cmd: 'status' }
  /** Seals one block now, held or not; answers with it. */
  | { cmd: 'seal' }
  | { cmd: 'hold' }
  | { cmd: 'resume' }
  /** The next `count` slots pass without a block; the block after them is 12 s later for each. */
  | { cmd: 'missSlots'; count: number }
  /** The next block's timestamp is so much later. */
  | { cmd: 'warp'; seconds: number }
  | { cmd: 'fault'; fault: Fault }
  | { cmd: 'clearFaults' }
  /** Blocks sealed since `from` (number, inclusive), oldest first; at most the last 512. */
  | { cmd: 'blocks'; from: number }
  /** Answers as soon as a block with this number (or a later one) has been sealed, with the first such. */
  | { cmd: 'waitForBlock'; number: number; timeoutMs: number }
  /** What became of the bundles known for a block. */
  | { cmd: 'bundles'; number: number }
  | { cmd: 'reorg'; depth: number; transactions: ReorgTransactions };

export type Status = {
  coinbase: Address;
  chainId: number;
  slotMs: number;
  held: boolean;
  /** The last block sealed or seen. */
  head: number;
  bundlesWaiting: number;
  privateWaiting: number;
  /** Hinted transactions that nobody's bundle has carried in yet. */
  auctionsWaiting: number;
  /** Milliseconds until the next slot is sealed; null while held. */
  nextSlotMs: number | null;
  faults: Fault[];
  slotsToMiss: number;
};

export type TakenBundle = {
  bundleHash: Hex;
  replacementUuid?: string;
  signer: Address;
  txs: Hex[];
  /** Priority fees and direct payments that reached the coinbase. */
  revenueWei: string;
  gasUsed: number;
};

export type SkippedBundle = { bundleHash: Hex; replacementUuid?: string; signer: Address; reason: string };

export type SealedBlock = {
  number: number;
  hash: Hex;
  timestamp: number;
  baseFeeWei: string;
  gasUsed: number;
  txs: Hex[];
  bundles: TakenBundle[];
  /** Bundles that were due in this block and are not in it. */
  skipped: SkippedBundle[];
  privateTxs: Hex[];
  sealMs: number;
};

export type BundleState = {
  bundleHash: Hex;
  replacementUuid?: string;
  signer: Address;
  blockNumber: number;
  txs: Hex[];
  /** Of each of them. */
  senders: Address[];
  outcome: 'waiting' | 'taken' | 'skipped' | 'cancelled' | 'replaced';
  reason?: string;
};

export type Reorged = { from: number; to: number; newHead: Hex; orphaned: Hex[] };

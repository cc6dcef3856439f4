import type { Ledger, OpenTransaction, TransactionResult } from '../ledger/types.ts';
import type { Head, Hex } from '../lib/types.ts';
import type { Receipt } from './accounting.ts';
import { settleUnmined } from './settlement.ts';
import type { ExecutionChain } from './types.ts';

/** Blocks after which an outcome counts as final: deeper reorganisations end in a complete resync. */
export const FINAL_DEPTH = 128;

export type Settled = { readonly transaction: OpenTransaction; readonly result: TransactionResult };

/**
 * Decides outcomes by receipts. A relay's word is worth nothing: a bundle is missed when its block is there and the transaction is not in it.
 */
export class Tracker {
  readonly #ledger: Ledger;
  readonly #chain: ExecutionChain;
  readonly #settleMined: (transaction: OpenTransaction, receipt: Receipt) => Promise<TransactionResult>;

  constructor(
    ledger: Ledger,
    chain: ExecutionChain,
    settleMined: (transaction: OpenTransaction, receipt: Receipt) => Promise<TransactionResult>,
  ) {
    this.#ledger = ledger;
    this.#chain = chain;
    this.#settleMined = settleMined;
  }

  /** After a reorganisation: what was settled in a removed block is open again. */
  async onRemoved(removed: readonly { readonly hash: Hex; readonly number: number }[], head: Head): Promise<void> {
    const hashes = new Set(removed.map((block) => block.hash));
    const numbers = new Set(removed.map((block) => block.number));
    for (const transaction of await this.#ledger.open(head.number - FINAL_DEPTH)) {
      // A bundle that missed a removed block may be in the one that took its place.
      const undone = transaction.seen === undefined ? numbers.has(transaction.targetBlock) : hashes.has(transaction.seen.blockHash);
      if (undone) await this.#ledger.reopen(transaction.txHash);
    }
  }

  /** Settles whatever this head decides. Costs one receipt call for each open transaction, none when there is none. */
  async onHead(head: Head): Promise<readonly Settled[]> {
    const settled: Settled[] = [];
    for (const transaction of await this.#ledger.open(head.number + 1)) {
      const result = await this.#resultAt(transaction, head);
      if (result === undefined) continue;
      await this.#ledger.settle(result);
      settled.push({ transaction, result });
    }
    return settled;
  }

  /** Transactions that could still be executed, or whose end is not known yet. */
  async inFlight(head: Head): Promise<readonly OpenTransaction[]> {
    return await this.#ledger.open(head.number + 1);
  }

  async #resultAt(transaction: OpenTransaction, head: Head): Promise<TransactionResult | undefined> {
    const receipt = await this.#chain.receipt(transaction.txHash);
    // NOTE: an endpoint may be ahead of our head; such a receipt is looked at again when its block is ours.
    if (receipt !== undefined) return receipt.block <= head.number ? await this.#settleMined(transaction, receipt) : undefined;
    if (head.number < transaction.lastBlock) return undefined;
    if (transaction.channel === 'bundle') return settleUnmined(transaction, 'missed', `not in block ${transaction.targetBlock}`);
    const nonce = await this.#chain.nonceOf(transaction.lane);
    if (nonce > transaction.nonce)
      return settleUnmined(transaction, 'replaced', `nonce ${transaction.nonce} was used by another transaction`);
    // It stays in the pool, where it can only revert; whatever uses its nonce next replaces it.
    return settleUnmined(transaction, 'expired', `not mined by block ${transaction.lastBlock}`);
  }
}

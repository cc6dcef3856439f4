import type { Ledger, OpenTransaction, TransactionResult } from '../ledger/types.ts';
import type { Address, BlockRef, Head, Hex } from '../lib/types.ts';
import type { Receipt } from './accounting.ts';
import { settleUnmined } from './settlement.ts';
import type { ExecutionChain } from './types.ts';

/** Blocks after which an outcome counts as final: deeper reorganisations end in a complete resync. */
export const FINAL_DEPTH = 128;

export type Settled = { readonly transaction: OpenTransaction; readonly result: TransactionResult };

export type TrackerParts = {
  readonly ledger: Ledger;
  readonly chain: ExecutionChain;
  /** Whose transactions these are; undefined while nobody signs. */
  readonly lane: Address | undefined;
  /** The hash of our chain's block of this number, as far as it is remembered. */
  ours(number: number): Hex | undefined;
  settleMined(transaction: OpenTransaction, receipt: Receipt): Promise<TransactionResult>;
};

/**
 * Decides outcomes by receipts. A relay's word is worth nothing: a bundle is missed when its block is there and the transaction is not in it. And even that
 * is not the last word: what was signed can be mined, if only to revert, until its nonce is used.
 */
export class Tracker {
  readonly #parts: TrackerParts;

  constructor(parts: TrackerParts) {
    this.#parts = parts;
  }

  /** After a reorganisation: what was settled in a removed block is open again. */
  async onRemoved(removed: readonly BlockRef[], head: Head): Promise<void> {
    const hashes = new Set(removed.map((block) => block.hash));
    const numbers = new Set(removed.map((block) => block.number));
    const lowest = Math.min(head.number, ...numbers);
    for (const transaction of await this.#parts.ledger.open(lowest - FINAL_DEPTH)) {
      // A bundle that missed a removed block may be in the one that took its place.
      const undone = transaction.seen === undefined ? numbers.has(transaction.targetBlock) : hashes.has(transaction.seen.blockHash);
      if (undone) await this.#parts.ledger.reopen(transaction.txHash);
    }
  }

  /**
   * After a time in which nobody told of reorganisations: what was seen mined and is not any more, or elsewhere, is open again, and so is what was given up
   * and whose nonce has been used since. One receipt call for each transaction that was mined at or after `sinceBlock`.
   */
  async recheck(sinceBlock: number, head: Head): Promise<void> {
    const { ledger, chain, lane } = this.#parts;
    for (const { txHash, seen } of await ledger.open(sinceBlock)) {
      if (seen === undefined) continue;
      const receipt = await chain.receipt(txHash, head.hash);
      if (receipt?.blockHash !== seen.blockHash) await ledger.reopen(txHash);
    }
    const dormant = lane === undefined ? [] : await ledger.dormant(lane);
    if (lane === undefined || dormant.length === 0) return;
    const next = await chain.nonceOf(lane);
    for (const { txHash, nonce } of dormant) if (nonce < next) await ledger.reopen(txHash);
  }

  /**
   * Settles whatever this head decides. Costs one receipt call for each open transaction, and one call more while something is dormant; none for what has
   * been dormant for 128 blocks, until something is under way again.
   */
  async onHead(head: Head): Promise<readonly Settled[]> {
    const { ledger } = this.#parts;
    const settled: Settled[] = [];
    const settle = async (transaction: OpenTransaction, result: TransactionResult | undefined) => {
      if (result === undefined) return;
      await ledger.settle(result);
      settled.push({ transaction, result });
    };
    const open = await this.inFlight(head);
    const awoken = await this.#awoken(head, open);
    // NOTE: before what is under way, whose nonce may be a later one: once that one is settled, what came before it is no longer looked for.
    const rivals = new Set(open.map(({ nonce }) => nonce));
    for (const transaction of awoken)
      if (!rivals.has(transaction.nonce)) await settle(transaction, await this.#resultOfUsed(transaction, head));
    for (const transaction of open) await settle(transaction, await this.#resultAt(transaction, head));
    if (settled.filter(({ transaction }) => open.includes(transaction)).length < open.length) return settled;
    const used = new Set(settled.flatMap(({ transaction, result }) => (result.mined === undefined ? [] : [transaction.nonce])));
    for (const transaction of awoken)
      if (rivals.has(transaction.nonce) && !used.has(transaction.nonce))
        await settle(transaction, await this.#resultOfUsed(transaction, head));
    return settled;
  }

  /** Transactions that could still be executed, or whose end is not known yet. */
  async inFlight(head: Head): Promise<readonly OpenTransaction[]> {
    return await this.#parts.ledger.open(head.number + 1);
  }

  async #resultAt(transaction: OpenTransaction, head: Head): Promise<TransactionResult | undefined> {
    const mined = await this.#minedBy(transaction, head);
    if (mined !== undefined) return mined.result;
    if (head.number < transaction.lastBlock) return undefined;
    if (transaction.channel === 'bundle') return settleUnmined(transaction, 'missed', `not in block ${transaction.targetBlock}`);
    if ((await this.#parts.chain.nonceOf(transaction.lane)) > transaction.nonce) return replaced(transaction);
    // It stays in the pool, where it can only revert; whatever uses its nonce next replaces it.
    return settleUnmined(transaction, 'expired', `not mined by block ${transaction.lastBlock}`);
  }

  /** What was given up, and whose nonce has been used since: by itself, or by another. */
  async #awoken(head: Head, open: readonly OpenTransaction[]): Promise<readonly OpenTransaction[]> {
    const { ledger, chain, lane } = this.#parts;
    if (lane === undefined) return [];
    const dormant = await ledger.dormant(lane);
    const lately = dormant.some(({ lastBlock }) => lastBlock >= head.number - FINAL_DEPTH);
    if (dormant.length === 0 || (open.length === 0 && !lately)) return [];
    const next = await chain.nonceOf(lane);
    return dormant.filter(({ nonce }) => nonce < next);
  }

  async #resultOfUsed(transaction: OpenTransaction, head: Head): Promise<TransactionResult | undefined> {
    const mined = await this.#minedBy(transaction, head);
    return mined === undefined ? replaced(transaction) : mined.result;
  }

  /** Undefined when it is not mined; without a result when it is mined where we have not been yet: that is looked at again with the next head. */
  async #minedBy(transaction: OpenTransaction, head: Head): Promise<{ readonly result: TransactionResult | undefined } | undefined> {
    const { chain, ours, settleMined } = this.#parts;
    const receipt = await chain.receipt(transaction.txHash, head.hash);
    if (receipt === undefined) return undefined;
    // NOTE: an endpoint may be ahead of our head, or on a branch that we have left or will come to.
    const elsewhere = receipt.block > head.number || (ours(receipt.block) ?? receipt.blockHash) !== receipt.blockHash;
    return { result: elsewhere ? undefined : await settleMined(transaction, receipt) };
  }
}

function replaced(transaction: OpenTransaction): TransactionResult {
  return settleUnmined(transaction, 'replaced', `nonce ${transaction.nonce} was used by another transaction`);
}

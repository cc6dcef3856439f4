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
  /** Whose transactions these are; none while nobody signs. */
  readonly lanes: readonly Address[];
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
    const { ledger } = this.#parts;
    const hashes = new Set(removed.map((block) => block.hash));
    const lowest = Math.min(head.number, ...removed.map((block) => block.number));
    const recent = await ledger.open(lowest - FINAL_DEPTH);
    const standing = new Set(recent.flatMap(({ nonce, seen }) => (seen === undefined || hashes.has(seen.blockHash) ? [] : [nonce])));
    for (const { txHash, nonce, status, seen } of recent) {
      // Whatever took the nonce of the replaced may have been in a removed block; what missed its block is looked for as long as its nonce is free.
      const undone = seen === undefined ? status === 'replaced' && !standing.has(nonce) : hashes.has(seen.blockHash);
      if (undone) await ledger.reopen(txHash);
    }
  }

  /**
   * After a time in which nobody told of reorganisations: what was seen mined and is not any more, or elsewhere, is open again, and so is what was given up
   * and whose nonce has been used since. Costs a receipt call for each transaction that was mined at or after `sinceBlock` and before our branch begins.
   */
  async recheck(sinceBlock: number, head: Head): Promise<void> {
    const { ledger, chain, ours } = this.#parts;
    const recent = await ledger.open(sinceBlock);
    const standing = new Set<number>();
    for (const { txHash, nonce, seen } of recent) {
      if (seen === undefined) continue;
      // Our own branch goes back to the finalised block; below it, the chain is asked.
      const blockHash = ours(seen.block) ?? (await chain.receipt(txHash, head.hash))?.blockHash;
      if (seen.block <= head.number && blockHash === seen.blockHash) standing.add(nonce);
      else await ledger.reopen(txHash);
    }
    const dormant = await this.#dormant();
    const replaced = recent.filter(({ status, nonce }) => status === 'replaced' && !standing.has(nonce));
    for (const [address, pending] of Map.groupBy([...dormant, ...replaced], (transaction) => transaction.lane)) {
      const next = await chain.nonceOf(address, head.hash);
      for (const { txHash, nonce, status } of pending) {
        const undone = status === 'replaced' ? nonce >= next || (await chain.receipt(txHash, head.hash)) !== undefined : nonce < next;
        if (undone) await ledger.reopen(txHash);
      }
    }
  }

  /**
   * Settles whatever this head decides. One call for each lane tells the next nonce, and only what has a lower one can have been mined: receipts say what. Costs nothing
   * while nothing is open and nothing was given up lately; what was longer ago is looked for again once something is under way.
   */
  async onHead(head: Head): Promise<readonly Settled[]> {
    const { chain } = this.#parts;
    const open = (await this.inFlight(head)).filter(({ status }) => status === 'intended' || status === 'sent');
    const dormant = await this.#dormant();
    const lately = dormant.some(({ lastBlock }) => lastBlock >= head.number - FINAL_DEPTH);
    if (open.length === 0 && !lately) return [];
    const settled: Settled[] = [];
    const byLane = Map.groupBy([...open, ...dormant], (transaction) => transaction.lane);
    const nonces = await Promise.all(Array.from(byLane.keys(), (address) => chain.nonceOf(address, head.hash)));
    for (const [index, [address, pending]] of [...byLane].entries()) {
      const next = nonces[index]!;
      const used = Map.groupBy(
        pending.filter(({ nonce }) => nonce < next),
        ({ nonce }) => nonce,
      );
      // NOTE: in this order. Once a nonce is known to be used, what was given up below it is no longer looked for.
      for (const [, rivals] of [...used].sort(([a], [b]) => a - b)) {
        const ended = await this.#settleUsed(rivals, head);
        if (ended === undefined) break;
        settled.push(...ended);
      }
      for (const transaction of open) {
        if (transaction.lane !== address || transaction.nonce < next || head.number < transaction.lastBlock) continue;
        settled.push(await this.#settle(transaction, unmined(transaction)));
      }
    }
    return settled;
  }

  /** Transactions that could still be executed, or whose end is not known yet. */
  async inFlight(head: Head): Promise<readonly OpenTransaction[]> {
    return await this.#parts.ledger.open(head.number + 1);
  }

  async #dormant(): Promise<readonly OpenTransaction[]> {
    const { ledger, lanes } = this.#parts;
    const dormant: OpenTransaction[] = [];
    for (const lane of lanes) dormant.push(...(await ledger.dormant(lane)));
    return dormant;
  }

  /** Everything of ours that was signed for one nonce, which is used: at most one of them was mined. Undefined while that cannot be told. */
  async #settleUsed(rivals: readonly OpenTransaction[], head: Head): Promise<readonly Settled[] | undefined> {
    const { chain, ours, settleMined } = this.#parts;
    const settled: Settled[] = [];
    let winner: OpenTransaction | undefined;
    for (const transaction of rivals) {
      const receipt = await chain.receipt(transaction.txHash, head.hash);
      if (receipt === undefined) continue;
      // NOTE: an endpoint may be on a branch that we have left or will come to: then all of them are looked at again with the next head.
      if (receipt.block > head.number || (ours(receipt.block) ?? receipt.blockHash) !== receipt.blockHash) return undefined;
      settled.push(await this.#settle(transaction, await settleMined(transaction, receipt)));
      winner = transaction;
      break;
    }
    for (const transaction of rivals) {
      const given = transaction.status !== 'intended' && transaction.status !== 'sent';
      // What was given up keeps its outcome, unless a stranger's transaction took the nonce: then there is nothing to be looked for any more.
      if (transaction === winner || (winner !== undefined && given)) continue;
      // A rival for the winner's own block did not miss it: that one stood in its place.
      const late = winner !== undefined && transaction.targetBlock !== winner.targetBlock;
      const missed = late && transaction.channel === 'bundle' && head.number >= transaction.lastBlock;
      settled.push(await this.#settle(transaction, missed ? unmined(transaction) : replaced(transaction)));
    }
    return settled;
  }

  async #settle(transaction: OpenTransaction, result: TransactionResult): Promise<Settled> {
    await this.#parts.ledger.settle(result);
    return { transaction, result };
  }
}

function unmined(transaction: OpenTransaction): TransactionResult {
  if (transaction.channel === 'bundle') return settleUnmined(transaction, 'missed', `not in block ${transaction.targetBlock}`);
  // It stays in the pool, where it can only revert; whatever uses its nonce next replaces it.
  return settleUnmined(transaction, 'expired', `not mined by block ${transaction.lastBlock}`);
}

function replaced(transaction: OpenTransaction): TransactionResult {
  return settleUnmined(transaction, 'replaced', `nonce ${transaction.nonce} was used by another transaction`);
}

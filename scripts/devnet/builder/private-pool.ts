/** Transactions sent to this builder alone: tried in every block until included, out of date, or cancelled. */
import type { Address, Hex } from 'viem';
import type { Transaction } from './transaction.ts';

/** What Flashbots gives a private transaction without a maxBlockNumber. */
const BLOCKS_TRIED = 25;
const MAX_WAITING = 2_000;

export type PrivateTransaction = { transaction: Transaction; signer: Address; lastBlock: number; dropped: boolean };

export class PrivatePool {
  readonly #waiting = new Map<Hex, PrivateTransaction>();

  /** Returns why it cannot be kept, or undefined. */
  add(transaction: Transaction, signer: Address, head: number, maxBlock: number | undefined, dropped: boolean): string | undefined {
    const lastBlock = Math.min(maxBlock ?? head + BLOCKS_TRIED, head + BLOCKS_TRIED);
    if (lastBlock <= head) return `block ${lastBlock} has passed: ${head + 1} is being built`;
    if (this.#waiting.size >= MAX_WAITING) return `already ${MAX_WAITING} private transactions are waiting`;
    this.#waiting.set(transaction.hash, { transaction, signer, lastBlock, dropped });
    return undefined;
  }

  cancel(hash: Hex, signer: Address): boolean {
    if (this.#waiting.get(hash)?.signer !== signer) return false;
    return this.#waiting.delete(hash);
  }

  due(number: number): PrivateTransaction[] {
    return [...this.#waiting.values()].filter(({ lastBlock, dropped }) => !dropped && number <= lastBlock);
  }

  /** To be called after each block. */
  settle(included: readonly Hex[], head: number): void {
    for (const hash of included) this.#waiting.delete(hash);
    for (const [hash, { lastBlock }] of this.#waiting) if (lastBlock <= head) this.#waiting.delete(hash);
  }

  waiting(): number {
    return this.#waiting.size;
  }
}

/**
 * Transactions whose senders auction the place behind them, as MEV-Share and Chainlink's SVR do: nobody sees more than a hint, searchers name the
 * transaction by its hash and send one transaction to go behind it, and what nobody bids for lands by itself after a delay.
 */
import type { Address, Hex } from 'viem';
import type { Transaction } from './transaction.ts';

/** Blocks for which a bid is waited for. */
const AUCTION_BLOCKS = 1;
const BLOCKS_TRIED = 25;
const MAX_WAITING = 2_000;

/** What is told of a transaction; MEV-Share's event. */
export type Hint = {
  readonly hash: Hex;
  readonly logs: null;
  readonly txs: readonly { readonly to?: Address; readonly functionSelector?: Hex; readonly callData?: Hex }[];
};
export type HintKind = 'hash' | 'contract_address' | 'function_selector' | 'calldata' | 'logs' | 'default_logs' | 'tx_hash';

type Waiting = { readonly transaction: Transaction; readonly landsFrom: number; readonly lastBlock: number };

export class OrderFlow {
  readonly #waiting = new Map<Hex, Waiting>();
  readonly #listeners = new Set<(hint: Hint) => void>();

  /** Returns why it cannot be kept, or undefined. */
  offer(transaction: Transaction, hints: readonly HintKind[], head: number): string | undefined {
    if (this.#waiting.size >= MAX_WAITING) return `already ${MAX_WAITING} transactions are waiting for a bid`;
    this.#waiting.set(transaction.hash, { transaction, landsFrom: head + 1 + AUCTION_BLOCKS, lastBlock: head + BLOCKS_TRIED });
    const hint = hintOf(transaction, hints);
    for (const listener of this.#listeners) listener(hint);
    return undefined;
  }

  find(hash: Hex): Transaction | undefined {
    return this.#waiting.get(hash)?.transaction;
  }

  /** What lands by itself in this block. */
  due(number: number): Transaction[] {
    return [...this.#waiting.values()].filter(({ landsFrom }) => landsFrom <= number).map(({ transaction }) => transaction);
  }

  /** To be called after each block. */
  settle(included: readonly Hex[], head: number): void {
    for (const hash of included) this.#waiting.delete(hash);
    for (const [hash, { lastBlock }] of this.#waiting) if (lastBlock <= head) this.#waiting.delete(hash);
  }

  waiting(): number {
    return this.#waiting.size;
  }

  /** Every further hint; the answer ends it. */
  subscribe(listener: (hint: Hint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function hintOf({ hash, to, call }: Transaction, hints: readonly HintKind[]): Hint {
  const data = call['input'] as Hex;
  const tells = new Set(hints);
  const told = {
    ...(tells.has('contract_address') ? { to } : {}),
    ...(tells.has('function_selector') ? { functionSelector: data.slice(0, 10) as Hex } : {}),
    ...(tells.has('calldata') ? { callData: data } : {}),
  };
  return { hash, logs: null, txs: Object.keys(told).length === 0 ? [] : [told] };
}

/**
 * The bundles that searchers sent: waiting for their block, replaced, cancelled, judged. Everything is bounded: per block the newest
 * bundles are refused when it is full, and whatever is older than `HISTORY` blocks is forgotten.
 */
import { type Address, concat, type Hex, keccak256 } from 'viem';
import type { BundleState } from './protocol.ts';
import type { Transaction } from './transaction.ts';

const MAX_PER_BLOCK = 500;
const MAX_BLOCKS_AHEAD = 64;
const HISTORY = 512;

export type Bundle = {
  id: string;
  hash: Hex;
  signer: Address;
  transactions: Transaction[];
  blockNumber: number;
  minTimestamp: number;
  maxTimestamp: number;
  mayRevert: ReadonlySet<Hex>;
  replacementUuid: string | undefined;
  receivedAt: Date;
  /** Accepted by order of a fault, to be forgotten. */
  dropped: boolean;
};

export type Times = { receivedAt: Date; simulatedAt?: Date; sealedAt?: Date };
type Entry = { bundle: Bundle; outcome: BundleState['outcome']; reason?: string; simulatedAt?: Date; sealedAt?: Date };

/** Flashbots' bundle hash: over the concatenated transaction hashes. */
export function bundleHash(transactions: readonly { hash: Hex }[]): Hex {
  return keccak256(concat(transactions.map(({ hash }) => hash)));
}

export class BundlePool {
  readonly #byBlock = new Map<number, Entry[]>();
  #count = 0;

  /** Returns why the bundle cannot be kept, or undefined. A bundle with the same uuid and signer makes way for this one. */
  add(bundle: Omit<Bundle, 'id'>, head: number): string | undefined {
    if (bundle.blockNumber <= head) return `block ${bundle.blockNumber} has passed: ${head + 1} is being built`;
    if (bundle.blockNumber > head + MAX_BLOCKS_AHEAD) return `block ${bundle.blockNumber} is more than ${MAX_BLOCKS_AHEAD} blocks ahead`;
    const entries = this.#byBlock.get(bundle.blockNumber) ?? [];
    if (entries.length >= MAX_PER_BLOCK) return `block ${bundle.blockNumber} already has ${MAX_PER_BLOCK} bundles`;
    if (bundle.replacementUuid !== undefined) this.#withdraw(bundle.signer, bundle.replacementUuid, 'replaced');
    this.#count += 1;
    entries.push({ bundle: { ...bundle, id: `bundle-${this.#count}` }, outcome: 'waiting' });
    this.#byBlock.set(bundle.blockNumber, entries);
    return undefined;
  }

  /** The hashes of the bundles that were waiting under this uuid. */
  cancel(signer: Address, replacementUuid: string): Hex[] {
    return this.#withdraw(signer, replacementUuid, 'cancelled');
  }

  /** What may go into this block, in order of arrival; what is out of its time is judged right away. */
  due(number: number, timestamp: number): Bundle[] {
    const due: Bundle[] = [];
    for (const entry of this.#byBlock.get(number) ?? []) {
      if (entry.outcome !== 'waiting' || entry.bundle.dropped) continue;
      const { minTimestamp, maxTimestamp } = entry.bundle;
      if (timestamp < minTimestamp || timestamp > maxTimestamp) {
        entry.outcome = 'skipped';
        entry.reason = `block timestamp ${timestamp} is outside [${minTimestamp}, ${maxTimestamp}]`;
      } else {
        due.push(entry.bundle);
      }
    }
    return due;
  }

  settle(bundle: Bundle, outcome: 'taken' | 'skipped', reason: string | undefined, simulatedAt: Date, sealedAt: Date): void {
    const entry = this.#byBlock.get(bundle.blockNumber)?.find((candidate) => candidate.bundle.id === bundle.id);
    if (!entry) return;
    entry.outcome = outcome;
    entry.simulatedAt = simulatedAt;
    if (reason !== undefined) entry.reason = reason;
    if (outcome === 'taken') entry.sealedAt = sealedAt;
  }

  /** To be called after each block: what waited for it, or for an earlier one, has missed it. */
  pass(head: number): void {
    for (const [number, entries] of this.#byBlock) {
      if (number < head - HISTORY) this.#byBlock.delete(number);
      for (const entry of number <= head ? entries : []) {
        if (entry.outcome !== 'waiting') continue;
        entry.outcome = 'skipped';
        entry.reason = entry.bundle.dropped ? 'dropped by a fault' : 'came too late for its block';
      }
    }
  }

  waiting(): number {
    return [...this.#byBlock.values()].flat().filter(({ outcome }) => outcome === 'waiting').length;
  }

  states(number: number): BundleState[] {
    return (this.#byBlock.get(number) ?? []).map(({ bundle, outcome, reason }) => ({
      bundleHash: bundle.hash,
      ...(bundle.replacementUuid === undefined ? {} : { replacementUuid: bundle.replacementUuid }),
      signer: bundle.signer,
      blockNumber: number,
      txs: bundle.transactions.map(({ hash }) => hash),
      senders: bundle.transactions.map(({ from }) => from),
      outcome,
      ...(reason === undefined ? {} : { reason }),
    }));
  }

  times(hash: Hex, number: number, signer: Address): Times | undefined {
    const entry = this.#byBlock.get(number)?.findLast(({ bundle }) => bundle.hash === hash && bundle.signer === signer);
    if (!entry) return undefined;
    const { simulatedAt, sealedAt } = entry;
    return { receivedAt: entry.bundle.receivedAt, ...(simulatedAt ? { simulatedAt } : {}), ...(sealedAt ? { sealedAt } : {}) };
  }

  #withdraw(signer: Address, replacementUuid: string, outcome: 'replaced' | 'cancelled'): Hex[] {
    const withdrawn: Hex[] = [];
    for (const entry of [...this.#byBlock.values()].flat()) {
      const { bundle } = entry;
      if (entry.outcome !== 'waiting' || bundle.replacementUuid !== replacementUuid || bundle.signer !== signer) continue;
      entry.outcome = outcome;
      withdrawn.push(bundle.hash);
    }
    return withdrawn;
  }
}

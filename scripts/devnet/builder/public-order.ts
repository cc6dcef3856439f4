/** The order of public transactions in a block: by what a unit of gas brings the coinbase, each sender's by nonce, then by arrival. */
import type { Address } from 'viem';
import type { PoolTransaction } from './mempool.ts';
import { tipPerGasWei } from './transaction.ts';

export type PublicOrder = {
  ordered: PoolTransaction[];
  /** Not for this block (a fee cap below the base fee, a nonce still missing, too many): they go back into the pool. */
  kept: PoolTransaction[];
};

/** `pool` is in order of arrival. Transactions whose nonce is used up are left out of both lists. */
export function orderPublic(
  pool: readonly PoolTransaction[],
  nonces: ReadonlyMap<Address, number>,
  baseFeeWei: bigint,
  most: number,
): PublicOrder {
  const bySender = new Map<Address, Map<number, PoolTransaction>>();
  const arrival = new Map(pool.map((transaction, index) => [transaction, index]));
  for (const transaction of pool) {
    if (transaction.nonce < (nonces.get(transaction.from) ?? 0)) continue;
    const own = bySender.get(transaction.from) ?? new Map<number, PoolTransaction>();
    own.set(transaction.nonce, transaction);
    bySender.set(transaction.from, own);
  }
  const ordered: PoolTransaction[] = [];
  const heads = new Map<Address, PoolTransaction>();
  const advance = (sender: Address, nonce: number) => {
    const next = bySender.get(sender)?.get(nonce);
    if (next && tipPerGasWei(next, baseFeeWei) >= 0n) heads.set(sender, next);
    else heads.delete(sender);
  };
  for (const sender of bySender.keys()) advance(sender, nonces.get(sender) ?? 0);
  while (heads.size > 0 && ordered.length < most) {
    let best: PoolTransaction | undefined;
    for (const head of heads.values()) if (!best || precedes(head, best, baseFeeWei, arrival)) best = head;
    ordered.push(best!);
    bySender.get(best!.from)!.delete(best!.nonce);
    advance(best!.from, best!.nonce + 1);
  }
  const kept = [...bySender.values()].flatMap((own) => [...own.values()].sort((a, b) => a.nonce - b.nonce));
  return { ordered, kept };
}

function precedes(a: PoolTransaction, b: PoolTransaction, baseFeeWei: bigint, arrival: ReadonlyMap<PoolTransaction, number>): boolean {
  const difference = tipPerGasWei(a, baseFeeWei) - tipPerGasWei(b, baseFeeWei);
  return difference > 0n || (difference === 0n && arrival.get(a)! < arrival.get(b)!);
}

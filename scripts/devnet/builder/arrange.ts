/**
 * Brings anvil's pool into the order in which the block is to be. The pool is first in, first out, so what stands in the wrong place is
 * taken out and put back behind. Subscribers to pending transactions see what is put back a second time, and see a bundle's transactions
 * a moment before the block that holds them: anvil has no other way in. They never see a block that is not sealed.
 */
import type { Hex } from 'viem';
import type { Chain } from './chain.ts';
import type { Log } from './log.ts';
import type { PoolTransaction } from './mempool.ts';
import type { Transaction } from './transaction.ts';

const MAX_ROUNDS = 5;

export type Arranged = { kind: 'done' } | { kind: 'refused'; hash: Hex; reason: string };

/**
 * `pool` is what stands ready now, in order; afterwards `top` stands first, then `ordered`. `refused`: the chain did not take `hash` of
 * `top`; nothing of `top` is in the pool then, and the rest of the pool has to be put back or arranged anew.
 */
export async function arrange(
  chain: Chain,
  pool: readonly PoolTransaction[],
  top: readonly Transaction[],
  ordered: readonly PoolTransaction[],
  log: Log,
): Promise<Arranged> {
  const movable = pool.filter(({ raw }) => raw !== undefined);
  await chain.drop(movable.map(({ hash }) => hash));
  const sent = [...top, ...ordered.filter(({ raw }) => raw !== undefined)];
  const results = await chain.submit(sent.map(({ raw }) => raw!));
  for (const [index, result] of results.entries()) {
    if (result.ok) continue;
    const { hash } = sent[index]!;
    if (index < top.length) return withdraw(chain, sent, hash, result.message);
    log('public.refused', { hash, reason: result.message });
  }
  if (top.length === 0) return { kind: 'done' };
  return putFirst(chain, new Set(pool.filter(({ raw }) => raw === undefined).map(({ hash }) => hash)), top, sent, log);
}

/**
 * Checks the order that the chain would mine, and moves behind whatever slipped in while the pool was being arranged. What comes later
 * than this check stands behind by itself.
 */
async function putFirst(
  chain: Chain,
  pinned: ReadonlySet<Hex>,
  top: readonly Transaction[],
  sent: readonly { hash: Hex }[],
  log: Log,
): Promise<Arranged> {
  const wanted = new Set(top.map(({ hash }) => hash));
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const order = (await chain.pendingOrder()).filter((hash) => !pinned.has(hash));
    const present = new Set(order);
    const missing = top.find(({ hash }) => !present.has(hash));
    if (missing) return withdraw(chain, sent, missing.hash, 'the chain would leave it out');
    const last = order.findLastIndex((hash) => wanted.has(hash));
    const intruders = order.slice(0, last).filter((hash) => !wanted.has(hash));
    if (intruders.length === 0) return { kind: 'done' };
    const bytes = await chain.pooledBytes(intruders);
    await chain.drop(intruders);
    await chain.submit(bytes.filter((raw) => raw !== undefined));
  }
  log('block.crowded', { reason: `transactions kept slipping in before the bundles for ${MAX_ROUNDS} rounds` });
  return withdraw(chain, sent, top[0]!.hash, 'transactions kept slipping in before the bundles');
}

async function withdraw(chain: Chain, sent: readonly { hash: Hex }[], hash: Hex, reason: string): Promise<Arranged> {
  await chain.drop(sent.map((transaction) => transaction.hash));
  return { kind: 'refused', hash, reason };
}

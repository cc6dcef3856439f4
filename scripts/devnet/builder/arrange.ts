/**
 * Brings anvil's pool into the order in which the block is to be. The pool is first in, first out, so what stands in the wrong place is
 * taken out and put back behind. Subscribers to pending transactions see what is put back a second time, and see a bundle's transactions
 * a moment before the block that holds them: anvil has no other way in. They never see a block that is not sealed.
 */
import type { Hex } from 'viem';
import type { Chain, PooledPlace } from './chain.ts';
import type { Log } from './log.ts';
import type { Mempool, PoolTransaction } from './mempool.ts';
import type { Transaction } from './transaction.ts';

const MAX_ROUNDS = 5;

export type Arranged = { kind: 'done' } | { kind: 'refused'; hash: Hex; reason: string };

export class Arranger {
  readonly #chain: Chain;
  readonly #mempool: Mempool;
  readonly #log: Log;

  constructor(chain: Chain, mempool: Mempool, log: Log) {
    this.#chain = chain;
    this.#mempool = mempool;
    this.#log = log;
  }

  /**
   * `pool` is what stands ready now, in order; afterwards `top` stands first, then `ordered`. `refused`: the chain did not take `hash` of
   * `top`; nothing of `top` is in the pool then, and the rest of the pool has to be put back or arranged anew.
   */
  async arrange(pool: readonly PoolTransaction[], top: readonly Transaction[], ordered: readonly PoolTransaction[]): Promise<Arranged> {
    await this.#drop(pool.filter(isMovable));
    const sent = [...top, ...ordered.filter(isMovable)];
    const results = await this.#chain.submit(sent.map(({ raw }) => raw!));
    for (const [index, result] of results.entries()) {
      if (result.ok) continue;
      const { hash } = sent[index]!;
      if (index < top.length) return this.#withdraw(sent, hash, result.message);
      this.#log('public.refused', { hash, reason: result.message });
    }
    if (top.length === 0) return { kind: 'done' };
    const pinned = new Set(pool.filter((transaction) => !isMovable(transaction)).map(({ hash }) => hash));
    return this.#putFirst(top, sent, pinned);
  }

  /**
   * Checks the order that the chain would mine, and moves behind whatever slipped in while the pool was being arranged. What comes later
   * than this check stands behind by itself.
   */
  async #putFirst(top: readonly Transaction[], sent: readonly PooledPlace[], pinned: ReadonlySet<Hex>): Promise<Arranged> {
    const wanted = new Set(top.map(({ hash }) => hash));
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const order = (await this.#chain.pendingOrder()).filter((hash) => !pinned.has(hash));
      const present = new Set(order);
      const missing = top.find(({ hash }) => !present.has(hash));
      if (missing) return this.#withdraw(sent, missing.hash, 'the chain would leave it out');
      const last = order.findLastIndex((hash) => wanted.has(hash));
      const intruders = order.slice(0, last).filter((hash) => !wanted.has(hash));
      if (intruders.length === 0) return { kind: 'done' };
      const moved = this.#mempool.learn(await this.#chain.pooled(intruders)).filter(isMovable);
      const successors = await this.#drop(moved);
      await this.#chain.submit([...moved, ...successors].map(({ raw }) => raw!));
    }
    this.#log('block.crowded', { reason: `transactions kept slipping in before the bundles for ${MAX_ROUNDS} rounds` });
    return this.#withdraw(sent, top[0]!.hash, 'transactions kept slipping in before the bundles');
  }

  async #withdraw(sent: readonly PooledPlace[], hash: Hex, reason: string): Promise<Arranged> {
    await this.#drop(sent);
    return { kind: 'refused', hash, reason };
  }

  /** Answers the successors that went, too; the mirror knows them from here on. */
  async #drop(transactions: readonly PooledPlace[]): Promise<PoolTransaction[]> {
    return this.#mempool.learn(await this.#chain.drop(transactions)).filter(isMovable);
  }
}

function isMovable({ raw }: PoolTransaction): boolean {
  return raw !== undefined;
}

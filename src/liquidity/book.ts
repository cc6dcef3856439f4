import type { Address } from '../lib/types.ts';
import type { Mirrored } from '../mirror/types.ts';
import type { Pool } from './pool.ts';

const NONE: readonly Address[] = [];

/** All pools of one family at one moment, as a value. */
export class PoolBook<P extends Pool = Pool> {
  readonly pools: ReadonlyMap<Address, P>;
  readonly #pairs: Pairs;

  constructor(pools: ReadonlyMap<Address, P>, pairs: Pairs = pairsOf(pools)) {
    this.pools = pools;
    this.#pairs = pairs;
  }

  /** The pools of a pair, in whichever order its tokens are given. */
  between(tokenA: Address, tokenB: Address): readonly Address[] {
    return (tokenA < tokenB ? this.#pairs.get(tokenA)?.get(tokenB) : this.#pairs.get(tokenB)?.get(tokenA)) ?? NONE;
  }

  /** The book with some pools in a new state, and some added. */
  with(changes: ReadonlyMap<Address, P>): PoolBook<P> {
    const pools = new Map(this.pools);
    for (const [address, pool] of changes) pools.set(address, pool);
    return new PoolBook(pools, pools.size === this.pools.size ? this.#pairs : pairsOf(pools));
  }
}

type Pairs = ReadonlyMap<Address, ReadonlyMap<Address, readonly Address[]>>;

function pairsOf(pools: ReadonlyMap<Address, Pool>): Pairs {
  const pairs = new Map<Address, Map<Address, Address[]>>();
  for (const { identity } of pools.values()) {
    const of0 = pairs.get(identity.token0) ?? new Map<Address, Address[]>();
    pairs.set(identity.token0, of0);
    const list = of0.get(identity.token1) ?? [];
    of0.set(identity.token1, list);
    list.push(identity.address);
  }
  return pairs;
}

/** Pools of one kind and factory, mirrored: from logs alone once they are anchored. */
export interface PoolFamily extends Omit<Mirrored, 'reads' | 'ingest'> {
  /** The pools as mirrored, or undefined before the first anchor. */
  book(): PoolBook | undefined;
  /** Adds tokens to those whose pools, with one another, are mirrored. True when the family has to be anchored (again) for it. */
  want(tokens: readonly Address[]): boolean;
}

/** Every pair of different tokens once, each `token0 < token1`. */
export function pairsAmong(tokens: Iterable<Address>): readonly (readonly [Address, Address])[] {
  const sorted = [...new Set(tokens)].sort();
  return sorted.flatMap((token0, index) => sorted.slice(index + 1).map((token1) => [token0, token1] as const));
}

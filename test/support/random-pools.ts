/** Pools of this repository's own making, on no chain: random ones around prices that agree with one another, and a router over them. */
import fc from 'fast-check';
import type { Address } from '../../src/lib/types.ts';
import { PoolBook, type PoolFamily } from '../../src/liquidity/book.ts';
import { Ladder } from '../../src/liquidity/concentrated/ladder.ts';
import { MAX_TICK, sqrtPriceAtTick } from '../../src/liquidity/concentrated/tick-math.ts';
import type { Pool } from '../../src/liquidity/pool.ts';
import { PoolRouter } from '../../src/liquidity/router.ts';
import { FEE_PIPS, UniswapV2Pair } from '../../src/liquidity/uniswap-v2/pair.ts';
import { UniswapV3Pool } from '../../src/liquidity/uniswap-v3/pool.ts';
import { SPACING } from './uniswap.ts';

const FEES = [100, 500, 3000, 10000] as const;
const BILLION = 10n ** 9n;

/** Tokens of 18 decimals, ascending. */
export const TOKENS = [1, 2, 3, 4, 5].map((n): Address => `0x${String(n).repeat(40)}`);

/** How a pool differs from a plain one at the right price. */
export type PoolShape = {
  readonly kind: 'v2' | 'v3';
  readonly fee: (typeof FEES)[number];
  /** Off the price that agrees with others, in ticks. */
  readonly offset: number;
  /** Whole tokens around the price, about. */
  readonly size: number;
  /** Positions of a v3 pool: half their width in spacings, and their part of the size. */
  readonly positions: readonly { readonly width: number; readonly tenths: number }[];
};

export const poolShape: fc.Arbitrary<PoolShape> = fc.record({
  kind: fc.constantFrom('v2', 'v3', 'v3', 'v3'),
  fee: fc.constantFrom(...FEES),
  offset: fc.integer({ min: -25, max: 25 }),
  size: fc.integer({ min: 100, max: 100_000 }),
  positions: fc.array(fc.record({ width: fc.integer({ min: 3, max: 400 }), tenths: fc.integer({ min: 1, max: 10 }) }), {
    minLength: 1,
    maxLength: 5,
  }),
});

/** @param ticks the price of each token: its tick against a common unit */
export function poolBetween(one: Address, other: Address, ticks: ReadonlyMap<Address, number>, shape: PoolShape, place: number): Pool {
  const [token0, token1] = one < other ? [one, other] : [other, one];
  const address: Address = `0x${String(place + 1).padStart(40, '0')}`;
  const tick = ticks.get(token0)! - ticks.get(token1)! + shape.offset;
  const sqrtPriceX96 = sqrtPriceAtTick(tick);
  const liquidity = BigInt(Math.round(shape.size * 1e9)) * BILLION;
  if (shape.kind === 'v2') {
    const identity = { address, token0, token1, feePips: FEE_PIPS };
    return new UniswapV2Pair(identity, (liquidity << 96n) / sqrtPriceX96, (liquidity * sqrtPriceX96) >> 96n);
  }
  const spacing = SPACING[shape.fee]!;
  const edge = Math.floor(MAX_TICK / spacing) * spacing;
  let ladder = new Ladder(spacing, undefined, [], [], []);
  let active = 0n;
  const base = Math.floor(tick / spacing) * spacing;
  const add = (lower: number, upper: number, amount: bigint) => {
    ladder = ladder.withLiquidity(lower, upper, amount);
    if (lower <= tick && tick < upper) active += amount;
  };
  add(-edge, edge, liquidity / 20n + 1n);
  for (const { width, tenths } of shape.positions)
    add(base - width * spacing, base + (width + 1) * spacing, (liquidity * BigInt(tenths)) / 2n);
  const identity = { address, token0, token1, feePips: shape.fee };
  return new UniswapV3Pool(identity, { sqrtPriceX96, tick, liquidity: active }, ladder, { balance0Raw: 0n, balance1Raw: 0n });
}

/** A family whose pools are given. */
export class PoolsDouble implements PoolFamily {
  readonly id = 'given';
  readonly fromBlock = 0;
  readonly #book: PoolBook;

  constructor(pools: readonly Pool[]) {
    this.#book = new PoolBook(new Map(pools.map((pool) => [pool.identity.address, pool])));
  }

  book = () => this.#book;
  want = () => false;
  discoveryFilters = () => [];
  discover = () => {};
  *anchor() {}
  filters = () => [];
  apply = () => () => {};
  audit = () => [];
}

export function routerOver(pools: readonly Pool[], bridgeTokens: readonly Address[], numeraire: Address): PoolRouter {
  const executor: Address = '0x00000000000000000000000000000000000e8ec0';
  return new PoolRouter({ name: 'given', families: [new PoolsDouble(pools)], bridgeTokens, numeraire, executor });
}

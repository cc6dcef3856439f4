/** What mirrored v4 pools promise, against the swaps of the real PoolManager. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mapBounded } from '../../../src/lib/async.ts';
import type { Address } from '../../../src/lib/types.ts';
import { idOf, NONE, type PoolKey } from '../../../src/liquidity/uniswap-v4/key.ts';
import { UniswapV4Pools } from '../../../src/liquidity/uniswap-v4/pools.ts';
import { MirrorDriver } from '../../support/mirror-driver.ts';
import { UniswapWorld } from '../../support/uniswap.ts';
import { type Order, UniswapV4World } from '../../support/uniswap-v4.ts';
import { magnitude, randomPools } from './random-pools.ts';

const ORDERS_PER_POOL = 50;

let world: UniswapWorld;
let v4: UniswapV4World;
let keys: readonly PoolKey[];
let mirrored: UniswapV4Pools;

beforeAll(async () => {
  world = await UniswapWorld.start();
  v4 = await UniswapV4World.on(world);
  const tokens = await v4.tokens(3);
  keys = await randomPools(v4, tokens, 11);
  mirrored = new UniswapV4Pools({ poolManager: v4.manager, fromBlock: 0 }, v4.weth);
  mirrored.want([v4.weth, ...tokens]);
  await new MirrorDriver(world.rpcUrl, mirrored).anchor();
}, 180_000);

afterAll(() => world?.stop());

const anyOrder = fc.record({ zeroForOne: fc.boolean(), exactIn: fc.boolean(), amount: magnitude(96) });

/** In the pool's own currencies: what goes in and what comes out. */
function ours(key: PoolKey, { zeroForOne, exactIn, amount }: Order) {
  const pool = mirrored.book()!.pools.get(idOf(key) as Address)!;
  const asked = zeroForOne !== pool.listing.flipped;
  const hop = exactIn ? pool.sell(asked, amount) : pool.buy(asked, amount);
  return hop && { in: hop.amountInRaw, out: hop.amountOutRaw };
}

/** Undefined where the pool runs out, or gives nothing for something. */
async function theirs(key: PoolKey, order: Order) {
  const delta = await v4.quote(key, order);
  if (delta === undefined) return undefined;
  const [paid, got] = order.zeroForOne ? [-delta.amount0, delta.amount1] : [-delta.amount1, delta.amount0];
  if ((order.exactIn ? paid : got) !== order.amount || got === 0n || paid === 0n) return undefined;
  return { in: paid, out: got };
}

test('every quote is the swap’s, to the unit, and none is given where the pool runs out', { timeout: 120_000 }, async () => {
  const differences: unknown[] = [];
  let filled = 0;
  for (const [index, key] of keys.entries())
    await mapBounded(fc.sample(anyOrder, { seed: 300 + index, numRuns: ORDERS_PER_POOL }), 8, async (order) => {
      const [promised, real] = [ours(key, order), await theirs(key, order)];
      if (promised) filled++;
      // Of a pool with many ticks only those around the price are known.
      else if (key.spacing === 1) return;
      if (promised?.in !== real?.in || promised?.out !== real?.out) differences.push({ key, order, promised, real });
    });
  expect(differences).toEqual([]);
  expect(filled).toBeGreaterThan((keys.length * ORDERS_PER_POOL) / 3);
});

test('pools of native tokens are found in both orders that the wrapped one can take', () => {
  const flips = keys
    .filter(({ currency0 }) => currency0 === NONE)
    .map((key) => mirrored.book()!.pools.get(idOf(key) as Address)!.listing.flipped);
  expect(flips.length).toBeGreaterThan(1);
  for (const key of keys) {
    const { identity } = mirrored.book()!.pools.get(idOf(key) as Address)!;
    expect(identity.token0 < identity.token1).toBe(true);
    expect(mirrored.book()!.between(identity.token0, identity.token1)).toContain(identity.address);
  }
});

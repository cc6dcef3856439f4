import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hop } from '../../../src/liquidity/pool.ts';
import type { UniswapV3Pool } from '../../../src/liquidity/uniswap-v3/pool.ts';
import { UniswapV3Pools } from '../../../src/liquidity/uniswap-v3/pools.ts';
import { sqrtPriceAtTick } from '../../../src/liquidity/uniswap-v3/tick-math.ts';
import { MirrorDriver } from '../../support/mirror-driver.ts';
import { type Quoted, UniswapWorld } from '../../support/uniswap.ts';
import { magnitude, type RandomPool, randomPools } from './random-pools.ts';

const QUOTES_PER_POOL = 25;
const LOWEST = 4_295_128_740n;
const HIGHEST = 1461446703485210103287273052203988822378723970341n;

let world: UniswapWorld;
let pools: RandomPool[];
let mirrored: UniswapV3Pools;
let driver: MirrorDriver;

beforeAll(async () => {
  world = await UniswapWorld.start();
  const tokens = await world.tokens(5);
  pools = await randomPools(world, tokens, 1);
  mirrored = new UniswapV3Pools({ factory: world.factory, fromBlock: 0 });
  mirrored.want(tokens);
  driver = new MirrorDriver(world.rpcUrl, mirrored);
  await driver.anchor();
}, 180_000);

afterAll(() => world?.stop());

const order = fc.record({ zeroForOne: fc.boolean(), exactIn: fc.boolean(), amount: magnitude(110) });
type Order = { zeroForOne: boolean; exactIn: boolean; amount: bigint };

test('every quote is the quoter’s, to the unit, and none is given where the pool runs out', { timeout: 300_000 }, async () => {
  let filled = 0;
  let crossings = 0;
  const differences: unknown[] = [];
  for (const [index, pool] of pools.entries()) {
    const orders: Order[] = fc.sample(order, { seed: 100 + index, numRuns: QUOTES_PER_POOL });
    const theirs = await world.quotes(
      orders.map(({ zeroForOne, exactIn, amount }) => ({
        fn: exactIn ? 'quoteExactInputSingle' : 'quoteExactOutputSingle',
        tokenIn: zeroForOne ? pool.token0 : pool.token1,
        tokenOut: zeroForOne ? pool.token1 : pool.token0,
        amount,
        fee: pool.fee,
      })),
    );
    const state = mirrored.book()!.pools.get(pool.address)!;
    for (const [at, { zeroForOne, exactIn, amount }] of orders.entries()) {
      const hop = exactIn ? state.sell(zeroForOne, amount) : state.buy(zeroForOne, amount);
      const ours = hop && { amount: exactIn ? hop.amountOutRaw : hop.amountInRaw, sqrtPriceAfter: priceAfter(hop) };
      const quoted = complete(theirs[at], exactIn);
      if (ours) filled++;
      if (quoted) crossings += quoted.crossed;
      const same = ours?.amount === quoted?.amount && ours?.sqrtPriceAfter === quoted?.sqrtPriceAfter;
      if (!same && (ours !== undefined || !leavesWindow(state, quoted!))) differences.push({ ...pool, ...orders[at], ours, quoted });
    }
  }
  expect(differences).toEqual([]);
  expect(filled).toBeGreaterThan((pools.length * QUOTES_PER_POOL) / 4);
  expect(crossings).toBeGreaterThan(pools.length);
});

/** The quoter's answer, or undefined where it stands for less than was asked or for nothing. */
function complete(quoted: Quoted | undefined, exactIn: boolean): Quoted | undefined {
  if (quoted === undefined || quoted.sqrtPriceAfter === LOWEST || quoted.sqrtPriceAfter === HIGHEST) return undefined;
  return exactIn && quoted.amount === 0n ? undefined : quoted;
}

/** A pool of the finest spacing is known only around its price; beyond, no quote is the honest one. */
function leavesWindow({ ladder: { window } }: UniswapV3Pool, { sqrtPriceAfter }: Quoted): boolean {
  return window !== undefined && (sqrtPriceAfter <= sqrtPriceAtTick(window.low) || sqrtPriceAfter >= sqrtPriceAtTick(window.high));
}

function priceAfter(hop: Hop): bigint {
  return (hop.after as UniswapV3Pool).curve.sqrtPriceX96;
}

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sqrtPriceAtTick } from '../../../src/liquidity/concentrated/tick-math.ts';
import type { Hop } from '../../../src/liquidity/pool.ts';
import type { UniswapV3Pool } from '../../../src/liquidity/uniswap-v3/pool.ts';
import { UniswapV3Pools } from '../../../src/liquidity/uniswap-v3/pools.ts';
import { MirrorDriver } from '../../support/mirror-driver.ts';
import { poolViews, type Quoted, SPACING, UniswapWorld } from '../../support/uniswap.ts';
import { densePools, magnitude, type RandomPool, randomPools } from './random-pools.ts';

const QUOTES_PER_POOL = 25;
const QUOTES_PER_DENSE_POOL = 120;
const LOWEST = 4_295_128_740n;
const HIGHEST = 1461446703485210103287273052203988822378723970341n;

let world: UniswapWorld;
let pools: RandomPool[];
let dense: RandomPool[];
let mirrored: UniswapV3Pools;

beforeAll(async () => {
  world = await UniswapWorld.start();
  const tokens = await world.tokens(5);
  pools = await randomPools(world, tokens, 1);
  const busy = await world.tokens(2);
  dense = await densePools(world, busy[0]!, busy[1]!, 2);
  // In every second pool the protocol takes a part of the fee, from a fourth to a tenth of it.
  for (const [index, { address }] of [...pools, ...dense].entries())
    if (index % 2 === 1) world.chain.call(address, poolViews, 'setFeeProtocol', [4 + (index % 7), 10 - (index % 6)]);
  await world.chain.mine();
  mirrored = new UniswapV3Pools({ factory: world.factory, fromBlock: 0 });
  mirrored.want([...tokens, ...busy]);
  await new MirrorDriver(world.rpcUrl, mirrored).anchor();
}, 180_000);

afterAll(() => world?.stop());

type Order = { zeroForOne: boolean; exactIn: boolean; amount: bigint };
type Compared = { order: Order; ours: { amount: bigint; sqrtPriceAfter: bigint } | undefined; quoted: Quoted | undefined };

/** Orders at one pool, as we quote them and as the real quoter does. */
async function compare(pool: RandomPool, orders: readonly Order[]): Promise<Compared[]> {
  const theirs = await world.quotes(
    orders.map(({ zeroForOne, exactIn, amount }) => ({
      fn: exactIn ? 'quoteExactInputSingle' : 'quoteExactOutputSingle',
      tokenIn: zeroForOne ? pool.token0 : pool.token1,
      tokenOut: zeroForOne ? pool.token1 : pool.token0,
      amount,
      fee: pool.fee,
    })),
  );
  const state = stateOf(pool);
  return orders.map((order, at) => {
    const { zeroForOne, exactIn, amount } = order;
    const hop = exactIn ? state.sell(zeroForOne, amount) : state.buy(zeroForOne, amount);
    const ours = hop && { amount: exactIn ? hop.amountOutRaw : hop.amountInRaw, sqrtPriceAfter: priceAfter(hop) };
    return { order, ours, quoted: complete(theirs[at], exactIn) };
  });
}

function differs(pool: RandomPool, { ours, quoted }: Compared): boolean {
  if (ours?.amount === quoted?.amount && ours?.sqrtPriceAfter === quoted?.sqrtPriceAfter) return false;
  return ours !== undefined || quoted === undefined || !leavesWindow(stateOf(pool), quoted);
}

const anyOrder = fc.record({ zeroForOne: fc.boolean(), exactIn: fc.boolean(), amount: magnitude(120) });

test('every quote is the quoter’s, to the unit, and none is given where the pool runs out', { timeout: 300_000 }, async () => {
  let filled = 0;
  let crossings = 0;
  const differences: unknown[] = [];
  for (const [index, pool] of pools.entries())
    for (const compared of await compare(pool, fc.sample(anyOrder, { seed: 100 + index, numRuns: QUOTES_PER_POOL }))) {
      if (compared.ours) filled++;
      if (compared.quoted) crossings += compared.quoted.crossed;
      if (differs(pool, compared)) differences.push({ ...pool, ...compared });
    }
  expect(differences).toEqual([]);
  expect(filled).toBeGreaterThan((pools.length * QUOTES_PER_POOL) / 4);
  expect(crossings).toBeGreaterThan(pools.length / 2);
});

const nearOrder = fc.record({ zeroForOne: fc.boolean(), exactIn: fc.boolean(), tenths: fc.integer({ min: 1, max: 200 }) });

/** An amount that would move the price by so many tenths of the pool's tick spacing, were its liquidity the same everywhere. */
function amountFor({ curve: { liquidity, sqrtPriceX96 } }: UniswapV3Pool, spacing: number, zeroForOne: boolean, tenths: number): bigint {
  const virtualRaw = zeroForOne ? (liquidity << 96n) / sqrtPriceX96 : (liquidity * sqrtPriceX96) >> 96n;
  return (virtualRaw * BigInt(tenths * spacing)) / 200_000n + 1n;
}

test('and so over no, one and many initialised ticks, in each direction, exact in and exact out', { timeout: 300_000 }, async () => {
  const passed = new Map<string, number>();
  const differences: unknown[] = [];
  for (const [index, pool] of dense.entries()) {
    const orders = fc.sample(nearOrder, { seed: 200 + index, numRuns: QUOTES_PER_DENSE_POOL }).map(({ zeroForOne, exactIn, tenths }) => ({
      ...{ zeroForOne, exactIn },
      amount: amountFor(stateOf(pool), SPACING[pool.fee]!, zeroForOne === exactIn, tenths),
    }));
    for (const compared of await compare(pool, orders)) {
      if (differs(pool, compared)) differences.push({ pool: pool.address, ...compared });
      const { ours, quoted, order } = compared;
      if (ours === undefined || quoted === undefined) continue;
      const kind = `${order.zeroForOne ? 'down' : 'up'}, exact ${order.exactIn ? 'in' : 'out'}, ${ticksIn(quoted)}`;
      passed.set(kind, (passed.get(kind) ?? 0) + 1);
    }
  }
  expect(differences).toEqual([]);
  for (const direction of ['down', 'up'])
    for (const exact of ['in', 'out'])
      for (const ticks of ['no tick', '1 to 5', 'more']) {
        const kind = `${direction}, exact ${exact}, ${ticks}`;
        expect(passed.get(kind) ?? 0, kind).toBeGreaterThan(10);
      }
});

function ticksIn({ crossed }: Quoted): string {
  if (crossed === 0) return 'no tick';
  return crossed <= 5 ? '1 to 5' : 'more';
}

function stateOf(pool: RandomPool): UniswapV3Pool {
  return mirrored.book()!.pools.get(pool.address)!;
}

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

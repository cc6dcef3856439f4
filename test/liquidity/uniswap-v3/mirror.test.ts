import fc from 'fast-check';
import { keccak256, stringToHex } from 'viem';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Address } from '../../../src/lib/types.ts';
import { sqrtPriceAtTick } from '../../../src/liquidity/concentrated/tick-math.ts';
import type { UniswapV3Pool } from '../../../src/liquidity/uniswap-v3/pool.ts';
import { UniswapV3Pools } from '../../../src/liquidity/uniswap-v3/pools.ts';
import { MirrorError } from '../../../src/mirror/types.ts';
import { MirrorDriver } from '../../support/mirror-driver.ts';
import { poolViews, SPACING, UniswapWorld } from '../../support/uniswap.ts';
import { magnitude, type RandomPool, randomPools } from './random-pools.ts';

let world: UniswapWorld;
let tokens: Address[];
let pools: RandomPool[];
let mirrored: UniswapV3Pools;
let driver: MirrorDriver;

beforeAll(async () => {
  world = await UniswapWorld.start();
  tokens = await world.tokens(3);
  pools = await randomPools(world, tokens, 7);
}, 120_000);

afterAll(() => world?.stop());

beforeEach(async () => {
  ({ mirrored, driver } = await anchored());
});

async function anchored() {
  const fresh = new UniswapV3Pools({ factory: world.factory, fromBlock: 0 });
  fresh.want(tokens);
  const freshDriver = new MirrorDriver(world.rpcUrl, fresh);
  await freshDriver.anchor();
  return { mirrored: fresh, driver: freshDriver };
}

const action = fc.record({
  kind: fc.constantFrom('swap', 'swap', 'swap', 'mint', 'burn', 'collect', 'flash', 'charge', 'take'),
  which: fc.nat(),
  zeroForOne: fc.boolean(),
  exactIn: fc.boolean(),
  amount: magnitude(80),
  part: fc.integer({ min: 1, max: 4 }),
});

/** Performs random actions that the pools can bear, a few in each block. */
async function live(seed: number, count: number): Promise<void> {
  for (const [index, { kind, which, zeroForOne, exactIn, amount, part }] of fc.sample(action, { seed, numRuns: count }).entries()) {
    const pool = pools[which % pools.length]!;
    const { address, positions } = pool;
    const { lower, upper, liquidity } = positions[which % positions.length]!;
    const spacing = SPACING[pool.fee]!;
    const now = mirrored.book()!.pools.get(address)!;
    if (kind === 'swap') {
      const hop = exactIn ? now.sell(zeroForOne, amount) : now.buy(zeroForOne, amount);
      if (hop) world.act('swap', [address, zeroForOne, exactIn ? amount : -amount]);
    } else if (kind === 'mint')
      world.act('mint', [address, lower + spacing * part, upper + spacing * 5 > 887_272 ? upper : upper + spacing * 5, amount]);
    else if (kind === 'burn') world.act('burn', [address, lower, upper, part === 4 ? 0n : liquidity / 20n]);
    else if (kind === 'collect') world.act('collect', [address, lower, upper]);
    // What the protocol does: it sets its part of the fee, and takes what has come together.
    else if (kind === 'charge') world.chain.call(address, poolViews, 'setFeeProtocol', [3 + part, zeroForOne ? 0 : 10]);
    else if (kind === 'take')
      world.chain.call(address, poolViews, 'collectProtocol', [world.chain.deployer.address, 2n ** 127n, 2n ** 127n]);
    else {
      // A flash needs liquidity in range, which an action queued before it may have moved.
      await settle();
      const { curve, balances } = mirrored.book()!.pools.get(address)!;
      if (curve.liquidity > 0n) world.act('flash', [address, balances.balance0Raw / 2n, zeroForOne ? balances.balance1Raw : 0n]);
    }
    if (index % 4 === 3) await settle();
  }
  await world.chain.mine();
}

async function settle(): Promise<void> {
  await world.chain.mine();
  await driver.follow();
}

/** All that is kept of all pools, comparable. */
function contents(of: UniswapV3Pools): unknown {
  const sorted = [...of.book()!.pools.values()].sort((a, b) => (a.identity.address < b.identity.address ? -1 : 1));
  return sorted.map(({ identity, curve, ladder, balances }) => {
    const { ticks, nets, grosses, spacing } = ladder;
    return { identity, curve, balances, ticks, nets, grosses, spacing };
  });
}

async function chainSays(pool: UniswapV3Pool): Promise<unknown> {
  const { address, token0, token1 } = pool.identity;
  const [sqrtPriceX96, tick] = await world.chain.read<[bigint, number]>(address, poolViews, 'slot0');
  const liquidity = await world.chain.read<bigint>(address, poolViews, 'liquidity');
  const ticks = await Promise.all(pool.ladder.ticks.map((at) => world.chain.read<[bigint, bigint]>(address, poolViews, 'ticks', [at])));
  const balances = { balance0Raw: await world.balanceOf(token0, address), balance1Raw: await world.balanceOf(token1, address) };
  return { curve: { sqrtPriceX96, tick, liquidity }, grosses: ticks.map(([gross]) => gross), nets: ticks.map(([, net]) => net), balances };
}

test('state folded from logs is the pools’ own, and that of a fresh anchor', { timeout: 120_000 }, async () => {
  const before = contents(mirrored);
  await live(11, 120);
  await driver.follow();
  expect(contents(mirrored)).not.toEqual(before);
  for (const pool of mirrored.book()!.pools.values()) {
    const { curve, ladder, balances } = pool;
    expect({ curve, grosses: ladder.grosses, nets: ladder.nets, balances }).toEqual(await chainSays(pool));
  }
  expect(contents(mirrored)).toEqual(contents((await anchored()).mirrored));
});

test('blocks taken back restore what was, and applied again give what is', { timeout: 120_000 }, async () => {
  const before = contents(mirrored);
  world.act('swap', [pools[0]!.address, true, 1_000n]);
  for (const seed of [21, 22, 23]) {
    await world.chain.mine();
    for (const { address, positions } of pools)
      world.act('mint', [address, positions[0]!.lower, positions[0]!.upper, BigInt(seed) * 1_000_000n]);
  }
  await world.chain.mine();
  const undos = await driver.follow();
  const after = contents(mirrored);
  expect(undos.length).toBeGreaterThanOrEqual(3);
  expect(after).not.toEqual(before);
  driver.takeBack(undos);
  expect(contents(mirrored)).toEqual(before);
  await driver.follow();
  expect(contents(mirrored)).toEqual(after);
});

test('a swap planned after others of the same block ends where the real one ends', { timeout: 60_000 }, async () => {
  const step = fc.record({ zeroForOne: fc.boolean(), exactIn: fc.boolean(), amount: magnitude(90) });
  let swaps = 0;
  for (const [index, { address }] of pools.entries()) {
    const start = mirrored.book()!.pools.get(address)!;
    let planned = start;
    let { balance0Raw, balance1Raw } = start.balances;
    for (const { zeroForOne, exactIn, amount } of fc.sample(step, { seed: 300 + index, numRuns: 12 })) {
      const hop = exactIn ? planned.sell(zeroForOne, amount) : planned.buy(zeroForOne, amount);
      if (!hop) continue;
      world.act('swap', [address, zeroForOne, exactIn ? amount : -amount]);
      balance0Raw += zeroForOne ? hop.amountInRaw : -hop.amountOutRaw;
      balance1Raw += zeroForOne ? -hop.amountOutRaw : hop.amountInRaw;
      planned = hop.after as UniswapV3Pool;
      swaps++;
    }
    await world.chain.mine();
    const { sqrtPriceX96, liquidity } = planned.curve;
    const ours = { curve: { sqrtPriceX96, tick: planned.tick, liquidity }, balances: { balance0Raw, balance1Raw } };
    expect(await chainSays(planned)).toMatchObject(ours);
  }
  expect(swaps).toBeGreaterThan(60);
  await driver.follow();
});

test('a swap that ends on a tick, or a unit beside it, ends as the real one and goes on as it does', { timeout: 120_000 }, async () => {
  const [token0, token1] = (await world.tokens(2)) as [Address, Address];
  mirrored.want([token0, token1]);
  const start = 3_001;
  // Where liquidity passes 2^96, a price can be rounded onto its tick by an output that falls short of it.
  for (const [fee, liquidity] of [
    [500, 10n ** 15n],
    [3000, 2n ** 105n + 987_654_321n],
  ] as const) {
    const address = await world.pool(token0, token1, fee, sqrtPriceAtTick(start) + 777_777_777n);
    const spacing = SPACING[fee]!;
    const base = Math.floor(start / spacing) * spacing;
    world.act('mint', [address, base - 4 * spacing, base + 4 * spacing, liquidity]);
    world.act('mint', [address, base, base + spacing, liquidity / 3n]);
    await world.chain.mine();
    await driver.anchor();
    const pool = mirrored.book()!.pools.get(address)!;
    for (const zeroForOne of [true, false]) {
      for (const exactIn of [true, false]) {
        const target = sqrtPriceAtTick(zeroForOne ? base : base + spacing);
        const swap = (of: UniswapV3Pool, amount: bigint) => (exactIn ? of.sell(zeroForOne, amount) : of.buy(zeroForOne, amount));
        const least = leastReaching(target, zeroForOne, (amount) => swap(pool, amount)?.after as UniswapV3Pool | undefined);
        for (const amount of [least - 1n, least, least + 1n]) {
          const restore = await world.snapshot();
          const after = swap(pool, amount)!.after as UniswapV3Pool;
          world.act('swap', [address, zeroForOne, exactIn ? amount : -amount]);
          const { sqrtPriceX96, liquidity: active } = after.curve;
          await world.chain.mine();
          expect(await chainSays(after)).toMatchObject({ curve: { sqrtPriceX96, tick: after.tick, liquidity: active } });
          for (const back of [true, false]) {
            const next = after.sell(back, liquidity / 100_000n)!.after as UniswapV3Pool;
            const again = await world.snapshot();
            world.act('swap', [address, back, liquidity / 100_000n]);
            await world.chain.mine();
            const curve = { sqrtPriceX96: next.curve.sqrtPriceX96, tick: next.tick, liquidity: next.curve.liquidity };
            expect(await chainSays(next)).toMatchObject({ curve });
            await again();
          }
          await restore();
        }
      }
    }
  }
});

test('liquidity counts at once in a range that begins at the current tick, and not in one that ends there', async () => {
  const [token0, token1] = (await world.tokens(2)) as [Address, Address];
  mirrored.want([token0, token1]);
  const pool = await world.pool(token0, token1, 3000, sqrtPriceAtTick(600));
  await driver.anchor();
  world.act('mint', [pool, 600, 660, 3n * 10n ** 18n]);
  world.act('mint', [pool, 540, 600, 5n * 10n ** 18n]);
  await world.chain.mine();
  await driver.follow();
  const state = mirrored.book()!.pools.get(pool)!;
  expect(state.curve.liquidity).toBe(3n * 10n ** 18n);
  expect(await chainSays(state)).toMatchObject({ curve: state.curve });
});

/** The least amount after which the price has reached `target`. */
function leastReaching(target: bigint, zeroForOne: boolean, after: (amount: bigint) => UniswapV3Pool | undefined): bigint {
  let low = 1n;
  let high = 1n << 120n;
  while (low < high) {
    const middle = (low + high) >> 1n;
    const price = after(middle)?.curve.sqrtPriceX96;
    if (price === undefined || (zeroForOne ? price <= target : price >= target)) high = middle;
    else low = middle + 1n;
  }
  return low;
}

test('a pool of wanted tokens created later, at a fee enabled later, is mirrored from its first log', { timeout: 60_000 }, async () => {
  world.chain.call(world.factory, world.contracts.UniswapV3Factory.abi, 'enableFeeAmount', [250, 5]);
  const pool = await world.pool(tokens[0]!, tokens[1]!, 250, sqrtPriceAtTick(777));
  world.act('mint', [pool, 0, 1_500, 10n ** 18n]);
  world.act('swap', [pool, true, 10n ** 12n]);
  await world.chain.mine();
  expect(mirrored.book()!.pools.has(pool)).toBe(false);
  await driver.follow();
  const { curve, ladder, balances } = mirrored.book()!.pools.get(pool)!;
  expect(curve.liquidity).toBe(10n ** 18n);
  expect({ curve, grosses: ladder.grosses, nets: ladder.nets, balances }).toEqual(await chainSays(mirrored.book()!.pools.get(pool)!));
  const { mirrored: fresh } = await anchored();
  expect(fresh.book()!.pools.get(pool)!.identity).toEqual({ address: pool, token0: tokens[0], token1: tokens[1], feePips: 250 });
});

test('wanting a new token asks for an anchor, wanting known ones does not', async () => {
  expect(mirrored.want(tokens)).toBe(false);
  const [newToken] = await world.tokens(1);
  expect(mirrored.want([newToken!])).toBe(true);
  expect(mirrored.want([newToken!])).toBe(false);
});

test('the audit finds nothing while the mirror follows, and names the pool it has lost', { timeout: 60_000 }, async () => {
  const seeds = Array.from({ length: pools.length * 2 }, (_, index) => 100 + index);
  for (const seed of seeds) expect(await driver.mismatches(6, seed)).toEqual([]);
  const { address, positions } = pools[2]!;
  world.act('mint', [address, positions[0]!.lower, positions[0]!.upper, 999_999n]);
  world.act('mint', [address, -887_220, 887_220, 5n]);
  await world.chain.mine();
  const found = (await Promise.all(seeds.map((seed) => driver.mismatches(6, seed)))).flat();
  expect(found.length).toBeGreaterThan(0);
  for (const { subject } of found) expect(subject).toContain(address);
  await driver.follow();
  for (const seed of seeds) expect(await driver.mismatches(6, seed)).toEqual([]);
});

test('a factory that is none is named', async () => {
  const nobody: Address = `0x${keccak256(stringToHex('nobody')).slice(2, 42)}`;
  const lost = new UniswapV3Pools({ factory: nobody, fromBlock: 0 });
  lost.want(tokens);
  await expect(new MirrorDriver(world.rpcUrl, lost).anchor()).rejects.toThrow(MirrorError);
  await expect(new MirrorDriver(world.rpcUrl, lost).anchor()).rejects.toThrow(nobody);
});

test('more liquidity removed than there is is refused, not folded', () => {
  const pool = mirrored.book()!.pools.get(pools[0]!.address)!;
  const { lower, upper, liquidity } = pools[0]!.positions[0]!;
  expect(() => pool.ladder.withLiquidity(lower, upper, -liquidity * 1_000_000n - 10n ** 40n)).toThrow(RangeError);
});

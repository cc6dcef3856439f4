/** Folding v4 pools from the manager's logs, against its storage. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Address } from '../../../src/lib/types.ts';
import { sqrtPriceAtTick } from '../../../src/liquidity/concentrated/tick-math.ts';
import { MOST_POOLS_OF_A_PAIR } from '../../../src/liquidity/uniswap-v4/anchor.ts';
import { idOf, NONE, type PoolKey } from '../../../src/liquidity/uniswap-v4/key.ts';
import { UniswapV4Pools } from '../../../src/liquidity/uniswap-v4/pools.ts';
import { MirrorError } from '../../../src/mirror/types.ts';
import { MirrorDriver } from '../../support/mirror-driver.ts';
import { UniswapWorld } from '../../support/uniswap.ts';
import { UniswapV4World } from '../../support/uniswap-v4.ts';
import { magnitude, randomPools } from './random-pools.ts';

let world: UniswapWorld;
let v4: UniswapV4World;
let tokens: Address[];
let keys: readonly PoolKey[];

beforeAll(async () => {
  world = await UniswapWorld.start();
  v4 = await UniswapV4World.on(world);
  tokens = await v4.tokens(3);
  keys = await randomPools(v4, tokens, 5);
}, 180_000);

afterAll(() => world?.stop());

async function anchored(wanted: readonly Address[] = [v4.weth, ...tokens]) {
  const mirrored = new UniswapV4Pools({ poolManager: v4.manager, fromBlock: 0 }, v4.weth);
  mirrored.want(wanted);
  const driver = new MirrorDriver(world.rpcUrl, mirrored);
  await driver.anchor();
  return { mirrored, driver };
}

/** All that is known, comparable. */
function stateOf({ mirrored }: { mirrored: UniswapV4Pools }): unknown {
  return [...mirrored.book()!.pools.values()]
    .sort((a, b) => (a.identity.address < b.identity.address ? -1 : 1))
    .map(({ listing, ticks: { curve, tick, feesPips, ladder } }) => ({
      ...{ listing, price: curve.sqrtPriceX96, liquidity: curve.liquidity, tick, feesPips },
      ticks: ladder.ticks.map((at, index) => [at, ladder.nets[index], ladder.grosses[index]]),
    }));
}

const action = fc.record({
  kind: fc.constantFrom('swap', 'swap', 'swap', 'mint', 'burn', 'donate', 'charge'),
  pool: fc.nat(),
  zeroForOne: fc.boolean(),
  exactIn: fc.boolean(),
  amount: magnitude(80),
  from: fc.integer({ min: -40, max: 20 }),
  width: fc.integer({ min: 1, max: 50 }),
  fee: fc.integer({ min: 0, max: 1_000 }),
});

test('after any actions the pools are those that a fresh anchor reads, and taken back they are those from before', {
  timeout: 120_000,
}, async () => {
  const followed = await anchored();
  const before = stateOf(followed);
  const added: { key: PoolKey; lower: number; upper: number; liquidity: bigint }[] = [];
  for (const { kind, pool, zeroForOne, exactIn, from, width, fee, ...drawn } of fc.sample(action, { seed: 17, numRuns: 40 })) {
    const key = keys[pool % keys.length]!;
    // Of a pool with many ticks only those around the price are read, wherever that is by then.
    const amount = key.spacing === 1 ? (drawn.amount % 10n ** 12n) + 1n : drawn.amount;
    const lower = from * key.spacing;
    if (kind === 'swap' && (await v4.quote(key, { zeroForOne, exactIn, amount })) !== undefined)
      v4.swap(key, { zeroForOne, exactIn, amount });
    if (kind === 'mint') {
      added.push({ key, lower, upper: lower + width * key.spacing, liquidity: amount });
      v4.modify(key, lower, lower + width * key.spacing, amount);
    }
    const last = kind === 'burn' ? added.pop() : undefined;
    if (last !== undefined) v4.modify(last.key, last.lower, last.upper, -last.liquidity);
    if (kind === 'donate' && followed.mirrored.book()!.pools.get(idOf(key) as Address)!.ticks.curve.liquidity > 0n)
      v4.donate(key, 1_000n, amount);
    if (kind === 'charge') v4.setProtocolFee(key, fee | ((1_000 - fee) << 12));
    await world.chain.mine();
  }
  const undos = await followed.driver.follow();
  const after = stateOf(followed);
  expect(after).not.toEqual(before);
  expect(after).toEqual(stateOf(await anchored()));
  expect(await followed.driver.mismatches(100, 3)).toEqual([]);
  followed.driver.takeBack(undos);
  expect(stateOf(followed)).toEqual(before);
  await followed.driver.follow();
  expect(stateOf(followed)).toEqual(after);
});

test('a pool made later is followed from its creation; one with a hook, or of a token that nobody wants, is not', async () => {
  const followed = await anchored([v4.weth, tokens[0]!, tokens[1]!]);
  const known = followed.mirrored.book()!.pools.size;
  const key: PoolKey = { currency0: tokens[0]!, currency1: tokens[1]!, feePips: 4_321, spacing: 330 };
  v4.initialize(key, sqrtPriceAtTick(100));
  v4.modify(key, -330, 660, 10n ** 18n);
  v4.swap(key, { zeroForOne: true, exactIn: true, amount: 10n ** 12n });
  v4.initialize({ ...key, currency1: tokens[2]! }, sqrtPriceAtTick(0));
  // Its lowest bits say that it is asked before swaps (`Hooks.BEFORE_SWAP_FLAG`); initialising does not call it.
  v4.initializeHooked(key, '0x0000000000000000000000000000000000000080', sqrtPriceAtTick(0));
  await world.chain.mine();
  const [undo] = await followed.driver.follow();
  expect(followed.mirrored.book()!.pools.size).toBe(known + 1);
  expect(followed.mirrored.book()!.pools.get(idOf(key) as Address)!.ticks.curve.liquidity).toBe(10n ** 18n);
  expect(stateOf(followed)).toEqual(stateOf(await anchored([v4.weth, tokens[0]!, tokens[1]!])));
  undo!();
  expect(followed.mirrored.book()!.pools.size).toBe(known);
});

test('of a crowd of pools between two tokens only the most liquid are followed', async () => {
  const [currency0, currency1] = [tokens[0]!, tokens[2]!];
  for (let at = 0; at < MOST_POOLS_OF_A_PAIR + 3; at++) {
    const key = { currency0, currency1, feePips: 2_000 + at, spacing: 2_000 };
    v4.initialize(key, sqrtPriceAtTick(0));
    if (at > 2) v4.modify(key, -2_000, 2_000, 10n ** 12n * BigInt(at));
  }
  await world.chain.mine();
  const { mirrored } = await anchored();
  const followed = mirrored.book()!.between(currency0, currency1);
  expect(followed).toHaveLength(MOST_POOLS_OF_A_PAIR);
  for (const id of followed) expect(mirrored.book()!.pools.get(id)!.identity.feePips).toBeGreaterThan(2_002);
});

test('a difference from the manager’s storage shows', async () => {
  const followed = await anchored();
  const key = keys.find(({ currency0 }) => currency0 !== NONE)!;
  v4.swap(key, { zeroForOne: true, exactIn: true, amount: 10n ** 12n });
  v4.setProtocolFee(keys[0]!, 7);
  await world.chain.mine();
  expect((await followed.driver.mismatches(100, 3)).map(({ subject }) => subject)).toEqual(
    expect.arrayContaining([`pool ${idOf(key)} price, tick and fees`, `pool ${idOf(keys[0]!)} price, tick and fees`]),
  );
});

test('a contract that is no manager is told', async () => {
  const lost = new UniswapV4Pools({ poolManager: tokens[0]!, fromBlock: 0 }, v4.weth);
  lost.want(tokens);
  await expect(new MirrorDriver(world.rpcUrl, lost).anchor()).rejects.toThrow(MirrorError);
});

/** Uniswap v2 pairs, from the real factory: quotes that the pair itself accepts, and not a unit more. */
import fc from 'fast-check';
import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { Step } from '../../src/lib/steps.ts';
import type { Address } from '../../src/lib/types.ts';
import { sqrtPriceAtTick } from '../../src/liquidity/concentrated/tick-math.ts';
import { RoutedFill } from '../../src/liquidity/depth.ts';
import { PoolRouter } from '../../src/liquidity/router.ts';
import type { Fill, NoFill } from '../../src/liquidity/types.ts';
import { UniswapV2Pairs } from '../../src/liquidity/uniswap-v2/pairs.ts';
import { UniswapV3Pools } from '../../src/liquidity/uniswap-v3/pools.ts';
import { MirrorError } from '../../src/mirror/types.ts';
import { ExecutorOn } from '../support/executor.ts';
import { MirrorDriver } from '../support/mirror-driver.ts';
import { UniswapWorld } from '../support/uniswap.ts';
import { pairAbi, UniswapV2On } from '../support/uniswap-v2.ts';

const ETHER = 10n ** 18n;

let world: UniswapWorld;
let v2: UniswapV2On;
let executor: ExecutorOn;
let alpha: Address;
let bridge: Address;
let numeraire: Address;
let late: Address;
let pair: Address;
let pairs: UniswapV2Pairs;
let router: PoolRouter;
let driver: MirrorDriver;
let restore: () => Promise<void>;

beforeAll(async () => {
  world = await UniswapWorld.start();
  [alpha, bridge, numeraire, late] = (await world.tokens(4)) as [Address, Address, Address, Address];
  v2 = new UniswapV2On(world);
  executor = new ExecutorOn(world, numeraire);
  await world.chain.mine();
  pair = await createPair(alpha, bridge, 7_000n * ETHER + 11n, 21_000n * ETHER + 5n);
  const pool = await world.pool(bridge, numeraire, 3000, sqrtPriceAtTick(-900));
  world.act('mint', [pool, -6_000, 6_000, 50_000n * ETHER]);
  await world.chain.mine();
}, 120_000);

afterAll(() => world?.stop());

beforeEach(async () => {
  restore = await world.snapshot();
  pairs = new UniswapV2Pairs(v2.factory);
  const pools = new UniswapV3Pools({ factory: world.factory, fromBlock: 3 });
  router = new PoolRouter({ name: 'uniswap', families: [pools, pairs], bridgeTokens: [bridge], numeraire, executor: executor.address });
  router.want([alpha, numeraire, late]);
  driver = new MirrorDriver(world.rpcUrl, router);
  await driver.anchor();
});

afterEach(() => restore());

async function createPair(token0: Address, token1: Address, amount0: bigint, amount1: bigint): Promise<Address> {
  const [created] = await v2.createPairs([{ one: token0, other: token1, oneRaw: amount0, otherRaw: amount1 }]);
  return created!;
}

function filled(fill: Fill | NoFill): Fill {
  if (!fill.ok) throw new Error(fill.reason);
  return fill;
}

async function execute(groups: readonly (readonly Step[])[]): Promise<void> {
  await executor.execute(groups);
  await driver.follow();
}

const ours = () => [pairs.book()!.pools.get(pair)!.reserve0Raw, pairs.book()!.pools.get(pair)!.reserve1Raw];
const theirs = async () => (await world.chain.read<bigint[]>(pair, pairAbi, 'getReserves')).slice(0, 2);

test('quoted amounts are accepted and one unit in our favour is refused', { timeout: 60_000 }, async () => {
  const order = fc.record({ sellAlpha: fc.boolean(), exactIn: fc.boolean(), amount: fc.bigInt({ min: 1_000n, max: 900n * ETHER }) });
  await executor.fund(alpha, 100_000n * ETHER);
  await executor.fund(bridge, 100_000n * ETHER);
  for (const { sellAlpha, exactIn, amount } of fc.sample(order, { seed: 3, numRuns: 20 })) {
    const [tokenIn, tokenOut] = sellAlpha ? [alpha, bridge] : [bridge, alpha];
    const state = pairs.book()!.pools.get(pair)!;
    const hop = (exactIn ? state.sell(sellAlpha, amount) : state.buy(sellAlpha, amount))!;
    const better = exactIn ? { ...hop, amountOutRaw: hop.amountOutRaw + 1n } : { ...hop, amountInRaw: hop.amountInRaw - 1n };
    const refused = await world.snapshot();
    const greedy = state.steps(better, { exact: hop.exact, recipient: executor.address, sellGain: false });
    await expect(executor.execute([greedy])).rejects.toThrow('execute reverted');
    await refused();
    const fill = filled(
      exactIn ? router.quoteIn(tokenIn, tokenOut, amount, router.depth()) : router.quoteOut(tokenIn, tokenOut, amount, router.depth()),
    );
    const before = [await executor.holding(tokenIn), await executor.holding(tokenOut)] as const;
    await execute([router.steps(fill, 'planned')]);
    expect(before[0] - (await executor.holding(tokenIn))).toBe(hop.amountInRaw);
    expect((await executor.holding(tokenOut)) - before[1]).toBe(hop.amountOutRaw);
    expect(ours()).toEqual(await theirs());
  }
});

test('a fill behind another of the same transaction is as exact', async () => {
  await executor.fund(alpha, 1_000n * ETHER);
  const first = filled(router.quoteIn(alpha, bridge, 300n * ETHER, router.depth()));
  const depth = router.depth().after(first);
  const second = filled(router.quoteOut(alpha, bridge, 200n * ETHER, depth));
  const before = [await executor.holding(alpha), await executor.holding(bridge)] as const;
  await execute([[...router.steps(first, 'planned'), ...router.steps(second, 'planned')]]);
  expect(before[0] - (await executor.holding(alpha))).toBe(first.amountInRaw + second.amountInRaw);
  expect((await executor.holding(bridge)) - before[1]).toBe(first.amountOutRaw + second.amountOutRaw);
  const [last] = RoutedFill.hopsOf(second);
  expect(last.after).toEqual(pairs.book()!.pools.get(pair));
});

test.each(['in', 'out'] as const)('a path over a v2 pair and a v3 pool, exact %s', async (exact) => {
  await executor.fund(alpha, 500n * ETHER);
  const fill = filled(
    exact === 'in'
      ? router.quoteIn(alpha, numeraire, 100n * ETHER, router.depth())
      : router.quoteOut(alpha, numeraire, 100n * ETHER, router.depth()),
  );
  expect(fill.pools).toHaveLength(2);
  const before = [await executor.holding(alpha), await executor.holding(numeraire)] as const;
  await execute([router.steps(fill, 'planned')]);
  expect(before[0] - (await executor.holding(alpha))).toBe(fill.amountInRaw);
  expect((await executor.holding(numeraire)) - before[1]).toBe(fill.amountOutRaw);
  expect(await executor.holding(bridge)).toBe(0n);
});

test('a pair created later is mirrored; blocks taken back restore what was; the audit agrees', async () => {
  const before = pairs.book();
  const created = await createPair(bridge, late, 10n * ETHER, 30n * ETHER);

  const undos = await driver.follow();
  expect(pairs.book()!.pools.get(created)).toMatchObject({ reserve0Raw: 10n * ETHER, reserve1Raw: 30n * ETHER });
  for (const seed of [1, 2, 3]) expect(await driver.mismatches(8, seed)).toEqual([]);
  driver.takeBack(undos);
  expect(pairs.book()).toBe(before);
  expect((await driver.mismatches(8, 1)).filter(({ subject }) => subject.includes(pair))).toEqual([]);
});

test('more than a pair holds is no fill, and a factory that is none is named', async () => {
  expect(router.quoteOut(alpha, bridge, 30_000n * ETHER, router.depth())).toEqual({ ok: false, reason: 'too-thin' });
  const lost = new UniswapV2Pairs(alpha);
  lost.want([alpha, bridge]);
  await expect(new MirrorDriver(world.rpcUrl, lost).anchor()).rejects.toThrow(MirrorError);
});

test('history begins where the family that needs one says', () => {
  expect(router.fromBlock).toBe(3);
});

test('gas of a fill is what was stated, or up to a quarter less', async () => {
  const used = async (steps: readonly Step[]) => {
    await execute([steps]);
    return BigInt((await rpc<{ gasUsed: Hex }[]>(world.rpcUrl, 'eth_getBlockReceipts', ['latest'])).at(-1)!.gasUsed);
  };
  const sale = () => filled(router.quoteIn(alpha, bridge, 10n * ETHER, router.depth()));
  await executor.fund(alpha, 20n * ETHER);
  // A pair's first swap ever also begins its price oracle.
  await execute([router.steps(sale(), 'planned')]);
  const nothing = await used([]);
  const fill = sale();
  const gas = (await used(router.steps(fill, 'planned'))) - nothing;
  expect(gas).toBeLessThanOrEqual(fill.gasUnits);
  expect(gas).toBeGreaterThan((fill.gasUnits * 3n) / 4n);
});

/** Fills performed by the real Executor on real pools: what is promised is what moves. */
import fc from 'fast-check';
import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { Step } from '../../src/lib/steps.ts';
import type { Address } from '../../src/lib/types.ts';
import { sqrtPriceAtTick } from '../../src/liquidity/concentrated/tick-math.ts';
import { PoolRouter } from '../../src/liquidity/router.ts';
import type { Fill, NoFill } from '../../src/liquidity/types.ts';
import { UniswapV3Flash } from '../../src/liquidity/uniswap-v3/flash.ts';
import { UniswapV3Pools } from '../../src/liquidity/uniswap-v3/pools.ts';
import { ExecutorOn } from '../support/executor.ts';
import { MirrorDriver } from '../support/mirror-driver.ts';
import { UniswapWorld } from '../support/uniswap.ts';

const ETHER = 10n ** 18n;

let world: UniswapWorld;
let executor: ExecutorOn;
/** Ascending; the numeraire is not the least, so that both directions occur. `alpha` and `delta` have no pool with one another. */
let alpha: Address;
let bridge: Address;
let numeraire: Address;
let delta: Address;
let lonely: Address;
let pools: UniswapV3Pools;
let router: PoolRouter;
let driver: MirrorDriver;
let restore: () => Promise<void>;

beforeAll(async () => {
  world = await UniswapWorld.start();
  [alpha, bridge, numeraire, delta, lonely] = (await world.tokens(5)) as [Address, Address, Address, Address, Address];
  executor = new ExecutorOn(world, numeraire);
  await deepPool(alpha, bridge, 500, 1_200);
  await deepPool(alpha, bridge, 3000, 1_210);
  await deepPool(bridge, numeraire, 500, -5_000);
  await deepPool(bridge, numeraire, 10000, -5_020);
  await deepPool(alpha, numeraire, 10000, -3_800);
  await deepPool(numeraire, delta, 3000, 800);
  await deepPool(alpha, lonely, 100, 0);
  await world.chain.mine();
}, 120_000);

afterAll(() => world?.stop());

beforeEach(async () => {
  restore = await world.snapshot();
  pools = new UniswapV3Pools({ factory: world.factory, fromBlock: 0 });
  router = new PoolRouter({ name: 'uniswap', families: [pools], bridgeTokens: [bridge, numeraire], numeraire, executor: executor.address });
  router.want([alpha, delta, lonely]);
  driver = new MirrorDriver(world.rpcUrl, router);
  await driver.anchor();
});

afterEach(() => restore());

async function deepPool(token0: Address, token1: Address, fee: number, tick: number): Promise<void> {
  const pool = await world.pool(token0, token1, fee, sqrtPriceAtTick(tick) + 12_345n);
  const spacing = { 100: 1, 500: 10, 3000: 60, 10000: 200 }[fee]!;
  const around = (width: number) => Math.floor(tick / spacing) * spacing + Math.round(width / spacing) * spacing;
  for (const [width, liquidity] of [
    [600, 40_000n],
    [3_000, 20_000n],
    [12_000, 3_000n],
  ] as const) {
    world.act('mint', [pool, around(-width), around(width), liquidity * ETHER + BigInt(width)]);
  }
}

/** Executes groups in one transaction, and follows what it did. */
async function execute(groups: readonly (readonly Step[])[]): Promise<void> {
  await executor.execute(groups);
  await driver.follow();
}

/** What the Executor and its treasury have of every token. */
async function holdings(): Promise<Record<Address, bigint>> {
  const entries = [alpha, bridge, numeraire, delta].map(async (token) => [token, await executor.holding(token)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

function filled(fill: Fill | NoFill): Fill {
  if (!fill.ok) throw new Error(fill.reason);
  return fill;
}

/** Executes, and compares each token's change with the sum of what the fills promise. */
async function expectExactly(groups: readonly (readonly Step[])[], fills: readonly Fill[]): Promise<void> {
  const before = await holdings();
  await execute(groups);
  const after = await holdings();
  const promised: Record<Address, bigint> = { [alpha]: 0n, [bridge]: 0n, [numeraire]: 0n, [delta]: 0n };
  for (const { tokenIn, tokenOut, amountInRaw, amountOutRaw } of fills) {
    promised[tokenIn] = promised[tokenIn]! - amountInRaw;
    promised[tokenOut] = promised[tokenOut]! + amountOutRaw;
  }
  for (const token of Object.keys(promised) as Address[])
    expect({ token, change: after[token]! - before[token]! }).toEqual({ token, change: promised[token] });
}

describe('a fill moves what it promises', () => {
  test('exact input, direct', async () => {
    await executor.fund(alpha, 50n * ETHER);
    const fill = filled(router.quoteIn(alpha, bridge, 50n * ETHER, router.depth()));
    expect(fill.path).toEqual([alpha, bridge]);
    await expectExactly([router.steps(fill, 'planned')], [fill]);
  });

  test('the whole gain, direct', async () => {
    await executor.fund(alpha, 30n * ETHER + 7n);
    const fill = filled(router.quoteIn(alpha, bridge, await world.balanceOf(alpha, executor.address), router.depth()));
    await expectExactly([router.steps(fill, 'gain')], [fill]);
    expect(await world.balanceOf(alpha, executor.address)).toBe(0n);
  });

  test('exact output, direct', async () => {
    await executor.fund(alpha, 100n * ETHER);
    const fill = filled(router.quoteOut(alpha, bridge, 11n * ETHER, router.depth()));
    expect(fill.pools).toHaveLength(1);
    expect(fill.amountOutRaw).toBe(11n * ETHER);
    await expectExactly([router.steps(fill, 'planned')], [fill]);
  });

  test('exact input over a bridge token, which is used up', async () => {
    await executor.fund(alpha, 5n * ETHER);
    const fill = filled(router.quoteIn(alpha, numeraire, 5n * ETHER, router.depth()));
    expect(fill.pools).toHaveLength(2);
    await expectExactly([router.steps(fill, 'planned')], [fill]);
    expect(await world.balanceOf(bridge, executor.address)).toBe(0n);
  });

  test('exact output over a bridge token', async () => {
    await executor.fund(alpha, 50n * ETHER);
    const fill = filled(router.quoteOut(alpha, numeraire, 2n * ETHER, router.depth()));
    expect(fill.pools).toHaveLength(2);
    await expectExactly([router.steps(fill, 'planned')], [fill]);
  });

  test('over the numeraire, without selling the profit of an earlier group', async () => {
    await executor.fund(alpha, 20n * ETHER);
    const first = filled(router.quoteIn(alpha, numeraire, 8n * ETHER, router.depth(), []));
    const second = filled(router.quoteIn(alpha, delta, 4n * ETHER, router.depth().after(first)));
    expect(second.path).toContain(numeraire);
    expect(first.tokenOut).toBe(numeraire);
    await expectExactly([router.steps(first, 'planned'), router.steps(second, 'planned')], [first, second]);
  });

  test('random fills, several in a transaction, each quoted at the depth that those before it leave', { timeout: 120_000 }, async () => {
    const order = fc.record({
      pair: fc.constantFrom([alpha, bridge], [bridge, alpha], [alpha, numeraire], [bridge, numeraire], [alpha, delta], [bridge, delta]),
      exactIn: fc.boolean(),
      amount: fc.bigInt({ min: 1_000n, max: 400n * ETHER }),
    });
    const rounds = fc.sample(fc.array(order, { minLength: 2, maxLength: 4 }), { seed: 5, numRuns: 15 });
    let bridged = 0;
    let split = 0;
    for (const round of rounds) {
      const fills: Fill[] = [];
      let depth = router.depth();
      for (const { pair, exactIn, amount } of round) {
        const [tokenIn, tokenOut] = pair as [Address, Address];
        const fill = exactIn ? router.quoteIn(tokenIn, tokenOut, amount, depth) : router.quoteOut(tokenIn, tokenOut, amount, depth);
        // A hop that sells the gain of the bridge token would take what another fill has bought of it.
        if (!fill.ok || (exactIn && fill.path.slice(1, -1).includes(bridge))) continue;
        depth = depth.after(fill);
        fills.push(fill);
        if (fill.path.length > 2) bridged++;
        if (fill.pools.length > fill.path.length - 1) split++;
      }
      for (const token of [alpha, bridge]) await executor.fund(token, 5_000n * ETHER);
      await expectExactly(
        fills.map((fill) => router.steps(fill, 'planned')),
        fills,
      );
    }
    expect(bridged).toBeGreaterThan(5);
    expect(split).toBeGreaterThan(5);
  });

  test('the whole gain, split over pools and paths, with a better price than was planned', async () => {
    await executor.fund(alpha, 2_000n * ETHER);
    const fill = filled(router.quoteIn(alpha, numeraire, 2_000n * ETHER, router.depth()));
    expect(new Set(fill.pools).size).toBe(fill.pools.length);
    expect(fill.pools.length).toBeGreaterThan(fill.path.length);
    world.act('swap', [fill.pools[0]!, false, 20n * ETHER]);
    const before = await holdings();
    await execute([router.steps(fill, 'gain')]);
    const after = await holdings();
    expect(after[alpha]).toBe(0n);
    expect(after[bridge]).toBe(before[bridge]);
    expect(after[numeraire]! - before[numeraire]!).toBeGreaterThan(fill.amountOutRaw);
  });

  test('a swap before it moved the first pool: the second hop follows with what there is', async () => {
    await executor.fund(alpha, 6n * ETHER);
    const fill = filled(router.quoteIn(alpha, numeraire, 6n * ETHER, router.depth()));
    expect(fill.pools).toHaveLength(2);
    world.act('swap', [fill.pools[0]!, true, 3n * ETHER]);
    const before = await holdings();
    await execute([router.steps(fill, 'gain')]);
    const after = await holdings();
    expect(after[numeraire]! - before[numeraire]!).toBeLessThan(fill.amountOutRaw);
    expect(after[numeraire]! - before[numeraire]!).toBeGreaterThan((fill.amountOutRaw * 98n) / 100n);
    expect(after[bridge]).toBe(before[bridge]);
  });
});

describe('a loan', () => {
  test('is repaid with its fee out of a swap that keeps away from the lender', async () => {
    const flash = new UniswapV3Flash(pools);
    const amountRaw = 500n * ETHER;
    const loan = flash.feeRaw(bridge, amountRaw, [])!;
    expect(loan.feeRaw).toBe(amountRaw / 2_000n);
    await executor.fund(alpha, 10n * ETHER);
    const purchase = filled(router.quoteOut(alpha, bridge, loan.feeRaw, router.depth(), [loan.lender]));
    expect(purchase.pools).not.toContain(loan.lender);
    const before = await world.balanceOf(bridge, loan.lender);
    const held = await world.balanceOf(bridge, executor.address);
    await execute([flash.steps({ token: bridge, amountRaw, ...loan }, router.steps(purchase, 'planned'), executor.address)]);
    expect((await world.balanceOf(bridge, loan.lender)) - before).toBe(loan.feeRaw);
    expect(await world.balanceOf(bridge, executor.address)).toBe(held);
  });

  test('of all that a pool has is given, of one unit more is not', async () => {
    const flash = new UniswapV3Flash(pools);
    const others = [...pools.book()!.pools.values()].filter(({ identity }) => identity.token0 === alpha || identity.token1 === alpha);
    const avoid = others.slice(1).map(({ identity }) => identity.address);
    const { identity, balances } = others[0]!;
    const all = identity.token0 === alpha ? balances.balance0Raw : balances.balance1Raw;
    const loan = flash.feeRaw(alpha, all, avoid)!;
    expect(loan.lender).toBe(identity.address);
    expect(flash.feeRaw(alpha, all + 1n, avoid)).toBeUndefined();
    await executor.fund(alpha, loan.feeRaw);
    const before = await world.balanceOf(alpha, executor.address);
    await execute([flash.steps({ token: alpha, amountRaw: all, ...loan }, [], executor.address)]);
    expect(before - (await world.balanceOf(alpha, executor.address))).toBe(loan.feeRaw);
  });
});

describe('gas', () => {
  /** What steps add to a sequence without any. */
  async function gasOf(steps: readonly Step[]): Promise<bigint> {
    const used = async (group: readonly Step[]) => {
      await execute([group]);
      const receipts = await rpc<{ gasUsed: Hex }[]>(world.rpcUrl, 'eth_getBlockReceipts', ['latest']);
      return BigInt(receipts.at(-1)!.gasUsed);
    };
    const nothing = await used([]);
    return (await used(steps)) - nothing;
  }

  test('of a fill is what was stated, or up to two fifths less', async () => {
    const cases: [Address, Address, bigint][] = [
      [alpha, bridge, 5n * ETHER],
      [bridge, numeraire, 20n * ETHER],
      [alpha, numeraire, 9n * ETHER],
    ];
    for (const [tokenIn, tokenOut, amount] of cases) {
      await executor.fund(tokenIn, amount);
      const fill = filled(router.quoteIn(tokenIn, tokenOut, amount, router.depth()));
      const gas = await gasOf(router.steps(fill, 'planned'));
      expect(gas).toBeLessThanOrEqual(fill.gasUnits);
      expect(gas).toBeGreaterThan((fill.gasUnits * 3n) / 5n);
    }
  });

  test('of a loan is what was stated, or a little less', async () => {
    const flash = new UniswapV3Flash(pools);
    await executor.fund(bridge, ETHER);
    const loan = flash.feeRaw(bridge, 100n * ETHER, [])!;
    const gas = await gasOf(flash.steps({ token: bridge, amountRaw: 100n * ETHER, ...loan }, [], executor.address));
    expect(gas).toBeLessThanOrEqual(loan.gasUnits);
    expect(gas).toBeGreaterThan((loan.gasUnits * 9n) / 10n);
  });
});

describe('no fill', () => {
  test('before the first anchor', () => {
    const fresh = new PoolRouter({
      name: 'uniswap',
      families: [new UniswapV3Pools({ factory: world.factory, fromBlock: 0 })],
      bridgeTokens: [],
      numeraire,
      executor: executor.address,
    });
    expect(fresh.quoteIn(alpha, bridge, 1n, fresh.depth())).toEqual({ ok: false, reason: 'not-synced' });
  });

  test('between tokens without a path', () => {
    expect(router.quoteIn(lonely, delta, ETHER, router.depth())).toEqual({ ok: false, reason: 'no-route' });
    expect(router.quoteOut(lonely, delta, ETHER, router.depth())).toEqual({ ok: false, reason: 'no-route' });
  });

  test('of more than the pools hold', () => {
    expect(router.quoteOut(alpha, bridge, 10n ** 30n, router.depth())).toEqual({ ok: false, reason: 'too-thin' });
    expect(router.quoteIn(alpha, bridge, 10n ** 30n, router.depth())).toEqual({ ok: false, reason: 'too-thin' });
  });

  test('where every pool is to be avoided', () => {
    const avoid = [...pools.book()!.pools.keys()];
    expect(router.quoteIn(alpha, bridge, ETHER, router.depth(), avoid)).toEqual({ ok: false, reason: 'no-route' });
  });
});

describe('a depth', () => {
  test('refuses a fill that was quoted at another', () => {
    const fill = filled(router.quoteIn(alpha, bridge, ETHER, router.depth()));
    const moved = router.depth().after(fill);
    expect(() => moved.after(fill)).toThrow('another depth');
  });

  test('stays as it was when the mirror moves on', async () => {
    const depth = router.depth();
    const before = filled(router.quoteIn(alpha, bridge, ETHER, depth));
    world.act('swap', [before.pools[0]!, true, 100n * ETHER]);
    await world.chain.mine();
    await driver.follow();
    expect(router.quoteIn(alpha, bridge, ETHER, depth)).toEqual(before);
    expect(router.quoteIn(alpha, bridge, ETHER, router.depth())).not.toEqual(before);
  });
});

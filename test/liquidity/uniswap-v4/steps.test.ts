/** Fills of v4 pools performed by the real Executor on the real PoolManager: what is promised is what moves. */
import { encodeFunctionData, parseAbi } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { Step } from '../../../src/lib/steps.ts';
import type { Address, Hex } from '../../../src/lib/types.ts';
import { sqrtPriceAtTick } from '../../../src/liquidity/concentrated/tick-math.ts';
import { PoolRouter } from '../../../src/liquidity/router.ts';
import type { Fill, NoFill } from '../../../src/liquidity/types.ts';
import { managerAbi } from '../../../src/liquidity/uniswap-v4/abi.ts';
import { NONE, type PoolKey } from '../../../src/liquidity/uniswap-v4/key.ts';
import { UniswapV4Pools } from '../../../src/liquidity/uniswap-v4/pools.ts';
import type { Undo } from '../../../src/mirror/types.ts';
import { ExecutorOn } from '../../support/executor.ts';
import { MirrorDriver } from '../../support/mirror-driver.ts';
import { UniswapWorld } from '../../support/uniswap.ts';
import { UniswapV4World } from '../../support/uniswap-v4.ts';

const ETHER = 10n ** 18n;
const transferFrom = parseAbi(['function transferFrom(address from, address to, uint256 amount) returns (bool)']);

let world: UniswapWorld;
let v4: UniswapV4World;
let executor: ExecutorOn;
/** Plain tokens, and the wrapped native one. `alpha` and `beta` have a pool, each has one with the native token, `gamma` has one with the wrapped one. */
let alpha: Address;
let beta: Address;
let gamma: Address;
let weth: Address;
let nativeAlpha: PoolKey;
let router: PoolRouter;
let driver: MirrorDriver;
let restore: () => Promise<void>;
let undos: Undo[];

beforeAll(async () => {
  world = await UniswapWorld.start();
  v4 = await UniswapV4World.on(world);
  [alpha, beta, gamma] = (await v4.tokens(3)) as [Address, Address, Address];
  weth = v4.weth;
  executor = new ExecutorOn(world, weth);
  for (const token of [alpha, beta, gamma, weth]) v4.approve(token, executor.address);
  deepPool(alpha, beta, 700);
  nativeAlpha = deepPool(NONE, alpha, -1_300);
  deepPool(NONE, beta, -600);
  deepPool(...(gamma < weth ? ([gamma, weth] as const) : ([weth, gamma] as const)), 0);
  v4.setProtocolFee(nativeAlpha, 300 | (900 << 12));
  await world.chain.mine();
  const pools = new UniswapV4Pools({ poolManager: v4.manager, fromBlock: 0 }, weth);
  router = new PoolRouter({ name: 'uniswap', families: [pools], bridgeTokens: [weth], numeraire: weth, executor: executor.address });
  router.want([alpha, beta, gamma]);
  driver = new MirrorDriver(world.rpcUrl, router);
  await driver.anchor();
}, 120_000);

afterAll(() => world?.stop());

beforeEach(async () => {
  restore = await world.snapshot();
  undos = [];
});

afterEach(async () => {
  driver.takeBack(undos);
  await restore();
  await v4.enrich();
});

function deepPool(currency0: Address, currency1: Address, tick: number): PoolKey {
  const key = { currency0, currency1, feePips: 3_000, spacing: 600 };
  v4.initialize(key, sqrtPriceAtTick(tick) + 12_345n);
  for (const [width, liquidity] of [
    [600, 4_000n],
    [12_000, 3_000n],
  ] as const) {
    const base = Math.floor(tick / 600) * 600;
    v4.modify(key, base - width, base + width, liquidity * ETHER);
  }
  return key;
}

/** The Executor comes by a token within the sequence, as by a seizure. */
function seize(token: Address, amount: bigint): Step {
  const args = [world.chain.deployer.address, executor.address, amount] as const;
  return { kind: 'call', target: token, valueWei: 0n, data: encodeFunctionData({ abi: transferFrom, functionName: 'transferFrom', args }) };
}

async function holdings(): Promise<Record<Address, bigint>> {
  const entries = [alpha, beta, gamma, weth].map(async (token) => [token, await executor.holding(token)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

function filled(fill: Fill | NoFill): Fill {
  if (!fill.ok) throw new Error(fill.reason);
  return fill;
}

async function expectExactly(steps: readonly Step[], fill: Fill): Promise<void> {
  const before = await holdings();
  await executor.execute([steps]);
  undos.push(...(await driver.follow()));
  const after = await holdings();
  const promised = { [fill.tokenIn]: -fill.amountInRaw, [fill.tokenOut]: fill.amountOutRaw };
  for (const token of [alpha, beta, gamma, weth])
    expect({ token, change: after[token]! - before[token]! }).toEqual({ token, change: promised[token] ?? 0n });
  expect(await driver.mismatches(50, 1)).toEqual([]);
  expect(await rpc<Hex>(world.rpcUrl, 'eth_getBalance', [executor.address, 'latest'])).toBe('0x0');
}

/** Tokens in and out, and whether the pool wants the native token for one of them. */
const WAYS: readonly [string, () => readonly [Address, Address]][] = [
  ['between tokens', () => [alpha, beta]],
  ['between tokens, the other way', () => [beta, alpha]],
  ['for the native token, which is wrapped', () => [alpha, weth]],
  ['with the native token, unwrapped for it', () => [weth, beta]],
  ['for the wrapped native token', () => [gamma, weth]],
  ['over the native token', () => [alpha, gamma]],
];

test.each(WAYS)('exact input %s', async (_, tokens) => {
  const [tokenIn, tokenOut] = tokens();
  const fill = filled(router.quoteIn(tokenIn, tokenOut, 7n * ETHER + 1n, router.depth()));
  await expectExactly([seize(tokenIn, fill.amountInRaw), ...router.steps(fill, 'planned')], fill);
});

test.each(WAYS)('exact output %s', async (_, tokens) => {
  const [tokenIn, tokenOut] = tokens();
  const fill = filled(router.quoteOut(tokenIn, tokenOut, 5n * ETHER + 3n, router.depth()));
  expect(fill.amountOutRaw).toBe(5n * ETHER + 3n);
  await expectExactly([seize(tokenIn, fill.amountInRaw), ...router.steps(fill, 'planned')], fill);
});

// NOTE: over a bridge token that is the numeraire the second hop keeps to its plan.
test.each(WAYS.slice(0, 5))('the whole gain %s, other than planned', async (_, tokens) => {
  const [tokenIn, tokenOut] = tokens();
  const planned = filled(router.quoteIn(tokenIn, tokenOut, 9n * ETHER, router.depth()));
  const real = filled(router.quoteIn(tokenIn, tokenOut, 11n * ETHER + 5n, router.depth()));
  await expectExactly([seize(tokenIn, real.amountInRaw), ...router.steps(planned, 'gain')], real);
});

test('what a swap comes to in pools that have moved is paid and taken all the same', async () => {
  const planned = filled(router.quoteIn(alpha, weth, 9n * ETHER, router.depth()));
  v4.swap(nativeAlpha, { zeroForOne: false, exactIn: true, amount: 40n * ETHER });
  await world.chain.mine();
  undos.push(...(await driver.follow()));
  const real = filled(router.quoteIn(alpha, weth, 9n * ETHER, router.depth()));
  expect(real.amountOutRaw).not.toBe(planned.amountOutRaw);
  await expectExactly([seize(alpha, 9n * ETHER), ...router.steps(planned, 'planned')], real);
});

test('a balance that somebody else synced is no hindrance', async () => {
  const fill = filled(router.quoteIn(weth, alpha, ETHER, router.depth()));
  const data = encodeFunctionData({ abi: managerAbi, functionName: 'sync', args: [gamma] });
  const sync: Step = { kind: 'call', target: v4.manager, valueWei: 0n, data };
  await expectExactly([seize(weth, ETHER), sync, ...router.steps(fill, 'planned')], fill);
});

test('the gas that is stated is about what is used, rather more than less', async () => {
  const used = async (steps: readonly Step[]): Promise<number> => {
    await executor.execute([steps]);
    const [receipt] = await rpc<{ gasUsed: Hex }[]>(world.rpcUrl, 'eth_getBlockReceipts', ['latest']);
    return Number(receipt!.gasUsed);
  };
  const own = await used([seize(alpha, 1n)]);
  for (const [, tokens] of WAYS.slice(0, 4)) {
    const [tokenIn, tokenOut] = tokens();
    const fill = filled(router.quoteIn(tokenIn, tokenOut, ETHER / 1_000n, router.depth()));
    const gas = (await used([seize(tokenIn, ETHER / 1_000n), ...router.steps(fill, 'planned')])) - own;
    expect(gas).toBeLessThan(Number(fill.gasUnits));
    expect(gas).toBeGreaterThan((Number(fill.gasUnits) * 2) / 3);
  }
});

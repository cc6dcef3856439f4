/** The Executor against Uniswap's own v3 pool: mint, swap and flash, each paid for in its callback. */
import { createRequire } from 'node:module';
import { type Abi, toFunctionSelector } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { encodeSteps } from '../../src/lib/encode-steps.ts';
import type { Step } from '../../src/lib/steps.ts';
import type { Address, Hex } from '../../src/lib/types.ts';
import { type Contract, call, calldata, owner, World } from './world.ts';

type Artifact = { readonly abi: Abi; readonly bytecode: Hex };
const require = createRequire(import.meta.url);
const artifact = (name: string): Artifact => require(`@uniswap/v3-core/artifacts/contracts/${name}.sol/${name}.json`);

const ETHER = 10n ** 18n;
const FEE = 3_000;
const Q96 = 2n ** 96n;
const MIN_SQRT_RATIO = 4_295_128_739n;
const MAX_SQRT_RATIO = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342n;
const FULL_RANGE = 887_220;

const mintSelector = toFunctionSelector('uniswapV3MintCallback(uint256,uint256,bytes)');
const swapSelector = toFunctionSelector('uniswapV3SwapCallback(int256,int256,bytes)');
const flashSelector = toFunctionSelector('uniswapV3FlashCallback(uint256,uint256,bytes)');

let world: World;
let token: Contract;
let pool: Contract;
/** The pool's tokens in its order. */
let pair: readonly [Contract, Contract];
let restore: () => Promise<void>;

beforeAll(async () => {
  world = await World.start();
  token = await world.deploy('TokenDouble');
  const factory = await world.create(artifact('UniswapV3Factory').abi, artifact('UniswapV3Factory').bytecode);
  await world.send(owner, factory, 'createPool', [token.address, world.weth.address, FEE]);
  const address = await world.read<Address>(factory, 'getPool', [token.address, world.weth.address, FEE]);
  pool = { address: address.toLowerCase() as Address, abi: artifact('UniswapV3Pool').abi };
  pair = token.address < world.weth.address ? [token, world.weth] : [world.weth, token];
  await world.send(owner, pool, 'initialize', [Q96]);
  await world.send(owner, world.weth, 'deposit', [], 2_000n * ETHER);
  await world.send(owner, world.weth, 'transfer', [world.executor.address, 1_000n * ETHER]);
  await world.send(owner, token, 'mint', [world.executor.address, 1_000n * ETHER]);
  await world.send(owner, world.executor, 'allowLoss', [world.weth.address, 1_000n * ETHER]);
  await world.execute(
    world.sequence([mint()], {
      minProfitRaw: -1_000n * ETHER,
      groups: [{ optional: false, minProfitRaw: -1_000n * ETHER, steps: [mint()] }],
    }),
  );
  await world.send(owner, world.executor, 'allowLoss', [world.weth.address, 0n]);
  await world.send(owner, world.executor, 'withdraw', [token.address, owner, await world.balance(token)]);
}, 120_000);
afterAll(() => world?.stop());
beforeEach(async () => {
  restore = await world.snapshot();
});
afterEach(() => restore());

function enter(data: Hex, selector: Hex, payload: Hex): Extract<Step, { kind: 'enter' }> {
  return {
    kind: 'enter',
    target: pool.address,
    valueWei: 0n,
    data,
    callback: { caller: pool.address, selector, argument: 2, payload, answer: '0x' },
  };
}

/** Provides liquidity over the full range for the owner: both tokens are owed. */
function mint(): Step {
  const payload = encodeSteps([0, 1].map((argument): Step => ({ kind: 'pay', token: pair[argument]!.address, argument })));
  return enter(calldata(pool, 'mint', [owner, -FULL_RANGE, FULL_RANGE, 900n * ETHER, payload]), mintSelector, payload);
}

/** Sells `amountIn` of a token, or all that was gained of it. */
function sell(tokenIn: Contract, amountIn: bigint | 'gain'): Step {
  const zeroForOne = tokenIn === pair[0];
  const payload = encodeSteps([{ kind: 'pay', token: tokenIn.address, argument: zeroForOne ? 0 : 1 }]);
  const limit = zeroForOne ? MIN_SQRT_RATIO + 1n : MAX_SQRT_RATIO - 1n;
  const amount = amountIn === 'gain' ? 1n : amountIn;
  const step = enter(calldata(pool, 'swap', [world.executor.address, zeroForOne, amount, limit, payload]), swapSelector, payload);
  return amountIn === 'gain' ? { ...step, patch: { token: tokenIn.address, offset: 4 + 2 * 32 } } : step;
}

/** Borrows WETH, runs `inside`, repays it with the fee that the pool asks for. */
function flash(amount: bigint, inside: readonly Step[]): Step {
  const argument = pair.indexOf(world.weth);
  const payload = encodeSteps([
    ...inside,
    call(world.weth, 'transfer', [pool.address, amount]),
    { kind: 'pay', token: world.weth.address, argument },
  ]);
  const amounts = argument === 0 ? [amount, 0n] : [0n, amount];
  return enter(calldata(pool, 'flash', [world.executor.address, ...amounts, payload]), flashSelector, payload);
}

it('provides liquidity, paying two tokens in one callback', async () => {
  expect(await world.read(pool, 'liquidity')).toBe(900n * ETHER);
});

it('sells all that it gained, and sends the proceeds to the treasury', async () => {
  const before = await world.balance(world.weth, owner);
  const steps = [call(token, 'mint', [world.executor.address, ETHER]), sell(token, 'gain')];
  const settled = await world.execute(world.sequence(steps, { minProfitRaw: (ETHER * 99n) / 100n }));
  expect(settled.profitRaw).toBeLessThan(ETHER);
  expect((await world.balance(world.weth, owner)) - before).toBe(settled.profitRaw);
  expect(await world.balance(token)).toBe(0n);
});

it('buys first and pays in the callback out of what the swap brought', async () => {
  const before = await world.balance(world.weth);
  expect(await world.refusalOf(world.sequence([sell(world.weth, ETHER), sell(token, 'gain')]))).toContain('GroupBelowMinimum(-');
  expect(await world.balance(world.weth)).toBe(before);
});

it('borrows, uses, repays with the fee', async () => {
  const gift = [call(token, 'mint', [world.executor.address, ETHER])];
  const settled = await world.execute(
    world.sequence([flash(10n * ETHER, gift), sell(token, 'gain')], { minProfitRaw: (ETHER * 9n) / 10n }),
  );
  const fee = (10n * ETHER * BigInt(FEE)) / 1_000_000n;
  expect(settled.profitRaw).toBeLessThan(ETHER - fee);
});

it('loses nothing but gas when the loan brings nothing', async () => {
  const before = await world.balance(world.weth);
  expect(await world.refusalOf(world.sequence([flash(10n * ETHER, [])]))).toBe('GroupBelowMinimum(-30000000000000000, 0)');
  expect(await world.balance(world.weth)).toBe(before);
});

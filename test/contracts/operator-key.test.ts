/** What whoever holds an operator's key can and cannot take: docs/security.md says the same in words. */

import { concatHex, numberToHex, toFunctionSelector } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { encodeSteps } from '../../src/lib/encode-steps.ts';
import type { Step } from '../../src/lib/steps.ts';
import { enterPool, swapCallback } from './enter.ts';
import { type Contract, call, calldata, owner, stranger as thief, World } from './world.ts';

let world: World;
let margin: Contract;
let stray: Contract;
let pool: Contract;
let restore: () => Promise<void>;

beforeAll(async () => {
  world = await World.start();
  margin = await world.deploy('TokenDouble');
  stray = await world.deploy('TokenDouble');
  pool = await world.deploy('CallbackDouble');
  await world.send(owner, world.executor, 'register', [margin.address, []]);
  for (const token of [margin, stray]) await world.send(owner, token, 'mint', [world.executor.address, 100n]);
  await world.send(owner, world.weth, 'deposit', [], 100n);
  await world.send(owner, world.weth, 'transfer', [world.executor.address, 100n]);
}, 120_000);
afterAll(() => world?.stop());
beforeEach(async () => {
  restore = await world.snapshot();
});
afterEach(() => restore());

const free = { minProfitRaw: -1_000n };
const attempt = (steps: readonly Step[]) => world.sequence([], { ...free, groups: [{ optional: false, minProfitRaw: -1_000n, steps }] });

describe('a thief with the key of an operator takes no registered asset', () => {
  it('by sending it away', async () => {
    expect(await world.refusalOf(attempt([call(margin, 'transfer', [thief, 1n])]))).toContain('AssetFell(');
    expect(await world.refusalOf(attempt([call(world.weth, 'transfer', [thief, 1n])]))).toBe('LossNotAllowed(1, 0)');
  });

  it('by an approval that is used in the same sequence', async () => {
    const spender = await world.deploy('SpenderDouble');
    const approve: Step = { kind: 'approve', token: margin.address, spender: spender.address, amountRaw: 100n };
    const pull = call(spender, 'pull', [margin.address, world.executor.address, 100n]);
    expect(await world.refusalOf(attempt([approve, pull]))).toContain('AssetFell(');
  });

  it('by an approval that is left behind', async () => {
    await world.execute(attempt([{ kind: 'approve', token: margin.address, spender: thief, amountRaw: 100n }]));
    expect(await world.read(margin, 'allowance', [world.executor.address, thief])).toBe(0n);
  });

  it('by paying a pool of its own', async () => {
    const payload = encodeSteps([{ kind: 'pay', token: margin.address, argument: 0 }]);
    const step = enterPool(pool, payload, 'callBack', [swapCallback(payload, 100n)]);
    expect(await world.refusalOf(attempt([step]))).toContain('AssetFell(');
  });

  it('by sweeping it: the treasury is the owner’s, and only a gain goes there', async () => {
    await world.execute(world.sequence([], { sweep: [margin.address] }));
    expect(await world.balance(margin)).toBe(100n);
  });

  it('by naming it the numeraire and promising nothing', async () => {
    const inMargin = { ...attempt([call(margin, 'transfer', [thief, 1n])]), numeraire: margin.address };
    expect(await world.refusalOf(inMargin)).toBe('LossNotAllowed(1, 0)');
  });

  it('by a bid', async () => {
    await rpc(world.anvil.rpcUrl, 'anvil_setCoinbase', [thief]);
    const settled = await world.execute(world.sequence([], { bidBps: 10_000 }));
    expect(settled.bidRaw).toBe(0n);
    expect(await world.balance(world.weth)).toBe(100n);
  });

  it('by wrapped native that is unwrapped and sent', async () => {
    const send: Step = { kind: 'call', target: thief, valueWei: 1n, data: '0x' };
    expect(await world.refusalOf(attempt([call(world.weth, 'withdraw', [1n]), send]))).toBe('LossNotAllowed(1, 0)');
  });
});

describe('a thief with the key of an operator gains no power', () => {
  it.each<[string, readonly unknown[]]>([
    ['setOperator', [thief, true]],
    ['withdraw', ['0x0000000000000000000000000000000000000000', thief, 0n]],
    ['transferOwnership', [thief]],
    ['runGroup', [{ token: thief, metered: false }, 0n, 0n, '0x']],
  ])('by a step on the Executor itself: %s', async (name, args) => {
    const step: Step = { kind: 'call', target: world.executor.address, valueWei: 0n, data: calldata(world.executor, name, args) };
    expect(await world.refusalOf(attempt([step]))).toBe('ForbiddenTarget(0)');
    const approve: Step = { kind: 'approve', token: world.executor.address, spender: thief, amountRaw: 1n };
    expect(await world.refusalOf(attempt([approve]))).toBe('ForbiddenTarget(0)');
  });

  it.each([
    'approve(address,uint256)',
    'increaseAllowance(address,uint256)',
    'increaseApproval(address,uint256)',
    'approveAndCall(address,uint256)',
    'approveAndCall(address,uint256,bytes)',
    'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)',
    'permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)',
    'permit(address,address,uint256,uint256,bytes)',
    'setApprovalForAll(address,bool)',
    'authorizeOperator(address)',
    'approve(address,uint256,uint256)',
    'setOperator(address,bool)',
    'approve(address,address,uint160,uint48)',
    'permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)',
    'permit(address,((address,uint160,uint48,uint48)[],address,uint256),bytes)',
    'approveDelegation(address,uint256)',
    'approvePositionManager(address,bool)',
    'setAuthorization(address,bool)',
    'allow(address,bool)',
    'updateDelegate(address,bool)',
    'approve(address,uint8)',
    'grantPermission(uint128,bytes32,address)',
    'setAccountOperator(address,address,bool)',
    'setRelayerApproval(address,address,bool)',
    'hope(address)',
  ])('by a lasting right: %s', async (signature) => {
    const selector = toFunctionSelector(signature);
    const step: Step = { kind: 'call', target: margin.address, valueWei: 0n, data: `${selector}${'00'.repeat(64)}` };
    expect(await world.refusalOf(attempt([step]))).toBe(`ForbiddenSelector(0, ${selector})`);
    expect(await world.refusalOf(attempt([{ ...enterPool(pool, '0x'), data: step.data } as Step]))).toBe(
      `ForbiddenSelector(0, ${selector})`,
    );
  });

  it('by a patch over the selector', async () => {
    const patched = (offset: number) =>
      concatHex(['0x08', margin.address, margin.address, numberToHex(offset, { size: 3 }), '0x000024', `0xdddddddd${'00'.repeat(32)}`]);
    for (const offset of [1, 3, 5]) expect(await world.refusal(world.packed(patched(offset)))).toBe('PatchOutOfBounds(0)');
  });
});

describe('a thief with the key of an operator does take', () => {
  it('tokens that were left there unregistered', async () => {
    await world.execute(attempt([call(stray, 'transfer', [thief, 100n])]));
    expect(await world.balance(stray, thief)).toBe(100n);
  });

  it('what others allowed the Executor to spend', async () => {
    await world.send(owner, stray, 'mint', [owner, 50n]);
    await world.send(owner, stray, 'approve', [world.executor.address, 50n]);
    await world.execute(attempt([call(stray, 'transferFrom', [owner, thief, 50n])]));
    expect(await world.balance(stray, thief)).toBe(50n);
  });

  it('what the owner allowed to lose, and no more', async () => {
    await world.send(owner, world.executor, 'allowLoss', [world.weth.address, 30n]);
    const lose = (amount: bigint) => attempt([call(world.weth, 'transfer', [thief, amount])]);
    await world.execute(lose(20n));
    expect(await world.refusalOf(lose(11n))).toBe('LossNotAllowed(11, 10)');
    await world.execute(lose(10n));
    expect(await world.balance(world.weth, thief)).toBe(30n);
    expect(await world.refusalOf(lose(1n))).toBe('LossNotAllowed(1, 0)');
  });

  it('the profit of its own sequences, as a bid to a builder of its own', async () => {
    const pot = await world.deploy('PotDouble');
    await world.send(owner, world.weth, 'deposit', [], 10n);
    await world.send(owner, world.weth, 'transfer', [pot.address, 10n]);
    const settled = await world.execute(
      world.sequence([call(pot, 'give', [world.weth.address, world.executor.address, 10n])], { bidBps: 10_000 }),
    );
    expect(settled).toMatchObject({ bidRaw: 10n, profitRaw: 0n });
    expect(await world.balance(world.weth)).toBe(100n);
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { executorAbi, executorBytecode } from '../../src/generated/executor.ts';
import type { Address } from '../../src/lib/types.ts';
import { type Contract, calldata, operator, owner, stranger, World } from './world.ts';

const NATIVE: Address = '0x0000000000000000000000000000000000000000';

let world: World;
let token: Contract;
let restore: () => Promise<void>;

beforeAll(async () => {
  world = await World.start();
  token = await world.deploy('TokenDouble');
}, 120_000);
afterAll(() => world?.stop());
beforeEach(async () => {
  restore = await world.snapshot();
});
afterEach(() => restore());

const refusal = (from: Address, name: string, args: readonly unknown[] = []) =>
  world.refusal({ from, to: world.executor.address, data: calldata(world.executor, name, args) });
const lower = async (name: string) => (await world.read<string>(world.executor, name)).toLowerCase();

describe('the owner alone', () => {
  it.each<[string, readonly unknown[]]>([
    ['transferOwnership', [stranger]],
    ['setOperator', [stranger, true]],
    ['setTreasury', [stranger]],
    ['register', [stranger, []]],
    ['unregister', [stranger]],
    ['allowLoss', [stranger, 1n]],
    ['withdraw', [NATIVE, stranger, 0n]],
  ])('may %s', async (name, args) => {
    for (const from of [operator, stranger]) expect(await refusal(from, name, args)).toBe('NotOwner()');
  });
});

describe('ownership', () => {
  it('passes when it is accepted, not before, and takes the default treasury along', async () => {
    await world.send(owner, world.executor, 'transferOwnership', [stranger]);
    expect(await lower('owner')).toBe(owner);
    expect(await refusal(operator, 'acceptOwnership')).toBe('NotPendingOwner()');
    await world.send(stranger, world.executor, 'acceptOwnership');
    expect(await lower('owner')).toBe(stranger);
    expect(await lower('treasury')).toBe(stranger);
    expect(await refusal(owner, 'setTreasury', [owner])).toBe('NotOwner()');
    expect(await refusal(stranger, 'acceptOwnership')).toBe('NotPendingOwner()');
  });

  it('is given to somebody from the start', async () => {
    await expect(world.create(executorAbi, executorBytecode, [world.weth.address, NATIVE, NATIVE, []])).rejects.toThrow(
      'creation reverted',
    );
  });

  it('starts with a wrapped native token that is one', async () => {
    await expect(world.create(executorAbi, executorBytecode, [stranger, owner, NATIVE, []])).rejects.toThrow('creation reverted');
  });
});

describe('assets', () => {
  const assets = async () => (await world.read<string[]>(world.executor, 'assets')).map((asset) => asset.toLowerCase());
  const meter = (venue: Contract, divisor = 1n) => ({ target: venue.address, divisor, data: calldata(venue, 'value') });

  it('start with the wrapped native token, and come and go', async () => {
    expect(await assets()).toEqual([world.weth.address]);
    await world.send(owner, world.executor, 'register', [token.address, []]);
    await world.send(owner, world.executor, 'register', [token.address, []]);
    expect(await assets()).toEqual([world.weth.address, token.address]);
    await world.send(owner, world.executor, 'unregister', [world.weth.address]);
    expect(await assets()).toEqual([token.address]);
    expect(await refusal(owner, 'unregister', [world.weth.address])).toContain('NotRegistered(');
    await world.send(owner, world.executor, 'unregister', [token.address]);
    expect(await refusal(owner, 'unregister', [token.address])).toContain('NotRegistered(');
  });

  it('get new meters in place of the old, and lose them when they go', async () => {
    const venue = await world.deploy('MeterDouble');
    await world.send(owner, world.executor, 'register', [token.address, [meter(venue), meter(venue)]]);
    await world.send(owner, world.executor, 'register', [token.address, [meter(venue, 7n)]]);
    const [only, ...none] = await world.read<{ target: string; divisor: bigint; data: string }[]>(world.executor, 'meters', [
      token.address,
    ]);
    expect(none).toEqual([]);
    expect(only).toMatchObject({ divisor: 7n, data: calldata(venue, 'value') });
    await world.send(owner, world.executor, 'unregister', [token.address]);
    expect(await world.read(world.executor, 'meters', [token.address])).toEqual([]);
  });

  it('must be tokens, with meters that answer and divide', async () => {
    const venue = await world.deploy('MeterDouble');
    expect(await refusal(owner, 'register', [stranger, []])).toContain('MeterFailed(');
    expect(await refusal(owner, 'register', [token.address, [{ ...meter(venue), target: stranger }]])).toContain('MeterFailed(');
    expect(await refusal(owner, 'register', [token.address, [meter(venue, 0n)]])).toBe('ZeroDivisor()');
  });
});

describe('a withdrawal', () => {
  it('brings tokens and native tokens to the owner or the treasury', async () => {
    await world.send(owner, world.executor, 'setTreasury', [stranger]);
    await world.send(stranger, token, 'mint', [world.executor.address, 10n]);
    await rpc(world.anvil.rpcUrl, 'anvil_setBalance', [world.executor.address, '0x5']);
    const before = await world.nativeBalance(stranger);
    await world.send(owner, world.executor, 'withdraw', [token.address, owner, 4n]);
    await world.send(owner, world.executor, 'withdraw', [token.address, stranger, 6n]);
    await world.send(owner, world.executor, 'withdraw', [NATIVE, stranger, 5n]);
    expect(await world.balance(token, owner)).toBe(4n);
    expect(await world.balance(token, stranger)).toBe(6n);
    expect((await world.nativeBalance(stranger)) - before).toBe(5n);
  });

  it('goes to nobody else, and takes no more than there is', async () => {
    expect(await refusal(owner, 'withdraw', [NATIVE, operator, 0n])).toContain('ForbiddenRecipient(');
    expect(await refusal(owner, 'withdraw', [NATIVE, owner, 1n])).toContain('TransferFailed(');
    expect(await refusal(owner, 'withdraw', [token.address, owner, 1n])).toContain('TransferFailed(');
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeExecute, encodeSteps } from '../../src/lib/encode-steps.ts';
import type { Step } from '../../src/lib/steps.ts';
import type { Hex } from '../../src/lib/types.ts';
import { enterPool } from './enter.ts';
import { type Contract, call, calldata, owner, stranger, World } from './world.ts';

let world: World;
let restore: () => Promise<void>;

beforeAll(async () => {
  world = await World.start();
}, 120_000);
afterAll(() => world?.stop());
beforeEach(async () => {
  restore = await world.snapshot();
});
afterEach(() => restore());

const approve = (token: Contract, amountRaw: bigint, spender = stranger): Step => ({
  kind: 'approve',
  token: token.address,
  spender,
  amountRaw,
});
const allowance = (token: Contract, spender = stranger) => world.read<bigint>(token, 'allowance', [world.executor.address, spender]);
const mint = (token: Contract, amount: bigint) => call(token, 'mint', [world.executor.address, amount]);

describe('an approval', () => {
  it('lasts for its group and is back to 0 after it, used or not', async () => {
    const token = await world.deploy('TokenDouble');
    const spender = await world.deploy('SpenderDouble');
    const pull = call(spender, 'pull', [token.address, world.executor.address, 4n]);
    const grant = approve(token, 10n, spender.address);
    await world.execute(world.sequence([mint(token, 10n), grant, grant, pull, pull]));
    expect(await world.balance(token, spender.address)).toBe(8n);
    expect(await allowance(token, spender.address)).toBe(0n);
    const groups = [[mint(token, 10n), grant], [pull]].map((steps) => ({ optional: false, minProfitRaw: 0n, steps }));
    expect(await world.refusalOf(world.sequence([], { groups }))).toContain('StepFailed(0): Panic(17)');
  });

  it('given within a callback is taken back too', async () => {
    const token = await world.deploy('TokenDouble');
    const pool = await world.deploy('CallbackDouble');
    const payload = encodeSteps([approve(token, 10n)]);
    await world.execute(world.sequence([enterPool(pool, payload)]));
    expect(await allowance(token)).toBe(0n);
  });

  it('is undone with its optional group', async () => {
    const token = await world.deploy('TokenDouble');
    const pot = await world.deploy('PotDouble');
    const groups = [{ optional: true, minProfitRaw: 0n, steps: [approve(token, 10n), call(pot, 'revertWith', [0n])] }];
    const settled = await world.execute(world.sequence([], { groups }));
    expect(settled.groups[0]).toMatchObject({ outcome: 'reverted' });
    expect(await allowance(token)).toBe(0n);
  });

  it('is forgotten with its group: its token cannot sink the next one', async () => {
    const token = await world.deploy('GrudgeTokenDouble');
    const groups = [[approve(token, 10n)], [call(token, 'arm')]].map((steps) => ({ optional: true, minProfitRaw: 0n, steps }));
    const settled = await world.execute(world.sequence([], { groups }));
    expect(settled.groups.map(({ outcome }) => outcome)).toEqual(['done', 'done']);
  });

  it('works with a token that returns nothing and wants 0 first', async () => {
    const token = await world.deploy('SilentTokenDouble');
    await world.execute(world.sequence([approve(token, 5n), approve(token, 6n)]));
    expect(await allowance(token)).toBe(0n);
  });

  it('that was used up is not told 0 to a token that refuses it', async () => {
    const token = await world.deploy('NoZeroTokenDouble');
    const spender = await world.deploy('SpenderDouble');
    const grant = approve(token, 4n, spender.address);
    await world.execute(world.sequence([mint(token, 4n), grant, call(spender, 'pull', [token.address, world.executor.address, 4n])]));
    expect(await world.refusalOf(world.sequence([mint(token, 4n), grant]))).toContain('ApprovalFailed(');
  });

  it('is refused by a token that says false, and by none at all', async () => {
    const token = await world.deploy('FalseTokenDouble');
    expect(await world.refusalOf(world.sequence([approve(token, 5n)]))).toContain('ApprovalFailed(');
    expect(await world.refusalOf(world.sequence([approve({ ...token, address: stranger }, 5n)]))).toContain('ApprovalFailed(');
  });
});

describe('a token', () => {
  const sweep = (token: Contract) => world.sequence([mint(token, 10n)], { sweep: [token.address] });

  it('that returns nothing is swept', async () => {
    const token = await world.deploy('SilentTokenDouble');
    await world.execute(sweep(token));
    expect(await world.balance(token, owner)).toBe(10n);
  });

  it('that returns false is refused', async () => {
    expect(await world.refusalOf(sweep(await world.deploy('FalseTokenDouble')))).toContain('TransferFailed(');
  });

  it('that is none is refused', async () => {
    expect(await world.refusalOf(world.sequence([], { sweep: [stranger] }))).toContain('MeterFailed(');
  });

  it('that takes a fee counts for what arrives', async () => {
    const token = await world.deploy('FeeTokenDouble');
    const pot = await world.deploy('PotDouble');
    await world.send(stranger, token, 'mint', [pot.address, 100n]);
    await world.send(owner, world.executor, 'register', [token.address, []]);
    const give = call(pot, 'give', [token.address, world.executor.address, 100n]);
    const inToken = world.sequence([give], { numeraire: token.address, minProfitRaw: 90n });
    expect(await world.refusalOf({ ...inToken, minProfitRaw: 91n })).toBe('InsufficientProfit(90, 91)');
    expect((await world.execute(inToken)).profitRaw).toBe(90n);
  });

  it('that answers with a megabyte costs no more than its own gas', async () => {
    const token = await world.deploy('BombTokenDouble');
    const groups = (reverts: boolean) => [
      {
        optional: true,
        gasLimit: 5_000_000n,
        minProfitRaw: 0n,
        steps: [call(token, 'arm', [reverts]), mint(token, 10n), call(token, 'transfer', [stranger, 10n])],
      },
    ];
    const returned = await world.execute(world.sequence([], { groups: groups(false) }));
    expect(returned.groups[0]).toMatchObject({ outcome: 'done' });
    const reverted = await world.execute(world.sequence([], { groups: groups(true) }));
    expect(reverted.groups[0]).toMatchObject({ outcome: 'reverted', reason: 'StepFailed(2): unknown error 0x00000000' });
    // A megabyte of memory costs its owner about 2.2 million; copying it would cost as much again.
    expect(Number(returned.gasUsed)).toBeLessThan(2_600_000);
    expect(Number(reverted.gasUsed)).toBeLessThan(2_600_000);
  });

  it('that burns all gas sinks only its own group', async () => {
    const token = await world.deploy('GasBurnerTokenDouble');
    const good = await world.deploy('TokenDouble');
    const groups = [
      { optional: true, gasLimit: 300_000n, minProfitRaw: 0n, steps: [mint(token, 1n), call(token, 'transfer', [owner, 1n])] },
      { optional: true, gasLimit: 300_000n, minProfitRaw: 0n, steps: [mint(good, 1n)] },
    ];
    const settled = await world.execute(world.sequence([], { groups, sweep: [good.address] }));
    expect(settled.groups.map(({ outcome }) => outcome)).toEqual(['reverted', 'done']);
    expect(await world.balance(good, owner)).toBe(1n);
  });
});

describe('a token that calls back in from a transfer is refused', () => {
  let token: Contract;
  beforeEach(async () => {
    token = await world.deploy('ReentrantTokenDouble');
  });

  /** Sends the token once in a step and once in the sweep; both times it tries `data` on the Executor. */
  async function tries(data: Hex): Promise<void> {
    await world.send(stranger, token, 'arm', [world.executor.address, data]);
    const steps = [mint(token, 10n), call(token, 'transfer', [stranger, 4n])];
    await world.execute(world.sequence(steps, { sweep: [token.address] }));
    expect(await world.read(token, 'refusals')).toBe(2n);
    expect(await world.read(token, 'successes')).toBe(0n);
  }

  it('in another sequence, though it is an operator', async () => {
    await world.send(owner, world.executor, 'setOperator', [token.address, true]);
    await tries(encodeExecute(world.sequence([])));
  });

  it('in a group', () => tries(calldata(world.executor, 'runGroup', [{ token: world.weth.address, metered: false }, 0n, 0n, '0x'])));

  it('in a callback', () => tries('0xfa461e3300'));

  it('in a withdrawal', () => tries(calldata(world.executor, 'withdraw', [world.weth.address, stranger, 0n])));

  it.each<[string, readonly unknown[]]>([
    ['setTreasury', [stranger]],
    ['setOperator', [stranger, true]],
    ['register', [stranger, []]],
    ['unregister', [stranger]],
    ['allowLoss', [stranger, 1n]],
    ['transferOwnership', [stranger]],
    ['withdraw', ['0x0000000000000000000000000000000000000000', stranger, 0n]],
  ])('in %s, though it is the owner', async (name, args) => {
    await world.send(owner, world.executor, 'transferOwnership', [token.address]);
    await world.send(token.address, world.executor, 'acceptOwnership');
    await world.send(token.address, world.executor, 'setTreasury', [owner]);
    await tries(calldata(world.executor, name, args));
  });

  it('in acceptOwnership, though it was offered', async () => {
    await world.send(owner, world.executor, 'transferOwnership', [token.address]);
    await tries(calldata(world.executor, 'acceptOwnership'));
    await world.send(token.address, world.executor, 'acceptOwnership');
    expect(await world.read<string>(world.executor, 'owner')).toMatch(new RegExp(token.address, 'i'));
  });
});

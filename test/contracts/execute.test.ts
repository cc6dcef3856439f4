import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { encodeExecute } from '../../src/lib/encode-steps.ts';
import type { Step } from '../../src/lib/steps.ts';
import type { Address } from '../../src/lib/types.ts';
import { type Contract, call, calldata, operator, owner, stranger, World } from './world.ts';

const ETHER = 10n ** 18n;
const COINBASE: Address = '0x00000000000000000000000000000000c0115ba5';

let world: World;
let pot: Contract;
let token: Contract;
let other: Contract;
let restore: () => Promise<void>;

beforeAll(async () => {
  world = await World.start();
  pot = await world.deploy('PotDouble');
  token = await world.deploy('TokenDouble');
  other = await world.deploy('TokenDouble');
  await world.send(stranger, world.weth, 'deposit', [], 100n * ETHER);
  await world.send(stranger, world.weth, 'transfer', [pot.address, 100n * ETHER]);
  await world.send(owner, world.executor, 'register', [other.address, []]);
}, 120_000);
afterAll(() => world?.stop());
beforeEach(async () => {
  restore = await world.snapshot();
});
afterEach(() => restore());

const give = (amount: bigint, of: Contract = world.weth) => call(pot, 'give', [of.address, world.executor.address, amount]);
const coinbase = (address: Address) => rpc(world.anvil.rpcUrl, 'anvil_setCoinbase', [address]);

describe('who may execute', () => {
  it('lets an operator and the owner', async () => {
    expect((await world.execute(world.sequence([]))).grossRaw).toBe(0n);
    expect((await world.execute(world.sequence([]), owner)).grossRaw).toBe(0n);
  });

  it('refuses a stranger, and an operator that was removed', async () => {
    expect(await world.refusalOf(world.sequence([]), stranger)).toBe('NotOperator()');
    await world.send(owner, world.executor, 'setOperator', [operator, false]);
    expect(await world.refusalOf(world.sequence([]))).toBe('NotOperator()');
  });

  it('refuses the frame of an optional group to everybody', async () => {
    const data = calldata(world.executor, 'runGroup', [{ token: world.weth.address, metered: false }, 0n, 0n, '0x']);
    expect(await world.refusal({ from: owner, to: world.executor.address, data })).toBe('NotSelf()');
  });

  it('refuses a sequence after its last block', async () => {
    const head = Number(await rpc<string>(world.anvil.rpcUrl, 'eth_blockNumber'));
    await world.execute(world.sequence([], { lastBlock: head + 1 }));
    expect(await world.refusalOf(world.sequence([], { lastBlock: head + 1 }))).toBe(`Expired(${head + 1})`);
  });
});

describe('profit', () => {
  it('goes to the owner while there is no treasury', async () => {
    const settled = await world.execute(world.sequence([give(3n)], { minProfitRaw: 3n }));
    expect(settled).toMatchObject({ numeraire: world.weth.address, grossRaw: 3n, bidRaw: 0n, profitRaw: 3n });
    expect(settled.groups).toEqual([{ outcome: 'done', index: 0, profitRaw: 3n }]);
    expect(await world.balance(world.weth, owner)).toBe(3n);
  });

  it('goes to the treasury', async () => {
    await world.send(owner, world.executor, 'setTreasury', [stranger]);
    await world.execute(world.sequence([give(3n)]));
    expect(await world.balance(world.weth, stranger)).toBe(3n);
    expect(await world.balance(world.weth)).toBe(0n);
  });

  it('leaves what was there before', async () => {
    await world.send(stranger, pot, 'give', [world.weth.address, world.executor.address, 50n]);
    await world.execute(world.sequence([give(3n)]));
    expect(await world.balance(world.weth)).toBe(50n);
  });

  it('reverts below the minimum', async () => {
    expect(await world.refusalOf(world.sequence([give(3n)], { minProfitRaw: 4n }))).toBe('InsufficientProfit(3, 4)');
  });

  it('reverts at a loss that the owner did not allow, whatever the minimum', async () => {
    await world.send(stranger, pot, 'give', [world.weth.address, world.executor.address, 50n]);
    const lose = call(world.weth, 'transfer', [stranger, 5n]);
    const groups = [{ optional: false, minProfitRaw: -5n, steps: [lose] }];
    expect(await world.refusalOf(world.sequence([], { groups }))).toBe('InsufficientProfit(-5, 0)');
    expect(await world.refusalOf(world.sequence([], { groups, minProfitRaw: -5n }))).toBe('LossNotAllowed(5, 0)');
  });

  it('spends what the owner allows to lose, once', async () => {
    await world.send(stranger, pot, 'give', [world.weth.address, world.executor.address, 50n]);
    await world.send(owner, world.executor, 'allowLoss', [world.weth.address, 8n]);
    const groups = [{ optional: false, minProfitRaw: -5n, steps: [call(world.weth, 'transfer', [stranger, 5n])] }];
    const lose = world.sequence([], { groups, minProfitRaw: -5n });
    expect((await world.execute(lose)).profitRaw).toBe(-5n);
    expect(await world.refusalOf(lose)).toBe('LossNotAllowed(5, 3)');
    expect(await world.balance(world.weth)).toBe(45n);
  });

  it('is refused in an asset that is not registered', async () => {
    expect(await world.refusalOf(world.sequence([], { numeraire: token.address }))).toContain('NotRegistered(');
  });

  it('sweeps the whole balance of an unregistered token and the gain of a registered one', async () => {
    await world.send(stranger, token, 'mint', [world.executor.address, 1n]);
    await world.send(stranger, other, 'mint', [world.executor.address, 10n]);
    const steps = [call(token, 'mint', [world.executor.address, 6n]), call(other, 'mint', [world.executor.address, 7n])];
    await world.execute(world.sequence(steps, { sweep: [token.address, other.address] }));
    expect(await world.balance(token, owner)).toBe(7n);
    expect(await world.balance(other, owner)).toBe(7n);
    expect(await world.balance(other)).toBe(10n);
  });
});

describe('other registered assets', () => {
  beforeEach(() => world.send(stranger, other, 'mint', [world.executor.address, 10n]));

  it('may not fall, even against a profit in the numeraire', async () => {
    const steps = [give(ETHER), call(other, 'transfer', [stranger, 1n])];
    expect(await world.refusalOf(world.sequence(steps))).toMatch(/^AssetFell\(0x\w{40}, 10, 9\)$/);
  });

  it('may be gone in between', async () => {
    const steps = [call(other, 'transfer', [stranger, 10n]), call(other, 'mint', [world.executor.address, 10n])];
    await world.execute(world.sequence(steps));
    expect(await world.balance(other)).toBe(10n);
  });

  it('fall unseen once they are unregistered: what is kept there is not safe', async () => {
    await world.send(owner, world.executor, 'unregister', [other.address]);
    await world.execute(world.sequence([call(other, 'transfer', [stranger, 10n])]));
    expect(await world.balance(other)).toBe(0n);
  });

  it('count their meters: margin may move between balance and venue, not away', async () => {
    const venue = await world.deploy('MeterDouble');
    await world.send(stranger, venue, 'set', [10n ** 15n]);
    await world.send(owner, world.executor, 'register', [
      other.address,
      [{ target: venue.address, divisor: 10n ** 12n, data: calldata(venue, 'value') }],
    ]);
    const deposit = call(other, 'transfer', [venue.address, 4n]);
    await world.execute(world.sequence([deposit, call(venue, 'add', [4n * 10n ** 12n])]));
    expect(await world.balance(other)).toBe(6n);
    expect(await world.refusalOf(world.sequence([deposit, call(venue, 'add', [3n * 10n ** 12n])]))).toContain('AssetFell(');
    const intoTheSweep = world.sequence([call(venue, 'add', [-4n * 10n ** 12n]), call(other, 'mint', [world.executor.address, 4n])], {
      sweep: [other.address],
    });
    expect(await world.refusalOf(intoTheSweep)).toContain('AssetFell(');
  });
});

describe('a metered numeraire', () => {
  let venue: Contract;
  beforeEach(async () => {
    venue = await world.deploy('MeterDouble');
    await world.send(owner, world.executor, 'register', [
      world.weth.address,
      [{ target: venue.address, divisor: 1n, data: calldata(venue, 'value') }],
    ]);
  });

  it('counts a credit at the venue as profit, and leaves it there', async () => {
    const settled = await world.execute(world.sequence([call(venue, 'add', [9n]), give(2n)], { minProfitRaw: 11n }));
    expect(settled.profitRaw).toBe(11n);
    expect(await world.balance(world.weth, owner)).toBe(2n);
  });

  it('sweeps no more than the profit when margin came back', async () => {
    const settled = await world.execute(world.sequence([call(venue, 'add', [-9n]), give(11n)]));
    expect(settled.profitRaw).toBe(2n);
    expect(await world.balance(world.weth, owner)).toBe(2n);
    expect(await world.balance(world.weth)).toBe(9n);
  });

  it('pays no bid out of a credit', async () => {
    expect(await world.refusalOf(world.sequence([call(venue, 'add', [10n]), give(1n)], { bidBps: 5_000 }))).toBe('BidBeyondGain(5, 1)');
  });

  it('stops every sequence when its meter does not answer', async () => {
    await rpc(world.anvil.rpcUrl, 'anvil_setCode', [venue.address, '0x']);
    expect(await world.refusalOf(world.sequence([]))).toContain('MeterFailed(');
  });
});

describe('the bid', () => {
  it('is its share of the profit after gas, rounded down, in native tokens to the coinbase', async () => {
    await coinbase(COINBASE);
    const before = await world.nativeBalance(COINBASE);
    const settled = await world.execute(world.sequence([give(ETHER)], { bidBps: 3_333, gasCostRaw: ETHER / 10n + 1n }), owner);
    const bid = ((ETHER - ETHER / 10n - 1n) * 3_333n) / 10_000n;
    expect(settled).toMatchObject({ grossRaw: ETHER, bidRaw: bid, profitRaw: ETHER - bid });
    expect((await world.nativeBalance(COINBASE)) - before).toBe(bid);
    expect(await world.nativeBalance(world.executor.address)).toBe(0n);
    expect(await world.balance(world.weth, owner)).toBe(ETHER - bid);
  });

  it('is nothing when the gas costs more than the gross', async () => {
    expect((await world.execute(world.sequence([give(5n)], { bidBps: 10_000, gasCostRaw: 5n }))).bidRaw).toBe(0n);
  });

  it('is paid only on success', async () => {
    const builder = await world.deploy('CoinbaseDouble');
    await coinbase(builder.address);
    expect(await world.refusalOf(world.sequence([give(100n)], { bidBps: 5_000, minProfitRaw: 51n }))).toBe('InsufficientProfit(50, 51)');
    expect(await world.nativeBalance(builder.address)).toBe(0n);
    await world.execute(world.sequence([give(100n)], { bidBps: 5_000, minProfitRaw: 50n }));
    expect(await world.nativeBalance(builder.address)).toBe(50n);
  });

  it('is refused in another numeraire, and above the whole profit', async () => {
    expect(await world.refusalOf(world.sequence([], { numeraire: other.address, bidBps: 1 }))).toBe('BidNotAllowed()');
    const data = calldata(world.executor, 'execute', [
      { numeraire: world.weth.address, minProfit: 0n, gasCost: 0n, bidBps: 10_001n, lastBlock: 10n ** 9n, sweep: [], groups: [] },
    ]);
    expect(await world.refusal({ from: operator, to: world.executor.address, data })).toBe('BidNotAllowed()');
  });

  it('reverts everything when the coinbase refuses it', async () => {
    const builder = await world.deploy('CoinbaseDouble');
    await world.send(stranger, builder, 'refuse', [true]);
    await coinbase(builder.address);
    expect(await world.refusalOf(world.sequence([give(100n)], { bidBps: 5_000 }))).toBe('BidRefused()');
  });

  it('gives a coinbase that is an operator no second sequence', async () => {
    const builder = await world.deploy('CoinbaseDouble');
    await coinbase(builder.address);
    await world.send(owner, world.executor, 'setOperator', [builder.address, true]);
    const again = world.sequence([call(world.weth, 'transfer', [stranger, 1n])]);
    await world.send(stranger, builder, 'arm', [world.executor.address, encodeExecute(again)]);
    await world.execute(world.sequence([give(100n)], { bidBps: 5_000 }));
    expect(await world.read(builder, 'refusals')).toBe(1n);
    expect(await world.read(builder, 'successes')).toBe(0n);
  });
});

describe('groups', () => {
  const failing: Step[] = [];
  beforeAll(() => {
    failing.push(give(5n), call(pot, 'giveThenRevert', [world.weth.address, world.executor.address, 5n]));
  });

  it('undoes only the optional one that fails, and says why', async () => {
    const groups = [
      { optional: true, minProfitRaw: 0n, steps: [give(1n)] },
      { optional: true, minProfitRaw: 0n, steps: failing },
      { optional: false, minProfitRaw: 0n, steps: [give(2n)] },
    ];
    const settled = await world.execute(world.sequence([], { groups, minProfitRaw: 3n }));
    expect(settled.grossRaw).toBe(3n);
    expect(settled.groups).toEqual([
      { outcome: 'done', index: 0, profitRaw: 1n },
      { outcome: 'reverted', index: 1, reason: 'StepFailed(1): Error(the pot is shut)' },
      { outcome: 'done', index: 2, profitRaw: 2n },
    ]);
  });

  it('reverts everything when a mandatory one fails', async () => {
    expect(await world.refusalOf(world.sequence([give(2n), ...failing]))).toBe('StepFailed(2): Error(the pot is shut)');
  });

  it('undoes an optional one below its own minimum, and reverts for a mandatory one', async () => {
    const group = { optional: true, minProfitRaw: 4n, steps: [give(3n)] };
    const settled = await world.execute(world.sequence([], { groups: [group, { ...group, minProfitRaw: 3n }] }));
    expect(settled.grossRaw).toBe(3n);
    expect(settled.groups[0]).toEqual({ outcome: 'reverted', index: 0, reason: 'GroupBelowMinimum(3, 4)' });
    expect(await world.refusalOf(world.sequence([], { groups: [{ ...group, optional: false }] }))).toBe('GroupBelowMinimum(3, 4)');
  });

  it('lets no group live on the profit of another', async () => {
    const lose = { optional: true, minProfitRaw: 0n, steps: [call(world.weth, 'transfer', [stranger, 5n])] };
    const groups = [{ optional: true, minProfitRaw: 0n, steps: [give(9n)] }, lose];
    const settled = await world.execute(world.sequence([], { groups }));
    expect(settled.groups[1]).toEqual({ outcome: 'reverted', index: 1, reason: 'GroupBelowMinimum(-5, 0)' });
    expect(settled.profitRaw).toBe(9n);
  });

  it('settles the rest when a group burns all the gas it may use', async () => {
    const burn = { optional: true, gasLimit: 500_000n, minProfitRaw: 0n, steps: [call(pot, 'burnAllGas')] };
    const settled = await world.execute(
      world.sequence([], { groups: [burn, burn, { optional: true, minProfitRaw: 0n, steps: [give(2n)] }] }),
    );
    expect(settled.groups.map(({ outcome }) => outcome)).toEqual(['reverted', 'reverted', 'done']);
    expect(settled.gasUsed).toBeLessThan(1_300_000n);
  });

  it('copies no more than 1024 bytes of a reason', async () => {
    const bomb = { optional: true, gasLimit: 2_000_000n, minProfitRaw: 0n, steps: [call(pot, 'revertWith', [200_000n])] };
    const settled = await world.execute(world.sequence([], { groups: [bomb, { optional: true, minProfitRaw: 0n, steps: [give(2n)] }] }));
    expect(settled.groups[0]).toMatchObject({ outcome: 'reverted', reason: 'StepFailed(0): unknown error 0x00000000' });
    expect(settled.grossRaw).toBe(2n);
    expect(settled.gasUsed).toBeLessThan(400_000n);
  });
});

describe('native tokens', () => {
  it('are refused outside a sequence, from WETH too', async () => {
    expect(await world.refusal({ from: stranger, to: world.executor.address, value: '0x1' })).toBe('UnexpectedNative()');
    expect(await world.refusal({ from: world.weth.address, to: world.executor.address, value: '0x0' })).toBe('UnexpectedNative()');
  });

  it('are taken within one, unwrapped or from a market, and can be wrapped again', async () => {
    await rpc(world.anvil.rpcUrl, 'anvil_setBalance', [pot.address, '0xff']);
    const steps = [
      give(7n),
      call(world.weth, 'withdraw', [7n]),
      call(pot, 'giveNative', [world.executor.address, 2n]),
      call(world.weth, 'deposit', [], 9n),
    ];
    expect((await world.execute(world.sequence(steps))).profitRaw).toBe(9n);
  });

  it('may not fall', async () => {
    await rpc(world.anvil.rpcUrl, 'anvil_setBalance', [world.executor.address, '0x5']);
    const spend: Step = { kind: 'call', target: stranger, valueWei: 1n, data: '0x' };
    expect(await world.refusalOf(world.sequence([spend]))).toBe('NativeFell(5, 4)');
  });
});

/** What keeps a takeover from being possible, and is known before: margin, insurance fund, orders, the market's own limits. And collateral that is bought. */
import { type Address, encodeFunctionData, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { executorAbi } from '../../../src/generated/executor.ts';
import { encodeExecute } from '../../../src/lib/encode-steps.ts';
import { intOf, uintOf, viewCall } from '../../../src/lib/words.ts';
import { perpV2 } from '../../../src/protocols/perp-v2/family.ts';
import { PerpV2 } from '../../../src/protocols/perp-v2/perp-v2.ts';
import { calls } from '../../../src/protocols/perp-v2/reads.ts';
import type { ProtocolBook } from '../../../src/protocols/registry.ts';
import { move, undone } from './crash.ts';
import { decideEach, openDesk, run } from './desk.ts';
import { type Followed, follow, later } from './followed.ts';
import { PerpWorld, wad } from './world.ts';

const isLiquidatable = viewCall('function isLiquidatable(address)');
const maxLiquidation = viewCall('function getMaxRepaidSettlementAndLiquidatableCollateral(address,address)');
const USDC = 10n ** 6n;
const MARKET = { symbol: 'ETH', feed: 'ETH / USD', usd: 2_000, depthUsd: 2_000_000 };
const BUYER: Address = '0x00000000000000000000000000000000b04e0000';

let world: PerpWorld;
let rich: Address;
let poor: Address;
let followed: Followed;

/** Long and lean, long and ruined, a maker, some with WETH alone. */
const [lean, ruined, maker, ...pledgers] = Array.from(
  { length: 15 },
  (_, i): Address => `0x${(0x7ade_0000 + i).toString(16).padStart(40, '0')}`,
) as [Address, Address, Address, ...Address[]];

beforeAll(async () => {
  world = await PerpWorld.open({ traders: 15, markets: [MARKET] });
  [rich, poor] = [await openDesk(world, 20_000n * USDC), await openDesk(world, 5n * USDC)];
  const { base } = world.market('ETH');
  await world.deposit(lean, 1_000n * USDC);
  await world.trade(lean, base, 'long', 8_000);
  await world.deposit(ruined, 1_000n * USDC);
  await world.trade(ruined, base, 'long', 9_300);
  await world.deposit(maker, 1_000n * USDC);
  await world.trade(maker, base, 'long', 7_000);
  await world.provide(maker, world.market('ETH'), 0.3, 1_500);
  const prng = new Prng(3);
  for (const pledger of pledgers) {
    const pledgedUsd = prng.between(500, 1_500);
    await world.deposit(pledger, wad(pledgedUsd / 2_000), world.perp.collateral);
    await world.trade(pledger, base, 'long', pledgedUsd * prng.between(0.5, 6));
  }
  expect((await world.mine()).get('long')).toEqual({ done: 15, reverted: 0 });
  await move(world, 'ETH', MARKET.usd, 0.88);
  followed = await follow(world, rich);
});
afterAll(async () => {
  await world?.stop();
});

const slotOf = (account: Address) => followed.protocol.state.slots.get(account)!;
const planFor = (account: Address, now = followed, executor = rich) =>
  decideEach(now, executor).plans.find(({ candidate }) => candidate.account === account);

test('a deployment that was never read trades nothing, and holds up no other exchange', () => {
  const { clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, quote } = world.perp;
  const addresses = { clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry };
  const { exchange } = new PerpV2({ name: 'unread', fromBlock: 0, ...addresses }, followed.feeds, { usd8: () => undefined }, rich);
  const { base } = world.market('ETH');
  expect(exchange.trades(base, quote)).toBe(false);
  expect(exchange.quoteIn(base, quote, 1n, exchange.depth(later(followed, 12)))).toEqual({ ok: false, reason: 'no-route' });
});

test('an account with orders is taken over once they are cancelled, in the same transaction', async () => {
  const plan = planFor(maker)!;
  await undone(world, async () => {
    const ran = await run(world, plan);
    if (!ran.ok) throw new Error(ran.reason);
    const expectedRaw = (plan.grossWei * 2_000n) / 10n ** 12n;
    // The order's fees and the rounding of its amounts are a few wei.
    expect(Math.abs(Number(ran.settlement.grossRaw - expectedRaw))).toBeLessThanOrEqual(1);
  });
});

test('without the margin for it, a smaller part is taken over; without any, nothing, and why is said', async () => {
  const scarce = await follow(world, poor);
  const at = later(scarce, 12);
  const [option] = scarce.protocol.options(slotOf(lean), at);
  const markWad = 1_760n;
  // Five dollars carry fifty.
  expect(Number(option!.regimes[0]!.maxRaw * markWad) / 1e18).toBeGreaterThan(45);
  expect(Number(option!.regimes[0]!.maxRaw * markWad) / 1e18).toBeLessThan(50.5);
  const without = await follow(world, '0x00000000000000000000000000000000000dead1');
  expect(without.protocol.options(slotOf(lean), at)).toEqual([]);
  expect(without.protocol.refusal(slotOf(lean), at)).toMatchObject({ reason: 'no-margin' });
  const { base } = world.market('ETH');
  expect(await reverts(poor, 'liquidate', [lean, base])).toContain('CH_NEFCI');
});

test('a plan tells its discount, what the close costs of it, and the funding that the account owes; what can be open follows from the vault', async () => {
  const plan = planFor(lean)!;
  const { discountUsd, closeCostUsd, fundingOwedUsd } = plan.told!;
  // A native token is 2,000 dollars here (desk.ts).
  const grossUsd = (Number(plan.grossWei) / 1e18) * 2_000;
  expect(Number(discountUsd) - Number(closeCostUsd)).toBeCloseTo(grossUsd, 4);
  expect(Number(discountUsd)).toBeGreaterThan(Number(closeCostUsd));
  expect(Math.abs(Number(fundingOwedUsd))).toBeLessThan(Number(discountUsd));
  const { clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock, settlement } = world.perp;
  const addresses = { clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry };
  const [perp] = perpV2.interest!({ 'perp-v2': [{ name: 'perp', fromBlock, ...addresses }] } as unknown as ProtocolBook);
  const reading = perp!.mostOpen();
  let step = reading.next([]);
  while (!step.done) step = reading.next(await world.views(step.value));
  expect([perp!.market, step.value]).toEqual(['perp-v2/perp', (await world.balanceOf(vault, settlement)) / 100_000n]);
});

describe('the first of two legs', () => {
  const room = { roomUsd8: 10n ** 15n };
  const legOf = ({ protocol, ...rest }: Followed, account: Address, limits = room) =>
    protocol.own()!.firstLeg(slotOf(account), limits, later({ protocol, ...rest }, 12));

  async function allowLoss(executor: Address, amountRaw: bigint): Promise<void> {
    await world.send(world.chain.deployer.address, { at: executor, abi: executorAbi }, 'allowLoss', [world.perp.settlement, amountRaw]);
    await world.mine();
  }

  test('is none unless the owner lets the meter fall; then it is within that, the margin, and the room for inventory', async () => {
    await undone(world, async () => {
      expect(legOf(await follow(world, rich), lean)).toBeUndefined();
      await allowLoss(rich, 100_000n * USDC);
      const whole = legOf(await follow(world, rich), lean)!;
      expect(whole.valueUsd8).toBeGreaterThan(0n);
      const half = { roomUsd8: whole.valueUsd8 / 2n };
      expect(legOf(await follow(world, rich), lean, half)!.valueUsd8).toBeLessThanOrEqual(half.roomUsd8);
      await allowLoss(rich, 30n * USDC);
      expect(legOf(await follow(world, rich), lean)!.mostLossRaw).toBeLessThanOrEqual(31n * USDC);
      // CH_NEFCI: a twentieth of a dollar of margin takes over fifty cents, whatever else is allowed.
      await allowLoss(poor, 100_000n * USDC);
      const little = legOf(await follow(world, poor), lean);
      expect(little === undefined || little.valueUsd8 <= 50n * 10n ** 8n).toBe(true);
    });
    followed = await follow(world, rich);
  });

  test('is none that the insurance fund could not bear (CH_IIC), and none in a market that is shut', async () => {
    await undone(world, async () => {
      await allowLoss(rich, 100_000n * USDC);
      await limitTicks(0);
      expect(legOf(await follow(world, rich), lean)).toBeUndefined();
      await limitTicks(1_000);
      await move(world, 'ETH', MARKET.usd * 0.88, 0.93);
      const fallen = await follow(world, rich);
      expect(fallen.protocol.own()!.firstLeg(fallen.protocol.state.slots.get(ruined)!, room, later(fallen, 12))).toBeUndefined();
    });
    followed = await follow(world, rich);
  });
});

test('the margin comes back to the owner of the Executor', async () => {
  await undone(world, async () => {
    const { settlement, vault } = world.perp;
    const { address: owner } = world.chain.deployer;
    const data = encodeFunctionData({ abi: world.contract('vault').abi, functionName: 'withdraw', args: [settlement, 20_000n * USDC] });
    const groups = [{ optional: false, minProfitRaw: 0n, steps: [{ kind: 'call', target: vault, valueWei: 0n, data }] as const }];
    const sequence = { numeraire: settlement, minProfitRaw: 0n, gasCostRaw: 0n, bidBps: 0, lastBlock: 1_000_000_000, sweep: [], groups };
    const execute = { from: owner, to: rich, data: encodeExecute(sequence), gas: '0xf42400' };
    await rpc(world.anvil.rpcUrl, 'eth_sendTransaction', [execute]);
    await world.send(owner, { at: rich, abi: executorAbi }, 'withdraw', [settlement, owner, 20_000n * USDC]);
    const before = await world.balanceOf(owner);
    expect((await world.mine()).get('withdraw')).toEqual({ done: 1, reverted: 0 });
    expect((await world.balanceOf(owner)) - before).toBe(20_000n * USDC);
  });
});

test('an Executor that does not count its margin so that a position left behind is a loss is not used', async () => {
  await undone(world, async () => {
    const { settlement, vault } = world.perp;
    const data = encodeFunctionData({ abi: world.contract('vault').abi, functionName: 'getAccountValue', args: [rich] });
    const executor = { at: rich, abi: executorAbi };
    await world.send(world.chain.deployer.address, executor, 'register', [settlement, [{ target: vault, data, divisor: 1n }]]);
    await world.mine();
    await followed.follower.advance();
    const at = later(followed, 12);
    expect(followed.protocol.options(slotOf(lean), at)).toEqual([]);
    const refusal = followed.protocol.refusal(slotOf(lean), at);
    expect([refusal?.reason, refusal?.figures['cause']]).toEqual(['no-margin', expect.stringContaining('does not count its margin')]);
  });
  followed = await follow(world, rich);
});

test('a takeover that the insurance fund could not bear is not planned', async () => {
  await undone(world, async () => {
    await move(world, 'ETH', MARKET.usd * 0.88, 0.93);
    const fallen = await follow(world, rich);
    const at = later(fallen, 12);
    const slot = fallen.protocol.state.slots.get(ruined)!;
    expect(fallen.protocol.state.fund.capacityRaw).toBeLessThan(1_000n * USDC);
    expect(fallen.protocol.options(slot, at)).toEqual([]);
    const refusal = fallen.protocol.refusal(slot, at);
    expect(refusal?.reason).toBe('insurance-fund-short');
    expect(BigInt(refusal!.figures['valueWad']!)).toBeLessThan(0n);
    expect(await reverts(rich, 'liquidate', [ruined, world.market('ETH').base])).toContain('CH_IIC');
    // Filled up, it bears it, and the whole penalty is the liquidator's.
    await world.depositFor(world.perp.insuranceFund, 10_000n * USDC);
    const borne = await follow(world, rich);
    const plan = planFor(ruined, borne)!;
    const ran = await run(world, plan);
    if (!ran.ok) throw new Error(ran.reason);
    expect(Math.abs(Number(ran.settlement.grossRaw - (plan.grossWei * 2_000n) / 10n ** 12n))).toBeLessThanOrEqual(1);
  });
});

describe('the market’s own limits', () => {
  test('a paused market closes nothing: no plan', async () => {
    await undone(world, async () => {
      await limitTicks(0);
      const paused = await follow(world, rich);
      expect(decideEach(paused, rich).plans).toEqual([]);
    });
  });

  test('where closing all of it would stop half way, less is taken over; the whole position, run all the same, is refused by the Executor', async () => {
    await undone(world, async () => {
      const whole = planFor(lean)!;
      await limitTicks(4);
      const limited = await follow(world, rich);
      const less = planFor(lean, limited)!;
      expect(less.seizedRaw).toBeLessThan(whole.seizedRaw);
      const refused = await undone(world, () => run(world, whole));
      expect(refused).toMatchObject({ ok: false, reason: expect.stringContaining('BelowMinimum') });
      const ran = await run(world, less);
      if (!ran.ok) throw new Error(ran.reason);
      expect(await world.read(world.contract('accountBalance'), 'getBaseTokens', [rich])).toEqual([]);
    });
  });
});

test('a market that is paused is read anew: whoever is in it is worth what the view says, and nobody is taken over there', async () => {
  await undone(world, async () => {
    const { base } = world.market('ETH');
    const token = { at: base, abi: world.perp.artifacts.BaseToken.abi };
    await world.send(world.chain.deployer.address, token, 'pause', []);
    expect((await world.mine()).get('pause')).toEqual({ done: 1, reverted: 0 });
    await expect(followed.follower.advance()).rejects.toThrow('has changed');
    const paused = await follow(world, rich);
    const at = later(paused, 12);
    const { contracts, accounts } = paused.protocol.state;
    const [value] = await world.views([calls.accountValue(contracts.clearingHouse, lean)]);
    const slot = paused.protocol.state.slots.get(lean)!;
    expect(paused.protocol.lens(at).standing(accounts[slot]!)).toMatchObject({ ok: true, valueWad: intOf(value) });
    expect(paused.protocol.options(slot, at)).toEqual([]);
    expect(await paused.follower.audit()).toEqual([]);
  });
  followed = await follow(world, rich);
});

test('collateral is for sale exactly where the vault says so, and buys what is planned', async () => {
  const { protocol } = followed;
  const { contracts } = protocol.state;
  const { collateral } = world.perp;
  const at = later(followed, 0);
  const held = protocol.state.accounts.filter((account) => account.collateral.size > 0);
  const answers = await world.views(
    held.flatMap(({ address }) => [isLiquidatable(contracts.vault, address), maxLiquidation(contracts.vault, address, collateral!)]),
  );
  const sold: Address[] = [];
  for (const [place, { address }] of held.entries()) {
    const slot = slotOf(address);
    const forSale = uintOf(answers[2 * place]) === 1n;
    const option = protocol.options(slot, at).find(({ collateralAsset }) => collateralAsset === collateral);
    expect([address, option !== undefined]).toEqual([address, forSale]);
    if (forSale) expect(protocol.judge(slot, at).kind).toBe('liquidatable');
    if (option === undefined) continue;
    expect([address, option.regimes[0]!.maxRaw]).toEqual([address, (intOf(answers[2 * place + 1])! * 99n) / 100n]);
    sold.push(address);
  }
  expect(sold.length).toBeGreaterThan(2);
  expect(sold.length).toBeLessThan(held.length);
  await world.deposit(BUYER, 10_000n * USDC);
  await world.chain.fund([world.chain.deployer.address], 10n ** 26n);
  world.chain.call(world.perp.settlement, mintAbi, 'mint', [BUYER, 10_000n * USDC]);
  await world.chain.mine();
  for (const address of sold.slice(0, 3)) {
    const option = protocol.options(slotOf(address), at).find(({ collateralAsset }) => collateralAsset === collateral)!;
    const { maxRaw } = option.regimes[0]!;
    const [paid, bought] = option.flow(maxRaw);
    const before = await Promise.all([world.balanceOf(BUYER), world.balanceOf(BUYER, collateral)]);
    await world.send(BUYER, world.contract('vault'), 'liquidateCollateral', [address, collateral, maxRaw, true]);
    expect((await world.mine()).get('liquidateCollateral')).toEqual({ done: 1, reverted: 0 });
    const after = await Promise.all([world.balanceOf(BUYER), world.balanceOf(BUYER, collateral)]);
    expect([after[0] - before[0], after[1] - before[1]]).toEqual([paid!.deltaRaw, bought!.deltaRaw]);
  }
});

const mintAbi = [
  { type: 'function', name: 'mint', stateMutability: 'nonpayable', inputs: [{ type: 'address' }, { type: 'uint256' }], outputs: [] },
] as const;

async function limitTicks(ticks: number): Promise<void> {
  await world.send(world.chain.deployer.address, world.contract('exchange'), 'setMaxTickCrossedWithinBlock', [
    world.market('ETH').base,
    ticks,
  ]);
  await world.mine();
}

/** What a call of the clearing house in somebody's name reverts with. */
async function reverts(from: Address, functionName: string, args: readonly unknown[]): Promise<string> {
  const { at, abi } = world.contract('clearingHouse');
  const data = encodeFunctionData({ abi, functionName, args: [...args] });
  try {
    await rpc<Hex>(world.anvil.rpcUrl, 'eth_call', [{ from, to: at, data }, 'latest']);
    return 'nothing';
  } catch (error) {
    return String(error);
  }
}

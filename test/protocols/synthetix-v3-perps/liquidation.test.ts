/** Flagging, windows, margin alone, and prices that have to be fresh: through the Executor on the real contracts, for exactly what was planned. */
import type { Address } from 'viem';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { SLOT_SECONDS } from '../../../scripts/devnet/anvil.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { PYTH_FEE_WEI } from '../../../scripts/devnet/synthetix/deploy.ts';
import { RpcPool } from '../../../src/chain/rpc.ts';
import { faultOf } from '../../../src/cli/doctor/interface.ts';
import { SecretUrl } from '../../../src/lib/secret.ts';
import { usdText } from '../../../src/lib/usd.ts';
import { carriedBy, pythFeedOf } from '../../../src/oracles/pull/pyth.ts';
import type { FeedAnswer } from '../../../src/oracles/types.ts';
import { carrying } from '../../../src/protocols/carrying.ts';
import type { ProtocolBook } from '../../../src/protocols/registry.ts';
import { synthetixV3Perps } from '../../../src/protocols/synthetix-v3-perps/family.ts';
import { addressOfId } from '../../../src/protocols/synthetix-v3-perps/state.ts';
import { decide, nextBlock, openDesk, plansOf, run, TREASURY } from './desk.ts';
import { type Followed, follow, later } from './followed.ts';
import { BTC, ETH, ETH_PRICE_ID, ids, populate, S_BTC, S_ETH, SNX_USD, SynthetixWorld, usd8, wad } from './world.ts';

const CROWD = ids(60);
/** More than any window lets go at once. */
const WHALE = 900n;
const DEBTOR = 901n;
const WAD = 10n ** 18n;

let world: SynthetixWorld;
let executor: Address;
let snapshot: string;

beforeAll(async () => {
  world = await SynthetixWorld.open();
  executor = await openDesk(world, 'keeps');
  await populate(world, 21, CROWD, [8, 20]);
  await world.create([WHALE, DEBTOR]);
  await world.deposit([
    { account: WHALE, collateral: SNX_USD, amount: wad(6_000) },
    { account: WHALE, collateral: S_BTC, amount: wad(0.05) },
    { account: DEBTOR, collateral: S_ETH, amount: wad(0.5) },
  ]);
  await world.trade([
    { account: WHALE, market: ETH, size: wad(40) },
    { account: DEBTOR, market: BTC, size: wad(0.1) },
  ]);
  await rpc(world.anvil.rpcUrl, 'anvil_autoImpersonateAccount', [true]);
});
beforeEach(async () => {
  snapshot = await rpc<string>(world.anvil.rpcUrl, 'evm_snapshot');
});
afterEach(async () => {
  await rpc(world.anvil.rpcUrl, 'evm_revert', [snapshot]);
  await world.chain.fund([world.chain.deployer.address], 10n ** 26n);
  world.price.ETH = 2_000;
  world.price.BTC = 40_000;
});
afterAll(async () => {
  await world?.stop();
});

const paid = () => world.read<bigint>('SynthDouble', 'balanceOf', [TREASURY], world.snx.usd);
const slotOf = ({ protocol }: Followed, id: bigint) => protocol.state.slots.get(id)!;

test('whoever falls below its margin is flagged for the reward that was worked out, to the wei, whatever its window lets go', async () => {
  await world.setPrices({ eth: 1_880, btc: 37_800 });
  const followed = await follow(world, executor);
  await world.setPrices({ eth: 1_880 });
  await followed.follower.advance();
  const plans = plansOf(decide(followed, executor, nextBlock(followed)));
  expect(plans.length).toBeGreaterThan(15);
  let expected = 0n;
  for (const plan of plans) expected += plan.seizedRaw;
  const before = await paid();
  for (let from = 0; from < plans.length; from += 8) {
    const part = plans.slice(from, from + 8);
    for (const [place, ran] of (await run(world, part)).entries()) {
      if (!ran.ok) throw new Error(`${part[place]!.option}: ${ran.reason}`);
      expect(ran.settlement.grossRaw).toBe(part[place]!.seizedRaw);
      expect(part[place]!.told).toHaveProperty('rewardUsd', usdText(part[place]!.seizedRaw / 10n ** 10n));
      // The first in a market writes what was never written before.
      expect(part[place]!.gasUnits * 12n > ran.gasUsed * 10n).toBe(true);
    }
  }
  expect((await paid()) - before).toBe(expected);

  // Many have something left and few windows are open: what is offered for one block is done in it, all of it.
  let done = 0;
  for (let round = 0; round < 4; round++) {
    await world.pass(30);
    await world.setPrices({});
    await followed.follower.advance();
    const offered = plansOf(decide(followed, executor, nextBlock(followed)));
    expect(offered.length).toBeGreaterThan(0);
    expect((await run(world, offered)).filter(({ ok }) => !ok)).toEqual([]);
    done += offered.length;
    await followed.follower.advance();
  }
  expect(done).toBeGreaterThan(6);
});

test('what is left of a flagged account goes window by window, for the reward of a call each, and not before there is room', async () => {
  await world.setPrices({ eth: 1_810 });
  const followed = await follow(world, executor);
  await world.setPrices({ eth: 1_810 });
  await followed.follower.advance();
  const of = (at = nextBlock(followed)) =>
    plansOf(decide(followed, executor, at)).filter(({ candidate }) => candidate.account === addressOfId(WHALE));
  const [first] = of();
  expect(first?.option).toBe('flag and liquidate');
  expect((await run(world, [first!])).map(({ ok }) => ok)).toEqual([true]);
  await followed.follower.advance();
  const slot = slotOf(followed, WHALE);
  expect(followed.protocol.judge(slot, nextBlock(followed)).kind).toBe('liquidatable');
  // The window is half a minute long, and the flagging has used it up.
  expect(of()).toEqual([]);
  expect(followed.protocol.refusal(slot, nextBlock(followed))?.reason).toBe('window-used');
  let calls = 0;
  while (followed.protocol.state.accounts[slot]!.flagged) {
    await world.setPrices({ eth: 1_810 });
    await followed.follower.advance();
    const [plan] = of();
    if (plan === undefined) continue;
    expect(plan.option).toBe('liquidate what is flagged');
    const [ran] = await run(world, [plan]);
    expect(ran?.ok && ran.settlement.grossRaw).toBe(plan.seizedRaw);
    calls++;
    await followed.follower.advance();
  }
  // 40 ETH, 7.2 a window: the flagging took the first.
  expect(calls).toBe(5);
  expect(await world.read('LiquidationModule', 'flaggedAccounts', [])).toEqual([]);
  expect(await followed.follower.audit()).toEqual([]);
});

test('debts that collateral no longer covers are liquidated without any position', async () => {
  await world.setPrices({ btc: 32_500 });
  await world.trade([{ account: DEBTOR, market: BTC, size: -wad(0.1) }]);
  const debt = await world.read<bigint>('PerpsAccountModule', 'debt', [DEBTOR]);
  expect(debt).toBeGreaterThan(0n);
  const followed = await follow(world, executor);
  await world.setPrices({});
  await followed.follower.advance();
  const slot = slotOf(followed, DEBTOR);
  expect(followed.protocol.judge(slot, nextBlock(followed)).kind).toBe('healthy');
  const tipping = Number(debt / WAD) * 2 * 1.005;
  await world.setPrices({ eth: tipping });
  await followed.follower.advance();
  expect(await world.read('LiquidationModule', 'canLiquidateMarginOnly', [DEBTOR])).toBe(true);
  const [plan] = plansOf(decide(followed, executor, nextBlock(followed))).filter(({ candidate }) => candidate.slot === slot);
  expect(plan?.option).toBe('liquidate margin');
  const [ran] = await run(world, [plan!]);
  expect(ran?.ok && ran.settlement.grossRaw).toBe(plan!.seizedRaw);
  await followed.follower.advance();
  expect(followed.protocol.state.accounts[slot]).toMatchObject({ debt: 0n });
  expect([...followed.protocol.slots()]).not.toContain(slot);
});

test('a price that is too old for the contract is written in the same transaction', async () => {
  await world.setPrices({ eth: 1_810 });
  const followed = await follow(world, executor);
  await world.pass(120);
  await followed.follower.advance();
  const slot = slotOf(followed, WHALE);
  const at = nextBlock(followed);
  expect(followed.protocol.judge(slot, at).kind).toBe('liquidatable');
  // The view tolerates what the call does not.
  expect(await world.read('LiquidationModule', 'canLiquidate', [WHALE])).toBe(true);
  await expect(world.read('LiquidationModule', 'liquidate', [WHALE])).rejects.toThrow(/0xcf2cabdf|reverted/);
  const { feed } = pythFeedOf(world.snx.pyth, ETH_PRICE_ID);
  expect(followed.protocol.tooOld(slot, at)).toEqual([feed]);
  expect(followed.protocol.options(slot, at)).toEqual([]);
  expect(followed.protocol.refusal(slot, at)).toEqual({ reason: 'price-too-old', figures: { feeds: feed } });

  const publishTime = followed.follower.head.timestamp + 1;
  const update = {
    ...{ pyth: world.snx.pyth, blobs: [await world.blobOf(1_809, publishTime)], feeWei: PYTH_FEE_WEI, gasUnits: 150_000n },
    ...{ prices: new Map(), floats: new Map() },
  };
  const answer: FeedAnswer = { answer: usd8(1_809), updatedAt: publishTime, roundId: BigInt(publishTime) };
  const fresh = later(followed, SLOT_SECONDS, new Map([[feed, answer]]));
  const [plan] = plansOf(decide(followed, executor, fresh, (option) => carrying(option, carriedBy(update, world.weth)))).filter(
    ({ candidate }) => candidate.slot === slot,
  );
  const [ran] = await run(world, [plan!]);
  if (!ran?.ok) throw new Error(ran?.reason);
  expect(ran.settlement.grossRaw).toBe(plan!.seizedRaw);
});

test('while the market is closed nothing is offered, and says so', async () => {
  await world.setPrices({ eth: 1_810 });
  const followed = await follow(world, executor);
  world.call(world.snx.perpsMarket, 'FeatureFlagModule', 'setFeatureFlagDenyAll', [
    `0x${Buffer.from('perpsSystem').toString('hex').padEnd(64, '0')}`,
    true,
  ]);
  await world.chain.mine();
  await followed.follower.advance();
  const slot = slotOf(followed, WHALE);
  expect(followed.protocol.options(slot, nextBlock(followed))).toEqual([]);
  expect(followed.protocol.refusal(slot, nextBlock(followed))?.reason).toBe('liquidation-paused');
});

test('the doctor knows a perps market from other contracts, and what is open there', async () => {
  const book = { wrappedNative: world.weth, 'synthetix-v3-perps': [{ name: 'snx', perpsMarket: world.snx.perpsMarket, fromBlock: 1 }] };
  const [told] = synthetixV3Perps.contracts(book as unknown as ProtocolBook);
  const rpcPool = await RpcPool.open([new SecretUrl(world.anvil.rpcUrl)]);
  try {
    expect(await faultOf(rpcPool, told!.address, told!.views)).toBeUndefined();
    expect(await faultOf(rpcPool, world.snx.usd, told!.views)).toMatch(/is another kind of contract/);
  } finally {
    rpcPool.close();
  }
  const { follower } = await follow(world);
  const open = await follower.perform(synthetixV3Perps.interest!(book as unknown as ProtocolBook)[0]!.mostOpen(), follower.head);
  const sizes = await Promise.all([ETH, BTC].map((id) => world.read<bigint>('PerpsMarketModule', 'size', [id])));
  expect(open).toBe((sizes[0]! * 2_000n + sizes[1]! * 40_000n) / WAD);
});

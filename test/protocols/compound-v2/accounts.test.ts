/** What single accounts and markets come to: interest that has to be accrued first, markets short of cash, prices of every kind, strangers. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { amountIn } from '../../../scripts/devnet/venus/deploy.ts';
import type { Option, Verdict } from '../../../src/protocols/types.ts';
import { isTwice } from './calls.ts';
import { holdsAt, ways } from './ways.ts';
import { CompoundWorld, lower, RUNNER } from './world.ts';

const FALL = { 'ETH / USD': 2_850_00000000n, 'BTC / USD': 89_000_00000000n };
const STRANGER: Address = '0x00000000000000000000000000000000005713a6';
const YEAR_BLOCKS = 2_628_000;

let world: CompoundWorld;
beforeAll(async () => {
  world = await CompoundWorld.open({ positions: 60, seed: 14 });
});
afterAll(() => world?.fixture.stop());

test('a pair that only the interest of a third market makes liquidatable accrues that first', async () => {
  const found: { option: Option; blocks: number }[] = [];
  for (const slot of world.protocol.slots()) {
    const liquidatableIn = (blocks: number) => world.protocol.judge(slot, world.later(blocks)).kind === 'liquidatable';
    if (world.account(slot).holdings.size < 3 || !liquidatableIn(YEAR_BLOCKS)) continue;
    let [healthy, due] = [1, YEAR_BLOCKS];
    while (due - healthy > 1) {
      const middle = Math.floor((healthy + due) / 2);
      if (liquidatableIn(middle)) due = middle;
      else healthy = middle;
    }
    for (const option of world.protocol.options(slot, world.later(due))) found.push({ option, blocks: due });
  }
  const ran = { with: [] as unknown[], without: [] as unknown[] };
  for (const { option, blocks } of found) {
    const { minRaw, maxRaw } = option.regimes[0]!;
    const steps = option.steps((minRaw + maxRaw) / 2n, [], RUNNER);
    const others = steps.findIndex((step) => step.kind !== 'call' || step.data.length > 10);
    if (others === 0) continue;
    ran.with.push((await world.run(steps, [], world.later(blocks))) === 'reverts');
    ran.without.push(await world.run(steps.slice(others), [], world.later(blocks)));
  }
  expect(ran.with.length).toBeGreaterThan(3);
  expect(ran.with).not.toContain(true);
  expect(new Set(ran.without)).toEqual(new Set(['reverts']));
});

test('no more is seized than the market can pay out', () =>
  world.undone(async () => {
    await world.price(FALL);
    const bitcoin = world.market('WBTC');
    const token = lower(world.fixture.market.tokens['WBTC']!);
    // Of one call: where cash ends before the close factor does, a second one finds none.
    const most = () =>
      ways(world).flatMap(({ option }) => (option.collateralAsset === token && !isTwice(option) ? [option.regimes[0]!.maxRaw] : []));
    const before = most();
    await world.enrich(STRANGER);
    await world.act(STRANGER, world.market('DAI'), 'mint', [50_000_000n * 10n ** 18n]);
    await world.rule('enterMarkets', [[world.market('DAI').address]], STRANGER);
    await world.mine();
    const cash = world.protocol.state.markets.get(lower(bitcoin.address))!.cash!;
    await world.act(STRANGER, bitcoin, 'borrow', [cash - amountIn(bitcoin, 900)]);
    expect((await world.mine()).get('borrow')).toBe(1);
    // The reserves are left alone, which the market may pay out any time: a little more would be taken.
    await holdsAt(world, world.later(2));
    const after = most();
    expect(after.length).toBe(before.length);
    expect(after.some((amount, place) => amount < before[place]!)).toBe(true);
    // All of it lent out: nothing can be redeemed, so nothing is seized.
    await world.act(STRANGER, bitcoin, 'borrow', [amountIn(bitcoin, 900)]);
    await world.mine();
    expect(most()).toEqual([]);
    const stuck = [...world.protocol.slots()].filter(
      (slot) => verdicts()[slot] === 'liquidatable' && world.protocol.options(slot, world.later()).length === 0,
    );
    expect(new Set(stuck.map((slot) => world.protocol.refusal(slot, world.later())?.reason))).toEqual(new Set(['no-cash']));
  }));

const verdicts = (at = world.later()): readonly Verdict['kind'][] =>
  Array.from(world.protocol.slots(), (slot) => world.protocol.judge(slot, at).kind);

test('a pending update moves judgements as its mining does', () =>
  world.undone(async () => {
    const before = verdicts();
    // Three blocks: each price is mined in its own, and one more follows.
    const pending = verdicts({ ...world.later(3, FALL) });
    await world.price(FALL);
    expect(verdicts()).toEqual(pending);
    expect(pending).not.toEqual(before);
  }));

test('a price that does not come from the feed is read, and moved by no update; one that is not there judges nobody', () =>
  world.undone(async () => {
    const ether = lower('0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB');
    const deployer = world.fixture.chain.deployer.address;
    const oracle = (functionName: string, args: readonly unknown[]) =>
      world.sender.call(deployer, world.venus.oracle, world.venus.artifacts.VenusOracleDouble.abi, functionName, args);
    await oracle('setDirectPrice', [ether, 2_700n * 10n ** 18n]);
    await world.mine();
    const fallen = verdicts();
    expect(fallen).toContain('liquidatable');
    await holdsAt(world);
    expect(verdicts(world.later(1, { 'ETH / USD': 100_00000000n }))).toEqual(fallen);
    await oracle('setDirectPrice', [ether, 0n]);
    await oracle('setTokenConfig', [{ asset: ether, feed: `0x${'0'.repeat(40)}`, maxStalePeriod: 1n }]);
    await world.mine();
    const concerned = Array.from(world.protocol.slots(), (slot) => world.account(slot).holdings.has(lower(world.market('WETH').address)));
    expect(verdicts().map((kind) => kind === 'unknown')).toEqual(concerned);
    expect(concerned).toContain(false);
  }));

test('a stranger who borrows is judged from that block on', () =>
  world.undone(async () => {
    await world.enrich(STRANGER);
    const [dai, bitcoin] = [world.market('DAI'), world.market('WBTC')];
    await world.act(STRANGER, dai, 'mint', [10_000n * 10n ** 18n]);
    await world.act(STRANGER, bitcoin, 'mint', [10n ** 8n]);
    await world.rule('enterMarkets', [[dai.address]], STRANGER);
    await world.act(STRANGER, bitcoin, 'borrow', [amountIn(bitcoin, 7_000)]);
    expect((await world.mine()).get('borrow')).toBe(1);
    const account = world.account(world.slotOf(STRANGER));
    // Whoever borrows in a market has entered it, with what is already there.
    expect([...account.holdings.values()].map(({ market, tokens, principal }) => [market.symbol, tokens > 0n, principal > 0n])).toEqual([
      ['WBTC', true, true],
      ['DAI', true, false],
    ]);
    expect(await world.follower.audit()).toEqual([]);
    await world.act(STRANGER, bitcoin, 'redeemUnderlying', [10n ** 8n / 2n]);
    await world.mine();
    expect(await world.follower.audit()).toEqual([]);
  }));

/** Liquidations mined: what Morpho says that it moved, and what the mirror makes of it. */
import { type Hex, toFunctionSelector } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { Option } from '../../../src/protocols/types.ts';
import { expectNearly, partOf } from '../../support/left-over.ts';
import { expectSized, type Given, gridOf, nothingSized, worthsAfter } from '../../support/sizing.ts';
import { type Attempt, LIQUIDATOR, lower, MorphoWorld } from './world.ts';

let world: MorphoWorld;
beforeAll(async () => {
  world = await MorphoWorld.open({ positions: 60, seed: 8 });
});
afterAll(() => world?.fixture.stop());

const WAD = 10n ** 18n;
/** Positions that are sized after each fall, and amounts of each. */
const SIZED = 4;
const POINTS = 40n;
/** ETH and BTC so low that no collateral covers its debt; or low enough to be liquidatable and still covered. */
const RUIN = { 'ETH / USD': 1_500_00000000n, 'BTC / USD': 50_000_00000000n };
/** Some are covered by so little that a part leaves them with less. */
const DEEP = { 'ETH / USD': 2_400_00000000n, 'BTC / USD': 77_000_00000000n };
const FALL = { 'ETH / USD': 2_850_00000000n, 'BTC / USD': 89_000_00000000n };

/** The amounts of Morpho's call, off the calldata that the option makes. */
function callOf(option: Option, amountRaw: bigint): Pick<Attempt, 'seizedAssets' | 'repaidShares'> {
  const step = option.steps(amountRaw, [], LIQUIDATOR)[0]!;
  if (step.kind !== 'enter') throw new Error('no call of Morpho');
  const word = (index: number) => BigInt(`0x${step.data.slice(10 + 64 * index, 74 + 64 * index)}`);
  return { seizedAssets: word(6), repaidShares: word(7) };
}

function saidOf(option: Option, amountRaw: bigint) {
  const [paid, got] = option.flow(amountRaw);
  return { repaidAssets: -paid!.deltaRaw, seizedAssets: got!.deltaRaw };
}

const cases = [
  { what: 'a part', prices: FALL, amount: (maxRaw: bigint) => maxRaw / 3n, leaves: { debt: true, collateral: true, bad: false } },
  { what: 'the whole debt', prices: FALL, amount: (maxRaw: bigint) => maxRaw, leaves: { debt: false, collateral: true, bad: false } },
  { what: 'all collateral', prices: RUIN, amount: (maxRaw: bigint) => maxRaw, leaves: { debt: false, collateral: false, bad: true } },
  { what: 'all but a unit', prices: RUIN, amount: (maxRaw: bigint) => maxRaw - 1n, leaves: { debt: true, collateral: true, bad: false } },
];

test.each(cases)('$what is taken as planned, and followed', ({ prices, amount, leaves }) =>
  world.undone(async () => {
    await world.price(prices);
    const at = world.later();
    const [slot] = [...world.protocol.slots()].filter((one) => world.protocol.options(one, at).length > 0);
    const [option] = world.protocol.options(slot!, at);
    const { maxRaw } = option!.regimes.at(-1)!;
    const amountRaw = amount(maxRaw);
    const receipt = await world.liquidate({ borrower: world.protocol.accountOf(slot!), ...callOf(option!, amountRaw) });
    const told = world.liquidationIn(receipt)!;
    expect(told).toMatchObject(saidOf(option!, amountRaw));
    expect(told.badDebtShares > 0n).toBe(leaves.bad);
    await world.follower.advance();
    const { borrowShares, collateral } = world.protocol.state.positions[slot!]!;
    expect({ debt: borrowShares > 0n, collateral: collateral > 0n, bad: told.badDebtShares > 0n }).toEqual(leaves);
    expect(await world.follower.audit()).toEqual([]);
  }),
);

test('what is left after a part is what Morpho lets be taken in the next block', async () => {
  const seen = { left: 0, healed: 0 };
  for (const prices of [FALL, DEEP])
    await world.undone(async () => {
      await world.price(prices);
      const at = world.later();
      const slots = [...world.protocol.slots()].filter((slot) => world.protocol.options(slot, at).length > 0);
      for (const [place, slot] of slots.slice(0, 8).entries()) {
        const [option] = world.protocol.options(slot, at);
        const takenRaw = partOf(option!, [3n, 8n, 13n, 16n][place % 4]!);
        const rest = option!.rest!(takenRaw);
        const borrower = world.protocol.accountOf(slot);
        await world.undone(async () => {
          await world.liquidate({ borrower, ...callOf(option!, takenRaw) });
          await world.follower.advance();
          const later = world.later();
          const [then] = world.protocol.options(slot, later);
          expectNearly(rest, then?.regimes ?? [], `${borrower} after ${takenRaw}`);
          seen[rest.length === 0 ? 'healed' : 'left']++;
          // Who owes nothing any more is in no market that could be asked about.
          if (world.slotsOf(borrower).length === 0) return;
          const asked = {
            borrower,
            ...callOf(...(then === undefined ? ([option!, 1n] as const) : ([then, then.regimes[0]!.maxRaw] as const))),
            timestamp: later.timestamp,
          };
          expect((await world.ask([asked]))[0] === 'reverts').toBe(rest.length === 0);
        });
      }
    });
  expect(seen.left).toBeGreaterThan(3);
  expect(seen.healed).toBeGreaterThan(1);
});

test('what is planned makes as much as the best of a fine grid of amounts that Morpho takes, within 0.1%, in random pools', async () => {
  const seen = nothingSized();
  const { tokens } = world.fixture.market;
  for (const prices of [FALL, DEEP, RUIN])
    await world.undone(async () => {
      await world.price(prices);
      const at = world.later();
      const liquidatable = [...world.protocol.slots()].filter((slot) => world.protocol.options(slot, at).length > 0);
      for (const slot of liquidatable.filter((_, place) => place % Math.ceil(liquidatable.length / SIZED) === 0)) {
        const option = world.protocol.options(slot, at)[0]!;
        const borrower = world.protocol.accountOf(slot);
        const amounts = gridOf(option, POINTS);
        const asked = amounts.map((amountRaw) => ({ borrower, ...callOf(option, amountRaw), timestamp: at.timestamp }));
        const points = (await world.ask(asked)).flatMap((outcome, index): Given[] =>
          outcome === 'reverts' ? [] : [{ amountRaw: amounts[index]!, paidRaw: outcome.repaidRaw, gotRaw: outcome.seizedRaw }],
        );
        expectSized({ options: [option], given: [[option, points]] }, lower(tokens['WETH']!), worthsAfter(tokens, prices), at, slot, seen);
      }
    });
  expect(seen.cases).toBeGreaterThan(25);
  expect(seen.part).toBeGreaterThan(10);
});

/** By Morpho's own words of a block: what the collateral lets be borrowed, and what is. */
async function healthOf(slot: number): Promise<bigint> {
  const { account, market } = world.protocol.state.positions[slot]!;
  const { timestamp } = world.follower.head;
  const ask = (functionName: string, args: readonly unknown[]) => world.answers(LIQUIDATOR, functionName, args, timestamp);
  const [, borrowShares, collateral] = (await ask('position', [market.id, account])) as readonly bigint[];
  const [, , borrowed, shares] = (await ask('market', [market.id])) as readonly bigint[];
  const oracle = { to: market.params.oracle, data: toFunctionSelector('price()') };
  const price = BigInt(await rpc<Hex>(world.sender.url, 'eth_call', [oracle, 'latest']));
  const limit = (((collateral! * price) / 10n ** 36n) * market.params.lltv) / WAD;
  const [owed, whole] = [borrowShares! * (borrowed! + 1n), shares! + 1_000_000n];
  return (limit * WAD) / ((owed + whole - 1n) / whole);
}

/** After something happened in a block of this time, which is taken back. */
async function healthBy(slot: number, timestamp: number, act: () => Promise<unknown>): Promise<bigint> {
  let health = 0n;
  await world.undone(async () => {
    await rpc(world.sender.url, 'evm_setNextBlockTimestamp', [timestamp]);
    await act();
    await world.follower.advance();
    health = await healthOf(slot);
  });
  return health;
}

test('an amount is toxic exactly where Morpho’s own words tell less health after it, and all of the collateral never is', async () => {
  const seen = { toxic: 0, wholesome: 0 };
  for (const prices of [FALL, DEEP])
    await world.undone(async () => {
      await world.price(prices);
      const at = world.later();
      const slots = [...world.protocol.slots()].filter((slot) => world.protocol.options(slot, at).length > 0);
      for (const slot of slots.slice(0, 8)) {
        const [option] = world.protocol.options(slot, at);
        const { maxRaw } = option!.regimes.at(-1)!;
        const lowering = option!.lowersHealth!(maxRaw / 3n);
        if (maxRaw === world.protocol.state.positions[slot]!.collateral) expect(option!.lowersHealth!(maxRaw)).toBeUndefined();
        // In the same block: its interest alone, or the liquidation too.
        const before = await healthBy(slot, at.timestamp, async () => {
          await world.call(LIQUIDATOR, 'accrueInterest', [world.protocol.state.positions[slot]!.market.params]);
          await world.sender.mine();
        });
        const borrower = world.protocol.accountOf(slot);
        const left = await healthBy(slot, at.timestamp, () => world.liquidate({ borrower, ...callOf(option!, maxRaw / 3n) }));
        expect(left < before).toBe(lowering !== undefined);
        seen[lowering === undefined ? 'wholesome' : 'toxic']++;
        if (lowering !== undefined) expect(lowering).toEqual({ beforeWad: before, afterWad: left });
      }
    });
  expect(seen.toxic).toBeGreaterThan(3);
  expect(seen.wholesome).toBeGreaterThan(3);
});

test('a plan’s amounts are still accepted two minutes later, and cost no more than was set aside', () =>
  world.undone(async () => {
    await world.price(FALL);
    const at = world.later();
    const asked: (Attempt & { timestamp: number })[] = [];
    const most: bigint[] = [];
    for (const slot of world.protocol.slots()) {
      for (const option of world.protocol.options(slot, at)) {
        if (option.financing.kind !== 'callback') throw new Error('Morpho needs no loan');
        for (const amountRaw of [option.regimes[0]!.maxRaw / 2n, option.regimes[0]!.maxRaw]) {
          asked.push({ borrower: world.protocol.accountOf(slot), ...callOf(option, amountRaw), timestamp: at.timestamp + 120 });
          most.push(option.financing.owedRaw(amountRaw));
        }
      }
    }
    expect(asked.length).toBeGreaterThan(20);
    for (const [index, outcome] of (await world.ask(asked)).entries()) {
      if (outcome === 'reverts') throw new Error('a plan does not last');
      expect(outcome.repaidRaw).toBeLessThanOrEqual(most[index]!);
    }
  }));

test('left to the lenders or not is the operator’s choice', () =>
  world.undone(async () => {
    await world.price(RUIN);
    const at = world.later();
    const largest = (one: MorphoWorld['protocol']) =>
      Array.from(one.slots(), (slot) => one.options(slot, at)[0]?.regimes.at(-1)?.maxRaw ?? 0n);
    const { protocol: leaving, follower } = world.another('leave');
    await follower.anchor();
    const [realised, left] = [largest(world.protocol), largest(leaving)];
    const collateral = Array.from(world.protocol.slots(), (slot) => world.protocol.state.positions[slot]!.collateral);
    const short = realised.flatMap((maxRaw, index) => (maxRaw === collateral[index] ? [index] : []));
    expect(short.length).toBeGreaterThan(10);
    for (const index of short) expect(left[index]).toBe(realised[index]! - 1n);
  }));

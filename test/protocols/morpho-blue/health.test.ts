/** Judgements and amounts against Morpho itself, at timestamps to come. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import { Lens, standingOf } from '../../../src/protocols/morpho-blue/lens.ts';
import { type Attempt, LIQUIDATOR, MorphoWorld, type Outcome } from './world.ts';

const POSITIONS = 520;
const MINUTE = 60;
const YEAR = 365 * 86_400;

let world: MorphoWorld;
beforeAll(async () => {
  world = await MorphoWorld.open({ positions: POSITIONS, seed: 21 });
});
afterAll(() => world?.fixture.stop());

const falls: Readonly<Record<string, bigint>>[] = [
  {},
  { 'ETH / USD': 2_900_00000000n, 'BTC / USD': 91_300_00000000n },
  { 'LINK / USD': 12_60000000n, 'ETH / USD': 3_180_00000000n },
  { 'ETH / USD': 2_100_00000000n, 'BTC / USD': 60_000_00000000n, 'LINK / USD': 8_00000000n },
];

test('what the logs told is what Morpho stores, for every market and position', async () => {
  expect(world.protocol.count()).toBe(POSITIONS);
  expect(await world.follower.audit()).toEqual([]);
});

test.each([falls[0]!, falls[2]!])('health is Morpho’s own at any later time, after %o', (prices) =>
  world.undone(async () => {
    await world.price(prices);
    const random = new Prng(5);
    const asked: (Attempt & { timestamp: number })[] = [];
    const expected: boolean[] = [];
    for (const slot of world.protocol.slots()) {
      const at = world.later(Math.round(random.logBetween(1, YEAR)));
      asked.push({ borrower: world.protocol.accountOf(slot), seizedAssets: 1n, repaidShares: 0n, timestamp: at.timestamp });
      expected.push(world.protocol.judge(slot, at).kind === 'liquidatable');
    }
    const outcomes = await world.ask(asked);
    expect(outcomes.map((outcome) => outcome !== 'reverts')).toEqual(expected);
    expect(new Set(expected).size).toBe(2);
  }),
);

test('what is owed, and the last unit of collateral that holds it, are Morpho’s own at any later time', async () => {
  const { protocol, feeds, follower } = world;
  const random = new Prng(7);
  const repaid: bigint[] = [];
  const owed: bigint[] = [];
  const held: boolean[] = [];
  await Promise.all(
    [...protocol.slots()].map(async (slot, place) => {
      const at = world.later(Math.round(random.logBetween(1, YEAR)));
      const position = protocol.state.positions[slot]!;
      const now = new Lens(protocol.state, at, momentOf(follower.head, feeds)).market(position.market);
      const healthyWith = (collateral: bigint) => {
        const standing = standingOf({ ...position, collateral }, now);
        return standing.ok && standing.healthFactorWad >= 10n ** 18n;
      };
      const { account, market, borrowShares, collateral } = position;
      const ask = (from: Address, functionName: string, args: readonly unknown[]) => world.answers(from, functionName, args, at.timestamp);
      owed[place] = protocol.view(slot, at).debt[0]!.amountRaw;
      repaid[place] = ((await ask(LIQUIDATOR, 'repay', [market.params, 0n, borrowShares, account, '0x'])) as readonly bigint[])[0]!;
      if (!healthyWith(collateral)) return;
      const least = leastOf(collateral, healthyWith);
      const withdraw = (kept: bigint) => ask(account, 'withdrawCollateral', [market.params, collateral - kept, account, account]);
      held.push((await withdraw(least)) !== undefined, (await withdraw(least - 1n)) === undefined);
    }),
  );
  expect(owed).toEqual(repaid);
  expect(owed.length).toBe(POSITIONS);
  expect(held.length).toBeGreaterThan(POSITIONS / 2);
  expect(held.every(Boolean)).toBe(true);
});

/** The least collateral with which it holds; it does with `most`. */
function leastOf(most: bigint, holds: (collateral: bigint) => boolean): bigint {
  let [breaks, least] = [0n, most];
  while (least - breaks > 1n) {
    const middle = (breaks + least) / 2n;
    if (holds(middle)) least = middle;
    else breaks = middle;
  }
  return least;
}

test.each([falls[1]!, falls[3]!])('amounts are Morpho’s own to the unit, over the whole of each regime, after %o', (prices) =>
  world.undone(async () => {
    await world.price(prices);
    const random = new Prng(6);
    const said: Outcome[] = [];
    const asked: (Attempt & { timestamp: number })[] = [];
    for (const slot of world.protocol.slots()) {
      const at = world.later(Math.round(random.logBetween(1, 30 * MINUTE)));
      for (const option of world.protocol.options(slot, at)) {
        const { minRaw, maxRaw } = option.regimes[0]!;
        const some = minRaw + ((maxRaw - minRaw) * BigInt(Math.floor(random.next() * 1e6))) / 1_000_000n;
        for (const amountRaw of new Set([minRaw, some, maxRaw - 1n, maxRaw])) {
          const call = option.steps(amountRaw, [], LIQUIDATOR)[0]!;
          if (call.kind !== 'enter') throw new Error('no call of Morpho');
          const word = (index: number) => BigInt(`0x${call.data.slice(10 + 64 * index, 74 + 64 * index)}`);
          const borrower = world.protocol.accountOf(slot);
          asked.push({ borrower, seizedAssets: word(6), repaidShares: word(7), timestamp: at.timestamp });
          const [paid, got] = option.flow(amountRaw);
          said.push({ seizedRaw: got!.deltaRaw, repaidRaw: -paid!.deltaRaw });
        }
      }
    }
    expect(asked.length).toBeGreaterThan(100);
    expect(await world.ask(asked)).toEqual(said);
  }),
);

test('the second at which interest makes a position liquidatable is Morpho’s own', async () => {
  const slots = [...world.protocol.slots()].filter((_, index) => index % 5 === 0);
  const asked: (Attempt & { timestamp: number })[] = [];
  for (const slot of slots) {
    const liquidatableIn = (seconds: number) => world.protocol.judge(slot, world.later(seconds)).kind === 'liquidatable';
    if (liquidatableIn(1) || !liquidatableIn(3 * YEAR)) continue;
    let healthy = 1;
    let due = 3 * YEAR;
    while (due - healthy > 1) {
      const middle = Math.floor((healthy + due) / 2);
      if (liquidatableIn(middle)) due = middle;
      else healthy = middle;
    }
    const call = { borrower: world.protocol.accountOf(slot), seizedAssets: 1n, repaidShares: 0n };
    asked.push(...[healthy, due].map((seconds) => ({ ...call, timestamp: world.follower.head.timestamp + seconds })));
  }
  expect(asked.length).toBeGreaterThan(60);
  const outcomes = await world.ask(asked);
  expect(outcomes.map((outcome) => outcome === 'reverts')).toEqual(asked.map((_, index) => index % 2 === 0));
});

test('the largest amount is the largest that Morpho takes', () =>
  world.undone(async () => {
    await world.price({ 'ETH / USD': 2_800_00000000n, 'BTC / USD': 84_000_00000000n });
    const at = world.later();
    const asked: (Attempt & { timestamp: number })[] = [];
    const allowed: boolean[] = [];
    for (const slot of world.protocol.slots()) {
      const [option] = world.protocol.options(slot, at);
      if (option === undefined) continue;
      const { maxRaw } = option.regimes[0]!;
      const borrower = world.protocol.accountOf(slot);
      // Beyond the largest amount Morpho lets nobody go: no collateral is left, or no debt.
      asked.push({ borrower, seizedAssets: maxRaw, repaidShares: 0n, timestamp: at.timestamp });
      asked.push({ borrower, seizedAssets: maxRaw + maxRaw / 1_000_000n + 1_000n, repaidShares: 0n, timestamp: at.timestamp });
      allowed.push(true, false);
    }
    expect(asked.length).toBeGreaterThan(100);
    expect((await world.ask(asked)).map((outcome) => outcome !== 'reverts')).toEqual(allowed);
  }));

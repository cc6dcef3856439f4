/** What an option says against what the pool does: each edge of each regime executed on a snapshot. */
import type { Address } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Option } from '../../../src/protocols/types.ts';
import { expectNearly, partOf } from '../../support/left-over.ts';
import { expectSized, type Given, gridOf, nothingSized, worthsAfter } from '../../support/sizing.ts';
import { amountsOf, LIQUIDATOR, LiquidationWorld, saidOf } from './liquidator.ts';
import { SCENES } from './scene.ts';
import { standingAfter } from './toxicity.ts';

const MAX_UINT256 = 2n ** 256n - 1n;
/** Amounts of a first call that are tried. */
const GRID = 24n;
/** Toxic amounts, and others, that are carried out. */
const ENOUGH_OF_EACH = 8;
/** Accounts that are sized after each fall, and amounts of each. */
const SIZED = 4;
const POINTS = 40n;
const FALLS = [
  { 'ETH / USD': 2_850_00000000n, 'BTC / USD': 92_000_00000000n, 'SNX / USD': 1_60000000n },
  { 'ETH / USD': 2_100_00000000n, 'BTC / USD': 75_000_00000000n, 'LINK / USD': 10_00000000n },
];
const isTwice = (option: Option) => option.label.endsWith(' twice');

describe.each(SCENES)('a market of %s', (release, open) => {
  let world: LiquidationWorld;

  beforeAll(async () => {
    world = await LiquidationWorld.open({ positions: 160, seed: 3 }, open);
  }, 120_000);
  afterAll(async () => {
    await world?.fixture.stop();
  });

  type Offer = { account: Address; option: Option };

  function allOffers(): Offer[] {
    const { market } = world.follower;
    const at = world.next();
    return [...market.slots()].flatMap((slot) => market.options(slot, at).map((option) => ({ account: market.accountOf(slot), option })));
  }

  /** Those of one call. */
  function offers(): Offer[] {
    return allOffers().filter(({ option }) => !isTwice(option));
  }

  /** The calls of an option as it makes them, all in one block, and what they come to. */
  async function runTwice({ account, option }: Offer, amountRaw: bigint): Promise<{ repaidRaw: bigint; receivedRaw: bigint } | 'reverts'> {
    const { pool } = world.fixture.market.aave;
    const calls = option.steps(amountRaw, [], LIQUIDATOR).flatMap((step) => (step.kind === 'call' ? [step.data] : []));
    expect(calls, account).toHaveLength(2);
    return world.sender.undone(async () => {
      for (const data of calls) await world.sender.send(LIQUIDATOR, pool, data, 'liquidate');
      return world.sumOfOutcomes();
    });
  }

  /** The most collateral that any first amount of a grid brings, with all that the pool then gives for another call. */
  async function bestOfGrid(account: Address, single: Option): Promise<bigint> {
    const { minRaw, maxRaw } = single.regimes[0]!;
    let best = 0n;
    for (let step = 1n; step <= GRID; step++) {
      const firstRaw = minRaw + ((maxRaw - minRaw) * step) / GRID;
      await world.sender.undone(async () => {
        for (const amountRaw of [firstRaw, MAX_UINT256]) {
          await world.attempt(single, account, amountRaw);
        }
        const sum = await world.sumOfOutcomes();
        if (sum !== 'reverts' && sum.receivedRaw > best) best = sum.receivedRaw;
      });
    }
    return best;
  }

  /** Every claim of one option. Returns how many calls were executed. */
  async function probe({ account, option }: Offer): Promise<number> {
    let executed = 0;
    const run = async (amountRaw: bigint) => {
      executed++;
      return amountsOf(await world.liquidate(option, account, amountRaw));
    };
    const says = (amountRaw: bigint) => `${option.label} of ${account}: ${amountRaw}`;
    for (const { minRaw, maxRaw } of option.regimes) {
      for (const amountRaw of new Set([minRaw, (minRaw + maxRaw) / 2n, maxRaw])) {
        expect(await run(amountRaw), says(amountRaw)).toEqual(saidOf(option, amountRaw));
      }
    }
    for (const [place, { maxRaw }] of option.regimes.entries()) {
      const gapEnd = option.regimes[place + 1]?.minRaw;
      if (gapEnd !== undefined) {
        for (const amountRaw of new Set([maxRaw + 1n, (maxRaw + gapEnd) / 2n, gapEnd - 1n]))
          expect(await run(amountRaw), says(amountRaw)).toBe('reverts');
      }
    }
    const most = option.regimes.at(-1)!.maxRaw;
    for (const amountRaw of [most + 1n, MAX_UINT256]) {
      const outcome = await run(amountRaw);
      // Refused where the pool's own maximum would leave dust; otherwise the maximum again, and no more.
      if (outcome !== 'reverts') expect(outcome, says(amountRaw)).toEqual(saidOf(option, most));
    }
    const least = option.regimes[0]!.minRaw;
    if (least > 1n) expect(await run(least - 1n), says(least - 1n)).toBe('reverts');
    return executed;
  }

  /** Some of each shape, so that a few hundred executions see every rule. */
  function sample(all: readonly Offer[], each: number): Offer[] {
    const byShape = new Map<string, Offer[]>();
    for (const offer of all) {
      const shape = `${offer.option.label} ${offer.option.regimes.length}`;
      byShape.set(shape, [...(byShape.get(shape) ?? []), offer]);
    }
    return [...byShape.values()].flatMap((alike) => alike.slice(0, each));
  }

  async function afterPrices(prices: Readonly<Record<string, bigint>>, act: () => Promise<void>): Promise<void> {
    await world.undone(async () => {
      for (const [name, price] of Object.entries(prices)) await world.fixture.setPrice(name, price);
      await world.follower.advance();
      await act();
    });
  }

  test.each([
    ['a fall', { 'ETH / USD': 2_780_00000000n, 'BTC / USD': 91_000_00000000n, 'SNX / USD': 1_60000000n }],
    ['a crash', { 'ETH / USD': 1_450_00000000n, 'BTC / USD': 60_000_00000000n, 'LINK / USD': 6_00000000n }],
    ['a rally', { 'ETH / USD': 3_900_00000000n, 'BTC / USD': 125_000_00000000n }],
  ])(
    'after %s every regime holds at its edges',
    (_, prices) =>
      afterPrices(prices, async () => {
        let executed = 0;
        for (const offer of sample(offers(), 1)) executed += await probe(offer);
        // Without a dust rule there are fewer edges.
        expect(executed).toBeGreaterThan(release === '3.0' ? 40 : 60);
      }),
    120_000,
  );

  // Before 3.3 half of a reserve's debt is the rule of each call.
  if (release === '3.0')
    test(
      'two calls take what they say, and more than one can',
      () =>
        afterPrices({ 'ETH / USD': 2_850_00000000n, 'BTC / USD': 95_000_00000000n }, async () => {
          const all = allOffers();
          const twice = all.filter(({ option }) => isTwice(option));
          expect(twice.length).toBeGreaterThan(3);
          let grown = 0;
          for (const offer of sample(twice, 1).slice(0, 4)) {
            const { account, option } = offer;
            const single = all.find((other) => other.account === account && option.label.startsWith(`${other.option.label} `))!.option;
            const most = single.regimes.at(-1)!.maxRaw;
            for (const { minRaw, maxRaw } of option.regimes) {
              expect(minRaw).toBeGreaterThan(most);
              for (const amountRaw of new Set([minRaw, (minRaw + maxRaw) / 2n, maxRaw]))
                expect(await runTwice(offer, amountRaw), `${option.label} of ${account}: ${amountRaw}`).toEqual(saidOf(option, amountRaw));
            }
            // At a health below 1 by little the first of the calls is small, and so is what the second gains.
            const [both, one] = [saidOf(option, option.regimes.at(-1)!.maxRaw), saidOf(single, most)];
            expect(both.receivedRaw).toBeGreaterThan(one.receivedRaw);
            if (grown++ === 0) expect(both.receivedRaw * 1_000n).toBeGreaterThan((await bestOfGrid(account, single)) * 999n);
          }
          expect(grown).toBeGreaterThan(1);
        }),
      120_000,
    );

  test(
    'an amount is toxic where the pool finds less health after it, and nowhere else',
    () =>
      afterPrices({ 'ETH / USD': 2_350_00000000n, 'BTC / USD': 80_000_00000000n, 'LINK / USD': 11_00000000n }, async () => {
        const checked = { toxic: 0, wholesome: 0 };
        for (const { account, option } of sample(offers(), 3)) {
          const { minRaw, maxRaw } = option.regimes[0]!;
          const amountRaw = (minRaw + maxRaw) / 2n;
          const lowering = option.lowersHealth?.(amountRaw);
          if (++checked[lowering === undefined ? 'wholesome' : 'toxic'] > ENOUGH_OF_EACH) continue;
          const before = (await standingAfter(world, account)).healthFactorWad;
          const after = (await standingAfter(world, account, option, amountRaw)).healthFactorWad;
          if (lowering === undefined) expect(after, `${option.label} of ${account}`).toBeGreaterThanOrEqual(before);
          else {
            expect(lowering.beforeWad).toBe(before);
            expect(after, `${option.label} of ${account}`).toBeLessThan(before);
            // To the raw unit of what the treasury gets.
            expect(Number(lowering.afterWad) / Number(after)).toBeCloseTo(1, 8);
          }
        }
        expect(checked.toxic).toBeGreaterThan(3);
        expect(checked.wholesome).toBeGreaterThan(3);
      }),
    120_000,
  );

  test(
    'what takes all of the collateral is not toxic: nothing is left to be worse off',
    () =>
      afterPrices({ 'ETH / USD': 2_000_00000000n }, async () => {
        const isSole = ({ account }: Offer) => {
          const { market } = world.follower;
          const { collateral, owed } = market.state.accounts.read(market.slotOf(account)!);
          return collateral.size === 1 && owed.size === 1;
        };
        const { option, account } = offers().find(
          (offer) => isSole(offer) && offer.option.lowersHealth?.(offer.option.regimes[0]!.minRaw) !== undefined,
        )!;
        const most = option.regimes.at(-1)!.maxRaw;
        expect(option.lowersHealth!(most)).toBeUndefined();
        expect((await standingAfter(world, account, option, most)).collateralBase).toBe(0n);
      }),
    60_000,
  );

  test('what is planned makes as much as the best of a fine grid of amounts that the pool takes, within 0.1%, in random pools', async () => {
    const seen = nothingSized();
    const { tokens } = world.fixture.market;
    const weth = tokens['WETH']!.toLowerCase() as Address;
    for (const [place, prices] of FALLS.entries())
      await afterPrices(prices, async () => {
        const at = world.next();
        const worths = worthsAfter(tokens, prices);
        const all = allOffers();
        const sized = sample(offers(), 1).filter(({ option }) => option.debtAsset !== option.collateralAsset);
        for (const { account, option } of sized.filter((_, index) => index % 2 === place % 2).slice(0, SIZED)) {
          const twice = all.find((other) => other.account === account && other.option.label === `${option.label} twice`)?.option;
          const call = (amountRaw: bigint) => ({ pair: option, borrower: account, amountRaw });
          const singles = gridOf(option, POINTS).map((amountRaw) => [amountRaw]);
          const { maxRaw } = option.regimes.at(-1)!;
          const steps = Array.from({ length: 8 }, (_, step) => BigInt(step + 1));
          const doubles = steps.flatMap((first) => steps.map((then) => [(maxRaw * first) / 8n, (maxRaw * then) / 8n]));
          const grids: [Option, readonly (readonly bigint[])[]][] = [[option, singles]];
          if (twice !== undefined) grids.push([twice, doubles]);
          const given = grids.map(async ([base, grid]) => {
            const outcomes = await world.simulated(
              grid.map((amounts) => amounts.map(call)),
              at.timestamp,
            );
            const points = outcomes.flatMap((outcome, index): Given[] => {
              if (outcome === 'reverts') return [];
              const amountRaw = grid[index]!.reduce((sum, amount) => sum + amount, 0n);
              return [{ amountRaw, paidRaw: outcome.repaidRaw, gotRaw: outcome.receivedRaw }];
            });
            return [base, points] as const;
          });
          const options = twice === undefined ? [option] : [option, twice];
          expectSized({ options, given: await Promise.all(given) }, weth, worths, at, place * 100 + seen.accounts, seen);
        }
      });
    expect(seen.cases).toBeGreaterThan(20);
    expect(seen.part).toBeGreaterThan(10);
    if (release === '3.0') expect(seen.twice).toBeGreaterThan(1);
  }, 120_000);

  test(
    'what is left after a part is what the pool lets be taken in the next block, of the same pair and of others',
    () =>
      afterPrices({ 'ETH / USD': 2_700_00000000n, 'BTC / USD': 88_000_00000000n, 'LINK / USD': 13_50000000n }, async () => {
        const seen = { left: 0, healed: 0, others: 0 };
        const known = offers().filter(({ option }) => option.rest !== undefined);
        const several = known.filter(({ option }) => option.others !== undefined);
        for (const [place, { account, option }] of [...sample(known, 1), ...several.slice(0, 6)].slice(0, 14).entries()) {
          const takenRaw = partOf(option, [3n, 8n, 13n, 16n][place % 4]!);
          const [rest, others] = [option.rest!(takenRaw), option.others?.(takenRaw) ?? []];
          await world.undone(async () => {
            await world.attempt(option, account, takenRaw);
            expect(await world.outcome()).not.toBe('reverts');
            await world.follower.advance();
            const now = allOffers().filter((offer) => offer.account === account);
            const same = now.find((offer) => offer.option.label === option.label);
            expectNearly(rest, same?.option.regimes ?? [], `${option.label} of ${account} after ${takenRaw}`);
            if (rest.length === 0) {
              seen.healed++;
              expect(await world.liquidate(option, account, option.regimes[0]!.minRaw + takenRaw / 2n)).toBe('reverts');
            } else {
              seen.left++;
              const most = same!.option.regimes.at(-1)!.maxRaw;
              expect(amountsOf(await world.liquidate(option, account, most))).toEqual(saidOf(same!.option, most));
            }
            const other = now.filter((offer) => !offer.option.label.startsWith(option.label));
            expect(others.map(({ label }) => label)).toEqual(other.map((offer) => offer.option.label));
            for (const [index, { label, regimes }] of others.entries()) {
              seen.others++;
              expectNearly(regimes, other[index]!.option.regimes, `${label} of ${account} after ${takenRaw} of ${option.label}`);
            }
          });
        }
        expect(seen.left).toBeGreaterThan(3);
        expect(seen.healed).toBeGreaterThan(0);
        expect(seen.others).toBeGreaterThan(3);
      }),
    60_000,
  );

  test(
    'what is not offered cannot be taken',
    () =>
      afterPrices({ 'ETH / USD': 2_600_00000000n }, async () => {
        const { market } = world.follower;
        const at = world.next();
        let refused = 0;
        for (const slot of [...market.slots()].slice(0, 60)) {
          const account = market.state.accounts.read(slot);
          const offered = new Set(market.options(slot, at).map(({ label }) => label));
          for (const debt of market.state.reserves.values()) {
            for (const collateral of market.state.reserves.values()) {
              const touched = account.owed.has(debt.id) || account.collateral.has(collateral.id);
              if (!touched || offered.has(`${debt.symbol}/${collateral.symbol}`) || (slot + debt.id + collateral.id) % 5 !== 0) continue;
              const pair = { debtAsset: debt.asset, collateralAsset: collateral.asset };
              expect(
                await world.liquidate(pair, account.address, debt.unit / 100n),
                `${debt.symbol}/${collateral.symbol} of ${account.address}`,
              ).toBe('reverts');
              refused++;
            }
          }
        }
        expect(refused).toBeGreaterThan(50);
      }),
    60_000,
  );

  test(
    'what the pool cannot give out is not offered, and all the rest is',
    () =>
      afterPrices({ 'ETH / USD': 2_600_00000000n }, async () => {
        const { fixture, sender, follower } = world;
        const { tokens } = fixture.market;
        const weth = follower.market.state.byAsset.get(tokens['WETH']!.toLowerCase() as Address)!;
        await sender.pool(LIQUIDATOR, 'supply', [tokens['USDC'], 90_000_000_000000n, LIQUIDATOR, 0]);
        await sender.mine();
        await follower.advance();
        // All but a quarter of a token is borrowed away.
        await sender.pool(LIQUIDATOR, 'borrow', [weth.asset, weth.availableRaw - weth.unit / 4n, 2n, 0, LIQUIDATOR]);
        expect((await sender.mine()).done.get('borrow')).toBe(1);
        await follower.advance();
        expect(weth.availableRaw).toBe(weth.unit / 4n);
        const limited = offers().filter(({ option }) => option.collateralAsset === weth.asset);
        expect(limited.length).toBeGreaterThan(5);
        for (const { option, account } of limited) {
          for (const { maxRaw } of option.regimes) expect(saidOf(option, maxRaw).receivedRaw, account).toBeLessThanOrEqual(weth.unit / 4n);
        }
        const atLimit = limited.filter(
          ({ option }) => option.regimes.length === 1 && saidOf(option, option.regimes[0]!.maxRaw).receivedRaw > weth.unit / 4n - 10n,
        );
        expect(atLimit.length).toBeGreaterThan(2);
        for (const { option, account } of atLimit.slice(0, 3)) {
          const { maxRaw } = option.regimes[0]!;
          expect(amountsOf(await world.liquidate(option, account, maxRaw))).toEqual(saidOf(option, maxRaw));
          // A tenth of a thousandth more no longer fits.
          expect(await world.liquidate(option, account, maxRaw + maxRaw / 10_000n)).toBe('reverts');
        }
      }),
    60_000,
  );

  test(
    'a paused reserve is left alone, a frozen one is not',
    () =>
      afterPrices({ 'ETH / USD': 2_600_00000000n }, async () => {
        const { sender, follower } = world;
        const weth = world.fixture.market.tokens['WETH']!.toLowerCase() as Address;
        const touching = () => offers().filter(({ option }) => option.collateralAsset === weth || option.debtAsset === weth);
        const [first] = touching();
        const amount = first!.option.regimes[0]!.minRaw;
        await sender.admin('setReserveFreeze', [weth, true]);
        await sender.mine();
        await follower.advance();
        expect(await probe(touching()[0]!)).toBeGreaterThan(3);
        await sender.admin('setReservePause', [weth, true]);
        expect((await sender.mine()).done.get('setReservePause')).toBe(1);
        await follower.advance();
        expect(touching()).toEqual([]);
        expect(await world.liquidate(first!.option, first!.account, amount)).toBe('reverts');
      }),
    60_000,
  );

  // Pauses have a grace period from 3.1 on.
  if (release !== '3.0')
    test(
      'a paused reserve and its grace period are waited for',
      () =>
        afterPrices({ 'ETH / USD': 2_600_00000000n }, async () => {
          const { sender, follower } = world;
          const weth = world.fixture.market.tokens['WETH']!.toLowerCase() as Address;
          const touching = () => offers().filter(({ option }) => option.collateralAsset === weth || option.debtAsset === weth);
          const [first] = touching();
          const amount = first!.option.regimes[0]!.minRaw;
          await sender.admin('setReservePause', [weth, true, 0]);
          await sender.mine();
          await follower.advance();
          expect(touching()).toEqual([]);
          expect(await world.liquidate(first!.option, first!.account, amount)).toBe('reverts');
          await sender.admin('setReservePause', [weth, false, 30]);
          await sender.mine();
          await follower.advance();
          // Blocks come every twelve seconds: the grace of thirty is over in the third.
          for (const over of [false, false, true]) {
            expect(touching().length > 0).toBe(over);
            expect((await world.liquidate(first!.option, first!.account, amount)) !== 'reverts').toBe(over);
            await sender.mine();
            await follower.advance();
          }
        }),
      60_000,
    );
});

/** What a liquidation leaves, by the contracts' own views: an account that is still short after the first of two calls, and one with less health than before. */
import { toFunctionSelector } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MARKETS } from '../../../scripts/devnet/venus/deploy.ts';
import type { Option } from '../../../src/protocols/types.ts';
import { expectNearly, partOf } from '../../support/left-over.ts';
import { expectSized, type Given, gridOf, nothingSized, worthsAfter } from '../../support/sizing.ts';
import { callsOf, given as givenTwice, isTwice, mined, owedAt, PERSON, repaidBy, viewsOf } from './calls.ts';
import { ways } from './ways.ts';
import { CompoundWorld, lower, type Outcome, RUNNER } from './world.ts';

const FALL = { 'ETH / USD': 2_800_00000000n, 'BTC / USD': 90_000_00000000n, 'LINK / USD': 13_90000000n };
const DEEP = { 'ETH / USD': 2_350_00000000n, 'BTC / USD': 78_000_00000000n, 'LINK / USD': 11_00000000n };
const WAD = 10n ** 18n;
const HALF_WAD = WAD / 2n;
/** Amounts of a first call that are tried. */
const GRID = 40n;
/** So far below 1 the first call leaves an account. */
const NEAR_WAD = WAD / 1_000_000n;
const ENOUGH = 5;
/** Positions that are sized after each fall, with two calls and without, amounts of a single call, and of each of two. */
const SIZED = 3;
const POINTS = 30n;
const FIRSTS = 7n;
const ACCRUE = toFunctionSelector('accrueInterest()');

const EDITIONS = [
  { edition: 'pools', markets: MARKETS },
  { edition: 'legacy', markets: MARKETS.map(({ native: _, ...spec }) => spec) },
] as const;

describe.each(EDITIONS)('the rules of $edition', ({ edition, markets }) => {
  let world: CompoundWorld;

  beforeAll(async () => {
    world = await CompoundWorld.open({ positions: 60, seed: 23, markets, edition });
    await world.enrich(PERSON);
    await world.mine();
  });
  afterAll(() => world?.fixture.stop());

  const most = (option: Option) => option.regimes.at(-1)!.maxRaw;
  const received = (option: Option) => option.flow(most(option)).find(({ deltaRaw }) => deltaRaw > 0n)!.deltaRaw;

  /** Each with the single call of the same pair. */
  function twices() {
    const all = ways(world);
    return all
      .filter(({ option }) => isTwice(option))
      .map(({ slot, option }) => {
        const single = all.find((one) => one.slot === slot && option.label === `${one.option.label} twice`)!.option;
        return { account: world.protocol.accountOf(slot), option, single };
      });
  }

  test('after the first of two calls the comptroller finds the account short, and by little where it healed', () =>
    world.undone(async () => {
      await world.price(FALL);
      const found = twices();
      expect(found.length).toBeGreaterThan(ENOUGH);
      let healed = 0;
      for (const { account, option, single } of found.slice(0, 2 * ENOUGH)) {
        const { accruals, liquidations } = callsOf(option, most(option));
        expect(liquidations.length).toBe(2);
        await world.undone(async () => {
          await mined(world, [...accruals, liquidations[0]!]);
          const { shortfall, healthWad } = await viewsOf(world, account);
          expect(shortfall).toBeGreaterThan(0n);
          if (repaidBy(liquidations[0]!) < most(single) && WAD - healthWad < (NEAR_WAD * 11n) / 10n) healed++;
        });
      }
      // All but those whose repayment counts for them while it is looked at, and those whom the whole of a call does not heal.
      expect(healed).toBeGreaterThan(2);
    }));

  test('two calls bring more than one, and as much as the best of a grid of first calls that the contracts take', () =>
    world.undone(async () => {
      await world.price(FALL);
      const at = world.later();
      for (const { account, option, single } of twices().slice(0, ENOUGH)) {
        expect(received(option)).toBeGreaterThan(received(single));
        const owedRaw = await owedAt(world, option, account, at);
        let best = 0n;
        for (let step = 1n; step <= GRID; step++) {
          const firstRaw = (most(single) * step) / GRID;
          const outcome = await givenTwice(world, option, [firstRaw, ((owedRaw - firstRaw) * HALF_WAD) / WAD], at);
          if (outcome !== 'reverts' && outcome[1]! > best) best = outcome[1]!;
        }
        expect(received(option) * 1_000n, `${option.label} of ${account}`).toBeGreaterThan(best * 999n);
      }
    }));

  test('what is planned makes what the best of a grid of single calls and pairs of calls makes that the contracts take, within 0.1%', async () => {
    const seen = nothingSized();
    const { tokens } = world.fixture.market;
    const weth = lower(tokens['WETH']!);
    for (const prices of [FALL, DEEP])
      await world.undone(async () => {
        await world.price(prices);
        const at = world.later();
        const all = ways(world);
        const singles = all.filter(({ option }) => !isTwice(option) && option.debtAsset !== option.collateralAsset);
        const withTwice = (way: (typeof all)[number]) =>
          all.find(({ slot, option }) => slot === way.slot && option.label === `${way.option.label} twice`)?.option;
        const both = singles.filter((way) => withTwice(way) !== undefined);
        const only = singles.filter((way) => withTwice(way) === undefined);
        const apart = (some: typeof all) => some.filter((_, place) => place % Math.ceil(some.length / SIZED) === 0);
        for (const way of [...apart(both), ...apart(only)]) {
          const { slot, option } = way;
          const twice = withTwice(way);
          const pair = [option.debtAsset, option.collateralAsset];
          const given = async (amounts: readonly bigint[], run: () => Promise<Outcome>): Promise<readonly Given[]> => {
            const outcome = await run();
            if (outcome === 'reverts') return [];
            return [{ amountRaw: amounts.reduce((sum, amount) => sum + amount, 0n), paidRaw: -outcome[0]!, gotRaw: outcome[1]! }];
          };
          const once = gridOf(option, POINTS).map((amountRaw) =>
            given([amountRaw], () => world.run(option.steps(amountRaw, [], RUNNER), pair, at)),
          );
          const grids: [Option, readonly Given[]][] = [[option, (await Promise.all(once)).flat()]];
          if (twice !== undefined) {
            const owedRaw = await owedAt(world, twice, world.protocol.accountOf(slot), at);
            const parts = Array.from({ length: Number(FIRSTS) }, (_, place) => BigInt(place + 1));
            const doubles = parts.flatMap((first) => {
              const firstRaw = (most(option) * first) / FIRSTS;
              const mostThen = ((owedRaw - firstRaw) * HALF_WAD) / WAD;
              return parts.map((then) => [firstRaw, (mostThen * then) / FIRSTS] as const);
            });
            const pairs = doubles.map((amounts) => given(amounts, () => givenTwice(world, twice, amounts, at)));
            grids.push([twice, (await Promise.all(pairs)).flat()]);
          }
          const options = twice === undefined ? [option] : [option, twice];
          expectSized({ options, given: grids }, weth, worthsAfter(tokens, prices), at, seen.accounts, seen);
        }
      });
    expect(seen.cases).toBeGreaterThan(25);
    expect(seen.twice).toBeGreaterThan(3);
    expect(seen.part).toBeGreaterThan(10);
  });

  test('what is left after a part is what the contracts let be taken in the next block, of the same pair and of others', () =>
    world.undone(async () => {
      await world.price(FALL);
      const seen = { left: 0, healed: 0, others: 0 };
      const single = ways(world).filter(({ option }) => !isTwice(option));
      for (const [place, { slot, option }] of single
        .filter((_, place) => place % 3 === 0)
        .slice(0, 3 * ENOUGH)
        .entries()) {
        const takenRaw = partOf(option, [3n, 8n, 13n, 16n][place % 4]!);
        const [rest, others] = [option.rest!(takenRaw), option.others?.(takenRaw) ?? []];
        await world.undone(async () => {
          const { accruals, liquidations } = callsOf(option, takenRaw);
          await mined(world, [...accruals, ...liquidations]);
          await world.follower.advance();
          const now = ways(world).filter((way) => way.slot === slot);
          const same = now.find((way) => way.option.label === option.label);
          expectNearly(rest, same?.option.regimes ?? [], `${option.label} of ${slot} after ${takenRaw}`);
          seen[rest.length === 0 ? 'healed' : 'left']++;
          const again = option.steps(rest.at(-1)?.maxRaw ?? takenRaw, [], RUNNER);
          const outcome = await world.run(again, [option.debtAsset, option.collateralAsset], world.later());
          expect(outcome === 'reverts', `${option.label} of ${slot}`).toBe(rest.length === 0);
          const other = now.filter((way) => !way.option.label.startsWith(option.label));
          expect(others.map(({ label }) => label)).toEqual(other.map((way) => way.option.label));
          for (const [index, { label, regimes }] of others.entries()) {
            seen.others++;
            expectNearly(regimes, other[index]!.option.regimes, `${label} of ${slot} after ${takenRaw} of ${option.label}`);
          }
        });
      }
      expect(seen.left).toBeGreaterThan(3);
      expect(seen.others).toBeGreaterThan(3);
    }));

  test('amounts are toxic exactly where the contracts’ views find less health after them', () =>
    world.undone(async () => {
      const seen = { toxic: 0, wholesome: 0, twice: 0 };
      for (const prices of [FALL, DEEP]) {
        await world.price(prices);
        for (const [place, { slot, option }] of ways(world).entries()) {
          const amountRaw = (option.regimes[0]!.minRaw + most(option)) / 2n;
          const account = world.protocol.accountOf(slot);
          const lowering = option.lowersHealth!(amountRaw);
          if (place % 3 > 0 || (lowering === undefined ? seen.wholesome : seen.toxic) > 2 * ENOUGH) continue;
          const { accruals, liquidations } = callsOf(option, amountRaw);
          const views = async (calls: typeof liquidations) => {
            let told = { healthWad: 0n, isBare: false };
            await world.undone(async () => {
              await mined(world, calls);
              told = await viewsOf(world, account);
            });
            return told;
          };
          const [debt, collateral] = [option.debtAsset, option.collateralAsset].map((token) => marketOf(world, slot, token));
          const touched = [debt!, collateral!].map((target) => ({ ...liquidations[0]!, target, data: ACCRUE, valueWei: 0n }));
          const before = await views([...accruals, ...touched]);
          const after = await views([...accruals, ...liquidations]);
          if (lowering === undefined) expect(after.isBare || after.healthWad >= before.healthWad, option.label).toBe(true);
          else expect(lowering, option.label).toEqual({ beforeWad: before.healthWad, afterWad: after.healthWad });
          seen[lowering === undefined ? 'wholesome' : 'toxic']++;
          if (lowering !== undefined && isTwice(option)) seen.twice++;
        }
      }
      expect(seen.toxic).toBeGreaterThan(ENOUGH);
      expect(seen.wholesome).toBeGreaterThan(ENOUGH);
      expect(seen.twice).toBeGreaterThan(1);
    }));
});

function marketOf(world: CompoundWorld, slot: number, token: string) {
  return [...world.account(slot).holdings.values()].find(({ market }) => market.underlying === token)!.market.address;
}

/** What governance decides, and what an account does to its place in it: followed, and then the contracts' own to the unit. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { holdsAt, type Way, ways } from './ways.ts';
import { CompoundWorld, lower, RUNNER } from './world.ts';

const WAD = 10n ** 18n;
const FALL = { 'ETH / USD': 2_800_00000000n, 'BTC / USD': 87_500_00000000n, 'LINK / USD': 13_90000000n };

let world: CompoundWorld;
beforeAll(async () => {
  world = await CompoundWorld.open({ positions: 60, seed: 9 });
});
afterAll(() => world?.fixture.stop());

/** After a fall of prices and what governance decides. */
function decided(decide: () => Promise<void>, then: (before: readonly Way[]) => Promise<void>): Promise<void> {
  return world.undone(async () => {
    await world.price(FALL);
    const before = ways(world);
    expect(before.length).toBeGreaterThan(10);
    await decide();
    await world.mine();
    await then(before);
  });
}

const wad = (bps: bigint) => bps * 10n ** 14n;
const usdc = () => world.market('USDC').address;
const wbtc = () => world.market('WBTC').address;

test('close factor, thresholds, incentives and the fee of redemptions', () =>
  decided(
    async () => {
      await world.rule('_setCloseFactor', [wad(3_700n)]);
      await world.rule('setCollateralFactor', [wbtc(), wad(6_900n), wad(7_100n)]);
      await world.rule('setLiquidationIncentive', [wbtc(), wad(11_234n)]);
      await world.rule('_setTreasuryData', [world.fixture.chain.deployer.address, '0x00000000000000000000000000000000000fee00', wad(12n)]);
    },
    async (before) => {
      const after = await holdsAt(world);
      expect(after.length).toBeGreaterThan(before.length);
    },
  ));

/** ComptrollerInterface.Action, and of which market of a pair it keeps. */
test.each([
  { what: 'liquidation', action: 5, side: 'debtAsset' },
  { what: 'repayment', action: 3, side: 'debtAsset' },
  { what: 'seizure', action: 4, side: 'collateralAsset' },
  { what: 'redemption', action: 1, side: 'collateralAsset' },
] as const)('a market whose $what is paused is left out', ({ action, side }) => {
  const market = side === 'debtAsset' ? 'USDC' : 'WBTC';
  const token = lower(world.fixture.market.tokens[market]!);
  return decided(
    () => world.rule('_setActionsPaused', [[world.market(market).address], [action], true]),
    async (before) => {
      const after = await holdsAt(world);
      expect(before.some(({ option }) => option[side] === token)).toBe(true);
      expect(after.map(({ option }) => option[side])).not.toContain(token);
      // It is the contracts that refuse.
      const { option } = before.find((way) => way.option[side] === token)!;
      expect(await world.run(option.steps(option.regimes[0]!.minRaw, [], RUNNER), [], world.later())).toBe('reverts');
    },
  );
});

test('the whole protocol paused leaves no way', () =>
  decided(
    () => world.rule('_setProtocolPaused', [true]),
    async () => expect(ways(world)).toEqual([]),
  ));

test('forced liquidation: of everybody in a market, or of one, whatever their health, for the whole debt', () =>
  world.undone(async () => {
    const at = () => world.later();
    const healthy = [...world.protocol.slots()].filter((slot) => world.protocol.judge(slot, at()).kind === 'healthy');
    const owes = (slot: number, market: Address) => (world.account(slot).holdings.get(lower(market))?.principal ?? 0n) > 0n;
    const one = healthy.find((slot) => owes(slot, usdc()))!;
    const { address } = world.account(one);
    await world.rule('_setForcedLiquidationForUser', [address, usdc(), true]);
    await world.mine();
    expect(new Set((await holdsAt(world)).map(({ slot }) => slot))).toEqual(new Set([one]));
    const judged = world.protocol.judge(one, at());
    expect([judged.kind, judged.kind !== 'unknown' && judged.healthFactorWad > WAD]).toEqual(['liquidatable', true]);
    await world.rule('_setForcedLiquidationForUser', [address, usdc(), false]);
    await world.mine();
    expect(ways(world)).toEqual([]);
    await world.rule('_setForcedLiquidation', [usdc(), true]);
    await world.mine();
    const forced = await holdsAt(world);
    expect(new Set(forced.map(({ slot }) => slot))).toEqual(new Set([...world.protocol.slots()].filter((slot) => owes(slot, usdc()))));
  }));

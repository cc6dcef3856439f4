/** Another release of the family, whose rules are Compound's own: one factor, one incentive, no pools. Nothing tells the mirror which it is. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MARKETS } from '../../../scripts/devnet/venus/deploy.ts';
import { holdsAt, ways } from './ways.ts';
import { CompoundWorld } from './world.ts';

const FALL = { 'ETH / USD': 2_850_00000000n, 'BTC / USD': 88_000_00000000n, 'LINK / USD': 14_00000000n };
const INCENTIVE_WAD = (11n * 10n ** 18n) / 10n;

let world: CompoundWorld;
beforeAll(async () => {
  const markets = MARKETS.map(({ native: _, ...spec }) => spec);
  world = await CompoundWorld.open({ positions: 60, seed: 17, markets, edition: 'legacy' });
});
afterAll(() => world?.fixture.stop());

test('its terms are found out, and its views say the same', async () => {
  const { rules, markets } = world.protocol.state;
  expect([rules.pools.length, rules.gate, world.protocol.state.vai]).toEqual([1, undefined, undefined]);
  for (const { address, thresholdBps } of world.venus.markets)
    expect(rules.pools[0]!.terms.get(address.toLowerCase() as `0x${string}`)).toEqual({
      ...{ listed: true, thresholdWad: thresholdBps * 10n ** 14n, incentiveWad: INCENTIVE_WAD },
    });
  expect(markets.size).toBe(MARKETS.length);
  expect(world.protocol.count()).toBe(60);
  expect(await world.follower.audit()).toEqual([]);
});

test('liquidations bring what was said, and rules that change are followed', () =>
  world.undone(async () => {
    await world.price(FALL);
    const before = await holdsAt(world);
    expect(before.length).toBeGreaterThan(10);
    await world.rule('_setLiquidationIncentive', [(108n * 10n ** 18n) / 100n]);
    await world.rule('_setCollateralFactor', [world.market('WBTC').address, 7n * 10n ** 17n]);
    await world.rule('_setCloseFactor', [10n ** 18n / 4n]);
    await world.mine();
    const after = await holdsAt(world);
    expect(after.length).toBeGreaterThan(before.length);
    await world.rule('_setActionsPaused', [[world.market('USDC').address], [5], true]);
    await world.mine();
    expect(ways(world).length).toBeLessThan(after.length);
    await holdsAt(world);
  }));

/** Early liquidations the whole way: found by the watch, planned, executed by the real Executor for the profit that was planned. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MARKETS } from '../../../scripts/devnet/morpho/deploy.ts';
import { createPreLiquidation } from '../../../scripts/devnet/morpho/pre-liquidation.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { decodeSettlement } from '../../../src/execution/decode-executor.ts';
import type { Plan } from '../../../src/strategy/types.ts';
import { Planner } from './planner.ts';
import { openContracts, paramsOf, preLiquidationsIn } from './pre-world.ts';
import { lower, MorphoWorld } from './world.ts';

const WAD = 10n ** 18n;
const TOGETHER = 5;
/** So far that hardly anybody is beyond the market's own limit. */
const DIP = { 'ETH / USD': 2_985_00000000n, 'BTC / USD': 94_600_00000000n };
const FALL = { 'ETH / USD': 2_700_00000000n, 'BTC / USD': 84_000_00000000n, 'LINK / USD': 13_00000000n };

let morpho: MorphoWorld;
let planner: Planner;

// NOTE: of a debt in wrapped native the profit gets what was set aside for interest and not asked for: it would be more than was planned.
beforeAll(async () => {
  morpho = await MorphoWorld.open({ positions: 120, seed: 31, markets: MARKETS.filter(({ loan }) => loan !== 'WETH') });
  await openContracts(morpho, 3, 11);
  planner = await Planner.open(morpho);
});
afterAll(async () => {
  planner?.close();
  await morpho?.fixture.stop();
});

const isEarly = ({ option }: Plan) => option.endsWith('pre-liquidation');

async function priced(prices: Readonly<Record<string, bigint>>): Promise<void> {
  for (const [name, answer] of Object.entries(prices)) await morpho.fixture.setPrice(name, answer);
}

test('positions before their limit are liquidated without a loan: amounts and profit as planned, to the unit', () =>
  morpho.undone(async () => {
    await priced(DIP);
    const decided = await planner.decide({}, ({ healthFactorWad }) => healthFactorWad >= WAD);
    expect(decided.plans.length).toBeGreaterThan(TOGETHER);
    expect(decided.plans.every(isEarly)).toBe(true);
    expect(new Set(decided.plans.map(({ flash }) => flash))).toEqual(new Set(['none']));
    // As the pools stand after those before: in the order of the plan.
    const plans = decided.plans.slice(0, TOGETHER);
    const before = await planner.treasuryHolds(planner.book.wrappedNative);
    const receipt = await planner.execute(plans, decided);
    const taken = preLiquidationsIn(receipt);
    expect(taken.map(({ borrower, seizedAssets }) => [lower(borrower), seizedAssets])).toEqual(
      plans.map(({ candidate, seizedRaw }) => [candidate.account, seizedRaw]),
    );
    // One before in the same market rounds what the next owes, and with it the incentive.
    for (const [place, { repaidAssets }] of taken.entries()) {
      const more = repaidAssets - plans[place]!.repayRaw;
      expect(more >= 0n && more <= (place === 0 ? 0n : 2n)).toBe(true);
    }
    const planned = plans.reduce((sum, { grossWei }) => sum + grossWei, 0n);
    expect(decodeSettlement(receipt.logs as never, planner.executor)?.grossRaw).toBe(planned);
    expect(await planner.treasuryHolds(planner.book.wrappedNative)).toBe(before + planned);
  }));

test('beyond its limit a position is Morpho’s own to liquidate, before it the contracts’', () =>
  morpho.undone(async () => {
    await priced(FALL);
    const { candidates, plans } = await planner.decide();
    expect(plans.filter(isEarly).every(({ candidate }) => candidate.healthFactorWad >= WAD)).toBe(true);
    expect(plans.filter((plan) => !isEarly(plan)).every(({ candidate }) => candidate.healthFactorWad < WAD)).toBe(true);
    expect(new Set(plans.map(isEarly)).size).toBe(2);
    expect(new Set(candidates.map(({ healthFactorWad }) => healthFactorWad < WAD)).size).toBe(2);
  }));

test('beyond its limit a position is liquidated whatever the oracles are whose contracts its owner authorised', () =>
  morpho.undone(async () => {
    await priced(FALL);
    const { plans } = await planner.decide({}, ({ healthFactorWad }) => healthFactorWad < WAD);
    const shielded = plans[0]!.candidate;
    const market = morpho.morpho.markets.find(({ id }) => shielded.aliases.includes(id))!;
    const { chain } = morpho.fixture;
    const { oracleMock } = morpho.morpho.artifacts;
    await chain.prepare();
    // Its price of the collateral is next to nothing.
    const oracle = chain.deploy('odd oracle', oracleMock);
    chain.call(oracle, oracleMock.abi, 'setPrice', [1n]);
    const contract = await createPreLiquidation(chain, morpho.morpho, market, paramsOf(market, oracle, new Prng(1)));
    await chain.mine();
    await morpho.call(shielded.account, 'setAuthorization', [contract, true]);
    await morpho.sender.mine();
    const again = await planner.decide({}, ({ account }) => account === shielded.account);
    expect(again.skips).toEqual([]);
    expect(again.plans.map(({ candidate }) => candidate.account)).toEqual([shielded.account]);
  }));

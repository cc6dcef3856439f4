/** What a candidate can make at most, before anything is quoted: never less than what it then makes, and nothing where there is no way to exchange. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_SURCHARGE } from '../../src/chain/rollup.ts';
import type { Address } from '../../src/lib/types.ts';
import type { Moment } from '../../src/oracles/types.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { Rates } from '../../src/strategy/bounds.ts';
import { planProspect } from '../../src/strategy/candidate.ts';
import { prospectOf } from '../../src/strategy/prospect.ts';
import type { Terms } from '../../src/strategy/terms.ts';
import { type PoolShape, poolBetween, poolShape, routerOver, TOKENS } from '../support/random-pools.ts';
import { COLLATERAL, DEBT, lenderDouble, NUMERAIRE, optionFor, positionShape, type Ticks, usd8Of } from './random-options.ts';

const AT: Moment = { number: 1, timestamp: 1, baseFeeWei: 10n ** 9n, answer: () => undefined };
const NOBODY = { account: '0x01', slot: 0 } as unknown as Candidate;
const [, , , BRIDGE] = TOKENS as [Address, Address, Address, Address];
const FREE = [lenderDouble('free', 10n ** 40n, 0n)];

/** Nothing is too little to be planned, nor bid. */
const TERMS: Terms = {
  ...{ executor: '0x0e', numeraire: NUMERAIRE, numeraireUsd8: 2_000_00000000n, gasPriceWei: 10n ** 9n, surcharge: NO_SURCHARGE },
  ...{ minProfitUsd8: 0n, bid: () => 0, maxPositionUsd8: 10n ** 30n, tokenAllowed: () => true },
  ...{ maxTransactionGas: 16_777_216n, maxBlockGas: 30_000_000n },
};

const tokens = fc.constantFrom(DEBT, COLLATERAL, NUMERAIRE, BRIDGE);
const world = fc.record({
  ticks: fc.tuple(...[0, 1, 2, 3].map(() => fc.integer({ min: -9_000, max: 9_000 }))),
  pools: fc.array(fc.record({ one: tokens, other: tokens, shape: poolShape }), { minLength: 1, maxLength: 8 }),
  position: positionShape,
  /** Which of the two tokens is what profit is counted in, if any. */
  counted: fc.constantFrom('debt', 'collateral', 'neither', 'neither'),
});

type Given = { ticks: readonly number[]; pools: readonly { one: Address; other: Address; shape: PoolShape }[] };

function sceneOf({ ticks, pools }: Given, numeraire: Address) {
  const prices = new Map([DEBT, COLLATERAL, NUMERAIRE, BRIDGE].map((token, place) => [token, ticks[place]!]));
  const between = pools.filter(({ one, other }) => one !== other);
  const venue = routerOver(
    between.map(({ one, other, shape }, place) => poolBetween(one, other, prices, shape, place)),
    [NUMERAIRE, BRIDGE],
    numeraire,
  );
  const own = ticks.slice(0, 3) as unknown as Ticks;
  const market = { venue, flashes: FREE, usd: { usd8: (token: Address) => ({ priceUsd8: usd8Of(token, own), decimals: 18 }) } };
  return { market, own, terms: { ...TERMS, numeraire } };
}

describe('the most that a candidate can make', () => {
  it('is no less than what it makes, over any pools, and not much more where it is a lot', () => {
    const shares: number[] = [];
    fc.assert(
      fc.property(world, ({ counted, position, ...given }) => {
        const numeraire = counted === 'debt' ? DEBT : counted === 'collateral' ? COLLATERAL : NUMERAIRE;
        const { market, own, terms } = sceneOf(given, numeraire);
        const depth = market.venue.depth(AT);
        const option = optionFor(position, own);
        const rates = new Rates(market, depth, numeraire);
        const prospect = prospectOf(NOBODY, [option], market, rates, terms, AT);
        const whole = { candidate: NOBODY, obstacle: undefined };
        const openings = [{ option, regimes: option.regimes, ends: [], bound: undefined }];
        const { evaluation } = planProspect({ ...whole, openings }, market, depth, terms, AT);
        const madeWei = evaluation?.valueWei ?? 0n;
        const mostWei = 'kind' in prospect ? 0n : prospect.openings[0]!.bound!.valueWei;
        expect(mostWei).toBeGreaterThanOrEqual(madeWei < 0n ? 0n : madeWei);
        if (madeWei > 10n ** 18n) shares.push(Number(madeWei) / Number(mostWei));
      }),
      { seed: 3, numRuns: 200, endOnFailure: true },
    );
    expect(shares.length).toBeGreaterThan(20);
    expect(median(shares)).toBeGreaterThan(0.9);
  });

  it('is not asked for where there is no way to exchange: the reason is told instead', () => {
    const shape: PoolShape = { kind: 'v2', fee: 3000, offset: 0, size: 1_000, positions: [{ width: 10, tenths: 10 }] };
    const given = { ticks: [0, 0, 0, 0], pools: [{ one: DEBT, other: NUMERAIRE, shape }] };
    const { market, own, terms } = sceneOf(given, NUMERAIRE);
    const option = optionFor({ protocol: 'compound-v3', debt: 1_000, cover: 1_100, health: 950, bonusBps: 500, release: 0 }, own);
    const prospect = prospectOf(NOBODY, [option], market, new Rates(market, market.venue.depth(AT), NUMERAIRE), terms, AT);
    expect(prospect).toMatchObject({ kind: 'skip', skip: { reason: 'no-route' } });
  });
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

/** What is stated of a plan's risk, against pools that really move by so much. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Address } from '../../src/lib/types.ts';
import type { Pool } from '../../src/liquidity/pool.ts';
import { movedBy } from '../../src/liquidity/replay.ts';
import type { Moment } from '../../src/oracles/types.ts';
import { PriceMoves } from '../../src/risk/price-moves.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { emptyBook } from '../../src/strategy/bids/book.ts';
import { planCandidate } from '../../src/strategy/candidate.ts';
import { type OwnOutcome, riskOf } from '../../src/strategy/risk.ts';
import type { Terms } from '../../src/strategy/terms.ts';
import { poolBetween, poolShape, routerOver } from '../support/random-pools.ts';
import {
  COLLATERAL,
  DEBT,
  TERMS as FREE_TERMS,
  lenderDouble,
  NUMERAIRE,
  optionFor,
  positionShape,
  type Ticks,
  usd8Of,
} from './random-options.ts';

const AT: Moment = { number: 101, timestamp: 1_212, baseFeeWei: 10n ** 9n, answer: () => undefined };
const NOBODY = { protocol: 'aave-v3', market: 'core', deployment: 'core', account: '0x01' } as unknown as Candidate;
const TERMS: Terms = { ...FREE_TERMS, bid: () => 2_000 };
const PAIRS = [
  [COLLATERAL, NUMERAIRE],
  [DEBT, NUMERAIRE],
  [COLLATERAL, DEBT],
] as const;
const TICKS: Ticks = [0, 100, -50];
const BLOCKS = 100;

const scene = fc.record({
  shapes: fc.array(poolShape, { minLength: 3, maxLength: 3 }),
  position: positionShape.map((shape) => ({ ...shape, bonusBps: Math.max(shape.bonusBps, 600) })),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

function planOf({ shapes, position }: Scene) {
  const prices = new Map([DEBT, COLLATERAL, NUMERAIRE].map((token, index) => [token, TICKS[index]!]));
  const pools = PAIRS.map(([one, other], place) => poolBetween(one, other, prices, { ...shapes[place]!, size: 1e8 }, place));
  const usd = { usd8: (token: Address) => ({ priceUsd8: usd8Of(token, TICKS), decimals: 18 }) };
  const market = { venue: routerOver(pools, [NUMERAIRE], NUMERAIRE), flashes: [lenderDouble('free', 10n ** 40n, 0n)], usd };
  const { decision } = planCandidate(NOBODY, [optionFor(position, TICKS)], market, market.venue.depth(AT), TERMS, AT);
  return { pools, plan: decision.kind === 'plan' ? decision.plan : undefined };
}

/** Every pool moves in every block by plus or minus so much, drawn once for all of a block. */
function followed(pools: readonly Pool[], move: number, seed: number): PriceMoves {
  const moves = new PriceMoves();
  const start = AT.timestamp - 12 * (BLOCKS + 1);
  for (let block = 0; block <= BLOCKS; block++) {
    const up = (Math.imul(block + seed, 2_654_435_761) >>> 16) & 1;
    moves.observe(start + 12 * block, up ? pools.map((pool) => movedBy(pool, move)!) : pools);
  }
  return moves;
}

const odds = (outcomes: readonly OwnOutcome[] = []) => ({ channel: 'public', book: emptyBook(), outcomes }) as const;

test('a pool is moved by what was asked for', () => {
  fc.assert(
    fc.property(poolShape, fc.double({ min: -0.02, max: 0.02, noNaN: true }), (shape, move) => {
      const prices = new Map([DEBT, COLLATERAL, NUMERAIRE].map((token, index) => [token, TICKS[index]!]));
      const pool = poolBetween(DEBT, COLLATERAL, prices, { ...shape, size: 1e8 }, 0);
      const after = movedBy(pool, move)!;
      const logPrice = (one: Pool) => -2 * Math.log(one.outline(true).from[0]!);
      // A v2 pair keeps its fee among its reserves, and so moves a little further.
      expect(Math.abs(logPrice(after) - logPrice(pool) - move)).toBeLessThan(1e-6 + Math.abs(move) / 300);
    }),
    { seed: 5, numRuns: 40, endOnFailure: true },
  );
});

test('pools that stand still give what was quoted, to the wei', () => {
  let planned = 0;
  fc.assert(
    fc.property(scene, (drawn) => {
      const { plan } = planOf(drawn);
      if (plan === undefined) return;
      planned++;
      expect(plan.outlook!.grossWei(() => 0)).toBe(plan.grossWei);
    }),
    { seed: 6, numRuns: 25, endOnFailure: true },
  );
  expect(planned).toBeGreaterThan(12);
});

test('the same block and position state the same risk; wilder pools a worse one', () => {
  let planned = 0;
  fc.assert(
    fc.property(scene, fc.integer({ min: 1, max: 99 }), (drawn, seed) => {
      const { plan, pools } = planOf(drawn);
      if (plan === undefined) return;
      planned++;
      const calm = riskOf(plan, followed(pools, 0.0005, seed), odds())!;
      expect(riskOf(plan, followed(pools, 0.0005, seed), odds())).toEqual(calm);
      const wild = riskOf(plan, followed(pools, 0.004, seed), odds())!;
      expect(calm.worstProfitWei).toBeLessThanOrEqual(plan.profitWei);
      expect(wild.worstProfitWei).toBeLessThanOrEqual(calm.worstProfitWei);
      expect(calm.expectedProfitWei).toBeLessThan(plan.profitWei);
    }),
    { seed: 7, numRuns: 5, endOnFailure: true },
  );
  expect(planned).toBeGreaterThan(2);
});

test('outcomes of our own change the odds', () => {
  const drawn = fc.sample(scene, { seed: 8, numRuns: 20 }).map(planOf);
  const { plan, pools } = drawn.find((one) => one.plan !== undefined)!;
  const moves = followed(pools, 0.0005, 1);
  const like = { channel: 'public', surplusUsd: Number(plan!.profitUsd8) / 1e8, shareBps: 0 } as const;
  const times = (outcome: OwnOutcome['outcome']) => odds(Array.from({ length: 40 }, () => ({ ...like, outcome })));
  const [before, missed, included, reverted] = [odds(), times('missed'), times('included'), times('reverted')].map(
    (one) => riskOf(plan!, moves, one)!,
  );
  expect(missed!.includedBps).toBeLessThan(before!.includedBps / 2);
  expect(included!.includedBps).toBeGreaterThan(before!.includedBps);
  expect(reverted!.revertedBps).toBeGreaterThan(before!.revertedBps + 2_000);
  expect(missed!.expectedProfitWei).toBeLessThan(included!.expectedProfitWei);
});

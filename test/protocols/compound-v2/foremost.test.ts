/** Of the pairs of an account in very many markets, those that are looked at. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foremost, gainAtOracle } from '../../../src/protocols/compound-v2/foremost.ts';
import type { Pair, Side } from '../../../src/protocols/compound-v2/health.ts';

const WAD = 10n ** 18n;

/** Of a market in which so much is owed and so much held, in whole units at a price of one. */
function sideOf(owed: number, held: number): Side {
  return {
    accrued: { owedUsd: BigInt(owed) * WAD, heldUsd: 0n },
    ...{ price: WAD, holding: { tokens: BigInt(held) * WAD }, now: { accrued: { rateWad: WAD } } },
  } as unknown as Side;
}

function pairsOf(amounts: readonly (readonly [owed: number, held: number])[]): Pair[] {
  const sides = amounts.map(([owed, held]) => sideOf(owed, held));
  return sides.flatMap((debt) => sides.filter((side) => side !== debt).map((collateral) => ({ debt, collateral, forced: false }) as Pair));
}

const gain = (pair: Pair) => gainAtOracle(pair, 0.5, 1.08);

describe('an account in many markets', () => {
  it('is looked at by its best pairs, and by the best of each debt and each collateral', () => {
    const amount = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 1_000_000 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(amount, amount), { minLength: 2, maxLength: 50 }), (amounts) => {
        const pairs = pairsOf(amounts);
        const kept = foremost(pairs, gain);
        const most = (of: readonly Pair[]) => Math.max(...of.map(gain));
        expect(kept.length).toBeLessThanOrEqual(32 + 2 * amounts.length);
        expect(most(kept)).toBe(most(pairs));
        for (const side of new Set(pairs.map(({ debt }) => debt)))
          for (const of of [({ debt }: Pair) => debt === side, ({ collateral }: Pair) => collateral === side])
            expect(most(kept.filter(of))).toBe(most(pairs.filter(of)));
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it('with few pairs is looked at by all of them', () => {
    const pairs = pairsOf([
      [10, 20],
      [30, 0],
      [5, 5],
    ]);
    expect(foremost(pairs, gain)).toEqual(pairs);
  });
});

/** What no exchange of an amount beats: never worse than the quote of any amount, and close to it where swaps cost nothing. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Address } from '../../src/lib/types.ts';
import { poolBetween, poolShape, routerOver, TOKENS } from '../support/random-pools.ts';

const [A, B, C] = TOKENS as [Address, Address, Address];
const PAIRS = [
  [A, B],
  [A, C],
  [C, B],
  [A, B],
] as const;
const UNIT = 10n ** 18n;
/** Of units that quotes round away, at the least amounts. */
const ROUNDED = 1e-9;

const world = fc.record({
  ticks: fc.array(fc.integer({ min: -9_000, max: 9_000 }), { minLength: 3, maxLength: 3 }),
  shapes: fc.array(poolShape, { minLength: 1, maxLength: PAIRS.length }),
  amounts: fc.array(fc.integer({ min: 1, max: 2_000_000 }), { minLength: 6, maxLength: 6 }),
});

test('no quote gives more or takes less, and without impact of gas about as much', () => {
  const shares: number[] = [];
  fc.assert(
    fc.property(world, ({ ticks, shapes, amounts }) => {
      const prices = new Map([A, B, C].map((token, place) => [token, ticks[place]!]));
      const pools = shapes.map((shape, place) => poolBetween(...PAIRS[place]!, prices, shape, place));
      const router = routerOver(pools, [C], C);
      const depth = router.depth();
      for (const milli of amounts) {
        const amountRaw = (BigInt(milli) * UNIT) / 1_000n;
        const sale = router.quoteIn(A, B, amountRaw, depth);
        const most = router.frontier(A, B, 'in', depth)!.at(Number(amountRaw));
        if (sale.ok) {
          expect(most).toBeGreaterThanOrEqual(Number(sale.amountOutRaw) * (1 - ROUNDED));
          shares.push(Number(sale.amountOutRaw) / most);
        }
        const purchase = router.quoteOut(A, B, amountRaw, depth);
        const least = router.frontier(A, B, 'out', depth)!.at(Number(amountRaw));
        if (purchase.ok) {
          expect(least).toBeLessThanOrEqual(Number(purchase.amountInRaw) * (1 + ROUNDED));
          shares.push(least / Number(purchase.amountInRaw));
        }
      }
    }),
    { seed: 7, numRuns: 120, endOnFailure: true },
  );
  expect(shares.length).toBeGreaterThan(500);
  const ascending = shares.toSorted((a, b) => a - b);
  expect(ascending[ascending.length >> 1]).toBeGreaterThan(0.9999);
  expect(ascending[ascending.length >> 4]).toBeGreaterThan(0.99);
});

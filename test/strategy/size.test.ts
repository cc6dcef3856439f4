import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestAmount } from '../../src/strategy/size.ts';

/** A concave profit: bonus on the amount, quadratic price impact, a fixed cost. */
const concave = (bonusBps: bigint, depthRaw: bigint, costWei: bigint) => (amountRaw: bigint) => ({
  amountRaw,
  valueWei: (amountRaw * bonusBps) / 10_000n - (amountRaw * amountRaw) / depthRaw - costWei,
});

describe('the best amount', () => {
  it('is the whole regime while every unit pays', () => {
    const best = bestAmount([{ minRaw: 1n, maxRaw: 1_000_000n }], concave(500n, 10n ** 12n, 10n));
    expect(best?.amountRaw).toBe(1_000_000n);
  });

  it('is within 0.1% of the best on a fine grid, for any concave profit and regimes', () => {
    const regime = fc.record({ minRaw: fc.bigInt(1n, 10n ** 9n), width: fc.bigInt(0n, 10n ** 12n) });
    fc.assert(
      fc.property(
        fc.array(regime, { minLength: 1, maxLength: 3 }),
        fc.bigInt(1n, 1_500n),
        fc.bigInt(10n ** 6n, 10n ** 14n),
        (shapes, bonusBps, depthRaw) => {
          const value = concave(bonusBps, depthRaw, 0n);
          const regimes = shapes.map(({ minRaw, width }) => ({ minRaw, maxRaw: minRaw + width }));
          const found = bestAmount(regimes, value)!;
          let onGrid = found.valueWei;
          for (const { minRaw, maxRaw } of regimes) {
            for (let step = 0n; step <= 1_000n; step++) {
              const there = value(minRaw + ((maxRaw - minRaw) * step) / 1_000n).valueWei;
              if (there > onGrid) onGrid = there;
            }
          }
          const shortfall = onGrid - found.valueWei;
          const scale = onGrid > 0n ? onGrid : -onGrid;
          expect(shortfall * 1_000n <= scale + 1_000n).toBe(true);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it('is found below the amounts that cannot be done', () => {
    const best = bestAmount([{ minRaw: 1n, maxRaw: 1_000_000n }], (amountRaw) =>
      amountRaw > 300_000n ? undefined : { amountRaw, valueWei: amountRaw },
    );
    expect(best!.amountRaw > 299_000n && best!.amountRaw <= 300_000n).toBe(true);
  });

  it('is none where no amount can be done', () => {
    expect(bestAmount([{ minRaw: 1n, maxRaw: 1_000n }], () => undefined)).toBeUndefined();
  });
});

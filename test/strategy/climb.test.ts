import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestBySlope } from '../../src/strategy/climb.ts';

/** A concave profit: bonus on the amount, quadratic price impact, gas. `isTold`: the slope is known. */
const concave = (bonusBps: bigint, depthRaw: bigint, gasWei: bigint, isTold: boolean, looks: bigint[] = []) => {
  return (amountRaw: bigint) => {
    looks.push(amountRaw);
    return {
      ...{ amountRaw, gasWei, valueWei: (amountRaw * bonusBps) / 10_000n - (amountRaw * amountRaw) / depthRaw - gasWei },
      slopeWei: isTold ? Number(bonusBps) / 10_000 - (2 * Number(amountRaw)) / Number(depthRaw) : undefined,
    };
  };
};

describe('the best amount by its slope', () => {
  it('takes one look where every unit pays', () => {
    const looks: bigint[] = [];
    const regimes = [
      { minRaw: 1n, maxRaw: 900_000n },
      { minRaw: 1_000_000n, maxRaw: 1_000_000n },
    ];
    expect(bestBySlope(regimes, concave(500n, 10n ** 12n, 10n, true, looks))?.amountRaw).toBe(1_000_000n);
    expect(looks).toEqual([1_000_000n]);
  });

  it('is within 0.1% of the best on a fine grid, for any concave profit and regimes, whether or not slopes are told', () => {
    const regime = fc.record({ gap: fc.bigInt(1n, 10n ** 11n), width: fc.bigInt(0n, 10n ** 12n) });
    fc.assert(
      fc.property(
        fc.array(regime, { minLength: 1, maxLength: 3 }),
        fc.bigInt(1n, 1_500n),
        fc.bigInt(10n ** 9n, 10n ** 14n),
        fc.integer({ min: 1, max: 100 }),
        fc.boolean(),
        (shapes, bonusBps, depthRaw, startPercent, isTold) => {
          let end = 0n;
          const regimes = shapes.map(({ gap, width }) => {
            const minRaw = end + gap;
            end = minRaw + width;
            return { minRaw, maxRaw: end };
          });
          const looks: bigint[] = [];
          const value = concave(bonusBps, depthRaw, 1_000n, isTold, looks);
          const onGrid = regimes
            .flatMap(({ minRaw, maxRaw }) => Array.from({ length: 500 }, (_, step) => minRaw + ((maxRaw - minRaw) * BigInt(step)) / 499n))
            .reduce((most, amountRaw) => (value(amountRaw).valueWei > most ? value(amountRaw).valueWei : most), 0n);
          looks.length = 0;
          const { minRaw, maxRaw } = regimes[startPercent % regimes.length]!;
          const found = bestBySlope(regimes, value, 0n, minRaw + ((maxRaw - minRaw) * BigInt(startPercent)) / 100n);
          expect(looks.every((amountRaw) => regimes.some((one) => one.minRaw <= amountRaw && amountRaw <= one.maxRaw))).toBe(true);
          const made = found !== undefined && found.valueWei > 0n ? found.valueWei : 0n;
          expect((onGrid - made) * 1_000n <= onGrid + 1_000n).toBe(true);
        },
      ),
      { seed: 1, numRuns: 500 },
    );
  });

  it('is found below the amounts that cannot be done', () => {
    const value = concave(500n, 10n ** 12n, 10n, true);
    const best = bestBySlope([{ minRaw: 1n, maxRaw: 1_000_000n }], (amountRaw) => (amountRaw > 300_000n ? undefined : value(amountRaw)));
    expect(best!.amountRaw > 299_000n && best!.amountRaw <= 300_000n).toBe(true);
  });

  it('is none where no amount can be done', () => {
    expect(bestBySlope([{ minRaw: 1n, maxRaw: 1_000n }], () => undefined)).toBeUndefined();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestSlice, type Slicing, totalWei, worthBy } from '../../src/strategy/slices.ts';

type Amount = { readonly amountRaw: bigint; readonly valueWei: bigint };
type Shape = {
  readonly bonusBps: number;
  /** Of the position, at which the price has fallen by half. */
  readonly depth: number;
  /** Part of it that pools have lost before. */
  readonly gone: number;
  readonly gasWei: number;
  readonly stays: number;
  readonly recovers: number;
  /** Part of what is left that a block may take. */
  readonly close: number;
  /** Part of the whole after which the position is healthy. */
  readonly heals: number;
};

const DEBT = 10n ** 12n;
const FINE = 36;

const shape: fc.Arbitrary<Shape> = fc.record({
  bonusBps: fc.integer({ min: 200, max: 1_500 }),
  depth: fc.double({ min: 0.5, max: 30, noNaN: true }),
  gone: fc.double({ min: 0, max: 0.3, noNaN: true }),
  gasWei: fc.integer({ min: 0, max: 10 ** 9 }),
  stays: fc.double({ min: 0.1, max: 1, noNaN: true }),
  recovers: fc.double({ min: 0.1, max: 1, noNaN: true }),
  close: fc.constantFrom(0.5, 1),
  heals: fc.constantFrom(0.4, 0.8, 2),
});

/** Seized with a bonus, sold to a pool that keeps a product constant. */
function slicingOf({ bonusBps, depth, gone, gasWei, stays, recovers, close, heals }: Shape): Slicing<Amount> {
  const pool = Number(DEBT) * depth;
  const sold = (amount: number) => (pool * amount) / (pool + amount);
  const gross = (amount: number) => sold(amount * (1 + bonusBps / 10_000)) - amount;
  const before = gone * Number(DEBT);
  const rest = (takenRaw: bigint) => {
    if (Number(takenRaw) >= heals * Number(DEBT)) return [];
    const maxRaw = BigInt(Math.floor(Number(DEBT - takenRaw) * close));
    return maxRaw > 0n ? [{ minRaw: 1n, maxRaw }] : [];
  };
  return {
    ...{ regimes: rest(0n), rest, gasWei: BigInt(gasWei), leastWei: 1n, stays, recovers },
    now: (amountRaw) => {
      const made = gross(before + Number(amountRaw)) - gross(before);
      return { amountRaw, valueWei: BigInt(Math.round(made)) - BigInt(gasWei) };
    },
    grossWei: (amountRaw) => BigInt(Math.round(gross(Number(amountRaw)))),
  };
}

function bestAtOnce({ regimes, now }: Slicing<Amount>, steps = 1_000n): Amount {
  const [{ minRaw, maxRaw }] = regimes as [{ minRaw: bigint; maxRaw: bigint }];
  let best = now(maxRaw)!;
  for (let step = 0n; step <= steps; step++) {
    const one = now(minRaw + ((maxRaw - minRaw) * step) / steps)!;
    if (one.valueWei > best.valueWei) best = one;
  }
  return best;
}

describe('the part to take now', () => {
  it('never makes less than all at once, as it counts itself', () => {
    fc.assert(
      fc.property(shape, (one) => {
        const slicing = slicingOf(one);
        const alone = bestAtOnce(slicing);
        expect(totalWei(bestSlice(alone, slicing))).toBeGreaterThanOrEqual(Number(alone.valueWei));
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it('is all that pays at once where the rest is taken by others, or pools do not recover', () => {
    fc.assert(
      fc.property(shape, fc.boolean(), (one, rivals) => {
        const slicing = slicingOf({ ...one, gone: 0, ...(rivals ? { stays: 0 } : { recovers: 0, stays: 0.99 }) });
        const alone = bestAtOnce(slicing);
        fc.pre(alone.valueWei > 0n);
        const { now } = bestSlice(alone, slicing);
        expect(Number(now!.valueWei)).toBeGreaterThanOrEqual(Number(alone.valueWei) * 0.98 - 2);
        if (rivals) expect(now!.valueWei).toBeGreaterThanOrEqual(alone.valueWei);
      }),
      { seed: 4, numRuns: 40 },
    );
  });

  it('is within 0.1% of the best on a fine grid of amounts, each followed by the best of the next blocks', () => {
    let sliced = 0;
    fc.assert(
      fc.property(shape, (one) => {
        const slicing = slicingOf(one);
        const alone = bestAtOnce(slicing);
        fc.pre(alone.valueWei > 0n);
        const chosen = bestSlice(alone, slicing);
        const worth = worthBy(alone, slicing, undefined, FINE);
        const fine = totalWei(bestSlice(alone, slicing, FINE));
        if (chosen.now !== alone) sliced++;
        expect(totalWei(worth(chosen.now))).toBeGreaterThanOrEqual(fine * 0.999 - 10);
      }),
      { seed: 5, numRuns: 20 },
    );
    expect(sliced).toBeGreaterThan(5);
  });
});

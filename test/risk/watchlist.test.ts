/** The list by itself, on sums of whole numbers that bigint adds up exactly: what floats could get wrong, and every way across a limit. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Prng } from '../../scripts/devnet/prng.ts';
import type { Moment } from '../../src/oracles/types.ts';
import { type Bounds, Changes, gridDown, gridUp, MOST_TERMS, type Terms } from '../../src/protocols/bounds.ts';
import type { Slot } from '../../src/protocols/types.ts';
import { Watchlist } from '../../src/risk/watchlist.ts';

const SOME_TIME: Moment = { number: 1, timestamp: 1, baseFeeWei: 0n, answer: () => undefined };
const RUNS = 300;

/** Coefficients of the factors with the same numbers, and a constant. */
type Sum = { readonly coefficients: readonly number[]; readonly constant: number };

class BoundsDouble implements Bounds {
  readonly changes = new Changes();
  readonly sums: Sum[];
  values: Float64Array;

  constructor(sums: readonly Sum[], values: readonly number[]) {
    this.sums = [...sums];
    this.values = Float64Array.from(values);
  }

  safeBound(slot: Slot, terms: Terms): 'bounded' | 'unbounded' | 'idle' {
    const sum = this.sums[slot];
    if (sum === undefined) return 'idle';
    terms.constant = sum.constant;
    return sum.coefficients.every((coefficient, factor) => coefficient === 0 || terms.add(factor, coefficient)) ? 'bounded' : 'unbounded';
  }

  factors(): Float64Array {
    return this.values;
  }

  noteHealth(): void {}

  /** Whose exact sum is 0 or below. */
  lost(): Slot[] {
    const values = Array.from(this.values, BigInt);
    return this.sums.flatMap(({ coefficients, constant }, slot) => {
      const sum = coefficients.reduce((total, coefficient, factor) => total + BigInt(coefficient) * values[factor]!, BigInt(constant));
      return sum <= 0n ? [slot] : [];
    });
  }
}

function listOf(bounds: BoundsDouble): Watchlist {
  return new Watchlist(bounds, bounds.sums.keys());
}

function expectNobodyMissed(list: Watchlist, bounds: BoundsDouble, keep: boolean): readonly Slot[] {
  const named = list.suspects(SOME_TIME, keep)!;
  expect(bounds.lost().filter((slot) => !named.includes(slot))).toEqual([]);
  return named;
}

const whole = (bits: number) => fc.bigInt(1n, 2n ** BigInt(bits) - 1n).map(Number);

test('sums that cancel to a few units in 2^100 are never called safe while they are not', () => {
  const term = fc.record({ value: whole(53), coefficient: whole(50), sign: fc.constantFrom(1, -1) });
  let close = 0;
  fc.assert(
    fc.property(fc.array(term, { minLength: 1, maxLength: MOST_TERMS }), fc.integer({ min: -3, max: 3 }), (terms, off) => {
      const values = terms.map(({ value }) => value);
      const coefficients = terms.map(({ coefficient, sign }) => coefficient * sign);
      // A constant that cancels the sum to its last bits, as far as a double can say it.
      const exact = coefficients.reduce((sum, coefficient, place) => sum + BigInt(coefficient) * BigInt(values[place]!), 0n);
      const constant = Number(-exact + BigInt(off));
      const bounds = new BoundsDouble(
        [
          { coefficients, constant },
          { coefficients, constant: Math.abs(constant) * 2 + 2 ** 110 },
        ],
        values,
      );
      expect(expectNobodyMissed(listOf(bounds), bounds, true)).not.toContain(1);
      close += bounds.lost().length;
    }),
    { numRuns: RUNS, seed: 8 },
  );
  expect(close).toBeGreaterThan(RUNS / 10);
});

test('whatever way all factors take to where a sum is lost, it is named there and not left alone', () => {
  const term = fc.record({ value: fc.bigInt(2n ** 40n, 2n ** 46n).map(Number), coefficient: whole(20), sign: fc.constantFrom(1, -1) });
  let quiet = 0;
  fc.assert(
    fc.property(fc.array(term, { minLength: 2, maxLength: 6 }), whole(16), fc.infiniteStream(fc.nat(999)), (terms, room, luck) => {
      const draw = () => luck.next().value as number;
      const values = terms.map(({ value }) => value);
      const coefficients = terms.map(({ coefficient, sign }) => coefficient * sign);
      const sum = coefficients.reduce((total, coefficient, place) => total + BigInt(coefficient) * BigInt(values[place]!), 0n);
      const gross = coefficients.reduce((total, coefficient, place) => total + BigInt(Math.abs(coefficient)) * BigInt(values[place]!), 0n);
      // From a hair to a third of everything away from being lost.
      const constant = Number(gross / BigInt(2 + room) - sum);
      const bounds = new BoundsDouble([{ coefficients, constant }], values);
      const list = listOf(bounds);
      if (expectNobodyMissed(list, bounds, true).length === 0) quiet++;
      const start = bounds.values.slice();
      // A little beyond where the exact sum is 0 if all move against it by the same part, in steps of any order.
      for (const part of [0.3, 0.6, 0.9, 0.999, 1.000_001, 0.5, 1.01]) {
        const order = [...start.keys()].sort(() => draw() - 500);
        for (const place of order) {
          const moved = start[place]! * (1 - (Math.sign(coefficients[place]!) * part) / (2 + room));
          bounds.values[place] = Math.round(moved);
          if (draw() < 500) expectNobodyMissed(list, bounds, draw() < 600);
        }
        expectNobodyMissed(list, bounds, false);
        expectNobodyMissed(list, bounds, true);
      }
      expect(bounds.lost()).toEqual([0]);
    }),
    { numRuns: RUNS, seed: 8 },
  );
  expect(quiet).toBeGreaterThan(RUNS / 2);
});

test('positions that get limits far apart at the same time are all found by the moves that cross them', () => {
  const random = new Prng(8);
  const many = Array.from({ length: 300 }, () => ({
    coefficients: [1, -1].map((sign) => sign * Math.round(random.logBetween(1, 1e6))),
    constant: -1,
  }));
  for (const start of [
    [2 ** 40, 1],
    [2 ** 20, 2 ** 20],
  ]) {
    const bounds = new BoundsDouble(many, start);
    const list = listOf(bounds);
    expectNobodyMissed(list, bounds, true);
    for (let move = 0; move < 40; move++) {
      bounds.values[move % 2] = Math.ceil(start[move % 2]! * random.logBetween(0.2, 5));
      expectNobodyMissed(list, bounds, false);
      if (move % 3 !== 0) expectNobodyMissed(list, bounds, true);
    }
  }
});

test('a factor that cannot be told, that is nothing or that is beyond all bounds names whoever has it, and lets go of them again', () => {
  const bounds = new BoundsDouble(
    [
      { coefficients: [4, -1], constant: -1 },
      { coefficients: [0, 1], constant: -1 },
      { coefficients: [4, 0], constant: -1 },
    ],
    [100, 100],
  );
  const list = listOf(bounds);
  expect(list.suspects(SOME_TIME, true)).toEqual([]);
  for (const [value, holders] of [
    [Number.NaN, [0, 2]],
    [Number.POSITIVE_INFINITY, []],
    [0, [0, 2]],
    [2 ** 900, []],
    [2 ** -900, [0, 2]],
  ] as const) {
    bounds.values[0] = value;
    expect([value, list.suspects(SOME_TIME, false)]).toEqual([value, holders]);
    expect([value, list.suspects(SOME_TIME, true)]).toEqual([value, holders]);
    bounds.values[0] = 100;
    expect([value, list.suspects(SOME_TIME, true)]).toEqual([value, []]);
    bounds.values[0] = 20;
    expect([value, list.suspects(SOME_TIME, true)]).toEqual([value, [0]]);
    bounds.values[0] = 100;
    expect(list.suspects(SOME_TIME, true)).toEqual([]);
  }
});

test('a moment that may never come moves nothing', () => {
  const bounds = new BoundsDouble([{ coefficients: [2, -1], constant: 0 }], [100, 150]);
  const list = listOf(bounds);
  expect(list.suspects(SOME_TIME, true)).toEqual([]);
  for (let turn = 0; turn < 3; turn++) {
    bounds.values[0] = 60;
    expect(list.suspects(SOME_TIME, false)).toEqual([0]);
    bounds.values[0] = 100;
    expect(list.suspects(SOME_TIME, false)).toEqual([]);
  }
});

test('who comes, goes and comes back is followed; who looks too seldom is told to begin anew', () => {
  const bounds = new BoundsDouble([{ coefficients: [1], constant: -50 }], [100]);
  const list = listOf(bounds);
  expect([list.suspects(SOME_TIME, true), list.positions]).toEqual([[], 1]);
  bounds.sums.push({ coefficients: [1], constant: -200 }, { coefficients: [3], constant: -200 });
  for (const slot of [1, 2, 1]) bounds.changes.mark(slot);
  expect([list.suspects(SOME_TIME, true), list.positions]).toEqual([[1], 3]);
  bounds.sums.length = 1;
  for (const slot of [2, 1]) bounds.changes.mark(slot);
  expect([list.suspects(SOME_TIME, true), list.positions]).toEqual([[], 1]);
  bounds.sums.push({ coefficients: [1], constant: -200 });
  bounds.changes.mark(1);
  expect([list.suspects(SOME_TIME, true), list.positions]).toEqual([[1], 2]);
  for (let times = 0; times < 200_000; times++) bounds.changes.mark(0);
  expect(list.suspects(SOME_TIME, true)).toBeUndefined();
});

test('a number on the grid is at most 2^-17 of it away, and what is on the grid stays', () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (value) => {
      const [down, up] = [gridDown(value), gridUp(value)];
      expect(down <= value && value <= up && up - down <= value * 2 ** -17).toBe(true);
      expect([gridDown(down), gridUp(down), gridDown(up), gridUp(up)]).toEqual([down, down, up, up]);
    }),
    { numRuns: RUNS, seed: 8 },
  );
});

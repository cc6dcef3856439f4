import { describe, expect, it } from 'vitest';
import type { Settled } from '../../src/execution/tracker.ts';
import { Pace } from '../../src/pipeline/pace.ts';
import type { Candidate } from '../../src/risk/types.ts';

/** In no order of profit. */
const PLANS = Array.from({ length: 100 }, (_, place) => ({ profitWei: BigInt((place * 37) % 100) }));
const from = (leastWei: bigint) => PLANS.filter(({ profitWei }) => profitWei >= leastWei);

const candidate = (account: string) => ({ protocol: 'aave-v3', market: 'core', account }) as unknown as Candidate;
const MANY = Array.from({ length: 40 }, (_, place) => `0x${place}`);
/** A bundle's transaction, as the tracker tells of it. */
const ended = (accounts: readonly string[], outcome: 'missed' | 'included') =>
  ({ transaction: { channel: 'bundle', attempts: accounts.map(candidate) }, result: { outcome } }) as unknown as Settled;

describe('how many liquidations are tried in a block', () => {
  it('are all of them until a block was over too soon', () => {
    const pace = new Pace();
    pace.note(100, 'in time');
    expect(pace.keep(PLANS)).toEqual(PLANS);
  });

  it('are half of those that were too many, the most profitable, and one at least', () => {
    const pace = new Pace();
    pace.note(100, 'late');
    expect(pace.keep(PLANS)).toEqual(from(50n));
    pace.note(50, 'late');
    expect(pace.keep(PLANS)).toEqual(from(75n));
    pace.note(1, 'late');
    expect(pace.keep(PLANS)).toEqual(from(99n));
  });

  it('double with each block in time, with care up to what was too many, and on to all', () => {
    const pace = new Pace();
    pace.note(4, 'late');
    const tried: number[] = [];
    for (let block = 0; block < 8; block++) {
      const kept = pace.keep(PLANS);
      tried.push(kept.length);
      pace.note(kept.length, 'in time');
    }
    expect(tried).toEqual([2, 3, 4, 8, 16, 32, 64, 100]);
  });

  it('double up to what was too many where the last bundle was out early', () => {
    const pace = new Pace();
    pace.note(40, 'late');
    pace.note(20, 'early');
    expect(pace.most).toBe(40);
    pace.note(40, 'in time');
    expect(pace.most).toBe(80);
  });

  it('are half of those of a bundle that came to nothing though nobody else took what it held', () => {
    const pace = new Pace();
    pace.settled([ended(MANY, 'missed')]);
    pace.see([...MANY.slice(0, 35), 'another'].map(candidate));
    expect(pace.most).toBe(MANY.length / 2);
  });

  it.each([
    ['somebody else took it', [ended(MANY, 'missed')], MANY.slice(0, 15)],
    ['another variant was mined', [ended(MANY, 'missed'), ended(MANY, 'included')], MANY],
    ['they were few: that had another reason', [ended(MANY.slice(0, 10), 'missed')], MANY],
  ] as const)('stay as they are where %s', (_, settled, left) => {
    const pace = new Pace();
    pace.settled(settled);
    pace.see(left.map(candidate));
    expect(pace.most).toBe(Number.POSITIVE_INFINITY);
  });

  it('say nothing where nothing was tried', () => {
    const pace = new Pace();
    pace.note(0, 'late');
    expect(pace.keep(PLANS)).toHaveLength(100);
  });
});

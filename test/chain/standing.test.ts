import { describe, expect, it, vi } from 'vitest';
import { winnerOf } from '../../src/chain/agreement.ts';
import { AmendsClock } from '../../src/chain/amends.ts';
import { Standing } from '../../src/chain/standing.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

describe('the standing of an endpoint', () => {
  it('rests longer after each failure, and a success makes it as good as new', () => {
    const standing = new Standing();
    const rests = Array.from({ length: 7 }, (_, i) => standing.failed(i));
    expect(rests).toEqual([1, 2, 4, 8, 16, 30, 30].map((seconds) => seconds * SECOND));
    expect(standing.restMs(10)).toBeGreaterThan(0);
    expect(standing.succeeded()).toBe(true);
    expect(standing.restMs(10)).toBe(0);
    expect(standing.failed(10)).toBe(SECOND);
  });

  it('rests as long as it asks for, up to a minute', () => {
    const standing = new Standing();
    expect(standing.failed(0, 20 * SECOND)).toBe(20 * SECOND);
    expect(standing.limitedMs(5 * SECOND)).toBe(15 * SECOND);
    expect(standing.failed(0, HOUR)).toBe(60 * SECOND);
  });

  it('weighs a lie more than any failure: no success wipes it out, and the next within the hour costs three times as much', () => {
    const standing = new Standing();
    const rests = Array.from({ length: 7 }, (_, i) => standing.lied(i, 'wrong-logs', 'left one out'));
    expect(rests).toEqual([5, 15, 45, 135, 405, 600, 600].map((seconds) => seconds * SECOND));
    standing.succeeded();
    expect(standing.restMs(HOUR)).toBeGreaterThan(0);
    standing.madeGood();
    expect(standing.restMs(HOUR)).toBe(0);
    expect(standing.lied(3 * HOUR, 'fork', 'again')).toBe(5 * SECOND);
  });
});

describe('the branch that wins', () => {
  it.each([
    ['ours when nobody contradicts', ['a', 'a'], 2, 'a'],
    ['ours against as many', ['a', 'b'], 2, 'a'],
    ['ours against one where there could be more', ['b'], 2, 'a'],
    ['theirs when they are more', ['a', 'b', 'b'], 3, 'b'],
    ['ours when those against it disagree', ['a', 'a', 'b', 'c'], 4, 'a'],
    ['that of a sole endpoint', ['b'], 1, 'b'],
  ] as const)('is %s', (_, votes, configured, winner) => {
    const hash = (name: string) => `0x${name.repeat(64)}` as const;
    expect(winnerOf(hash('a'), votes.map(hash), configured)).toBe(hash(winner));
  });
});

describe('making amends', () => {
  it.each([
    ['is tried after the rest that was earned', false, [40, 100]],
    ['is tried every 5 s while no endpoint can be trusted, and the rest is earned all the same', true, [5, 10, 15, 20, 25, 30, 35, 40]],
  ] as const)('%s', async (_, alone, triedAt) => {
    vi.useFakeTimers();
    try {
      const tries: number[] = [];
      const began = performance.now();
      const clock = new AmendsClock({
        alone: () => alone && tries.length < triedAt.length,
        madeGood: async () => tries.push(Math.round((performance.now() - began) / SECOND)) === triedAt.length,
        again: () => 60 * SECOND,
      });
      clock.begin(40 * SECOND);
      await vi.advanceTimersByTimeAsync(HOUR);
      expect(tries).toEqual(triedAt);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

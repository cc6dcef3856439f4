import { describe, expect, it } from 'vitest';
import { hintIn } from '../../src/chain/limits.ts';
import { Pace } from '../../src/chain/pace.ts';

describe('what a refusal says about the range', () => {
  it.each([
    ['eth_getLogs is limited to a 10,000 range', 10_000],
    ['exceed maximum block range: 5000', 5_000],
    ['block range is too wide, up to a 2k block range is allowed', 2_000],
    ['ranges over 10000 blocks are not supported on freetier', 10_000],
    ['query exceeds max block range 100000', 100_000],
    ['Block range too large: maximum allowed is 500 blocks', 500],
    ['query returned more than 10000 results. Try with this block range [0x64, 0x12b].', 200],
    ['query exceeds max results 20000, retry with the range 100-349', 250],
    [
      'Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size. Based on your parameters, this block range should work: [0x64, 0xc7]',
      100,
    ],
  ])('%s', (words, widest) => {
    expect(hintIn(words, 100, 1_000_000)).toEqual({ widest });
  });

  it.each([
    'block range is too wide',
    'query returned more than 10000 results',
    'response too large',
    'try with [0x1, 0x5]',
    'max range 9999999999',
  ])('%s: nothing', (words) => {
    expect(hintIn(words, 100, 5_000)).toEqual({});
  });
});

describe('the pace of a backfill', () => {
  it('makes ranges so wide that answers have some thousands of logs, and never wider than what was refused', () => {
    const pace = new Pace({ firstWidth: 100, mostAtOnce: 3 });
    pace.answered(100, 0);
    expect(pace.width).toBe(400);
    pace.answered(400, 8_000);
    expect(pace.width).toBe(200);
    pace.refused(200, {});
    expect(pace.width).toBe(100);
    pace.answered(100, 10);
    expect(pace.width).toBe(100);
  });

  it('tries wider ranges again after a while, more and more seldom', () => {
    const pace = new Pace({ firstWidth: 64, mostAtOnce: 3 });
    const refusedAt: number[] = [];
    for (let asked = 0; asked < 500; asked++) {
      if (pace.width <= 100) pace.answered(pace.width, 1);
      else {
        refusedAt.push(asked);
        pace.refused(pace.width, {});
      }
    }
    expect(refusedAt.length).toBeLessThan(10);
    const pauses = refusedAt.slice(1).map((at, index) => at - refusedAt[index]!);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  });

  it('has fewer ranges under way while endpoints do not manage, and more again later', () => {
    const pace = new Pace({ mostAtOnce: 4 });
    pace.slowed();
    expect(pace.atOnce).toBe(2);
    for (let answers = 0; answers < 100; answers++) pace.answered(64, 1);
    expect(pace.atOnce).toBe(4);
  });
});

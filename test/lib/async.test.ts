import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mapBounded, retry, sleep, TimeoutError, withTimeout } from '../../src/lib/async.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('withTimeout', () => {
  it('rejects, naming what was waited for, and leaves no timer behind when it did not have to', async () => {
    const late = withTimeout(new Promise(() => {}), 50, 'the relay');
    const caught = expect(late).rejects.toThrow(new TimeoutError('the relay', 50));
    await vi.advanceTimersByTimeAsync(50);
    await caught;
    expect(await withTimeout(Promise.resolve(7), 50, 'the relay')).toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('sleep', () => {
  it('ends at once when it is aborted', async () => {
    const stop = new AbortController();
    const slept = sleep(10_000, stop.signal);
    stop.abort();
    await slept;
    await sleep(10_000, stop.signal);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('retry', () => {
  it('tries no more often than told, waiting twice as long each time', async () => {
    const times: number[] = [];
    const work = async () => {
      times.push(Date.now());
      throw new Error(`attempt ${times.length}`);
    };
    const caught = expect(retry(work, { attempts: 4, delayMs: 10, maxDelayMs: 20 })).rejects.toThrow('attempt 4');
    await vi.runAllTimersAsync();
    await caught;
    expect(times.map((time) => time - times[0]!)).toEqual([0, 10, 30, 50]);
  });

  it('does not repeat what is not worth it', async () => {
    const work = vi.fn(async () => Promise.reject(new Error('refused')));
    await expect(retry(work, { attempts: 4, delayMs: 10, retryIf: () => false })).rejects.toThrow('refused');
    expect(work).toHaveBeenCalledOnce();
  });
});

describe('mapBounded', () => {
  it('keeps the order and the bound', async () => {
    let [now, most] = [0, 0];
    const work = async (ms: number) => {
      most = Math.max(most, ++now);
      await sleep(ms);
      now--;
      return ms * 2;
    };
    const mapped = mapBounded([30, 10, 20, 5, 1], 2, work);
    await vi.runAllTimersAsync();
    expect(await mapped).toEqual([60, 20, 40, 10, 2]);
    expect(most).toBe(2);
  });

  it('starts nothing more after a failure', async () => {
    const started: number[] = [];
    const work = async (n: number) => {
      started.push(n);
      if (n === 2) throw new Error('two');
      await sleep(10);
    };
    const caught = expect(mapBounded([1, 2, 3, 4], 2, work)).rejects.toThrow('two');
    await vi.runAllTimersAsync();
    await caught;
    expect(started).toEqual([1, 2]);
  });
});

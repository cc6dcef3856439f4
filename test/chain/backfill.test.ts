import { toEventSelector } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getLogsByRange } from '../../src/chain/actions/getLogs.ts';
import { backfill } from '../../src/chain/backfill.ts';
import { mergeFilters } from '../../src/chain/filters.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { Rpc } from '../../src/chain/types.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { LogFilter, RawLog } from '../../src/lib/types.ts';
import { type Limit, LimitedEndpointDouble } from '../support/limited-endpoint-double.ts';
import { account, call, TallyChain } from '../support/tally-chain.ts';

const CHANGED = toEventSelector('Changed(address,int256)');
const BORN = toEventSelector('Born(address)');
const BUMPED = toEventSelector('Bumped(uint256)');

let chain: TallyChain;
let pool: RpcPool;
let last = 0;

beforeAll(async () => {
  chain = await TallyChain.start();
  for (let i = 0; i < 30; i++) {
    await chain.act(...Array.from({ length: i % 7 }, (_, k) => call.change(account(k), 1n)), call.bear(1n));
    await chain.mineEmpty(i % 5);
  }
  last = (await chain.block()).number;
  pool = await RpcPool.open([new SecretUrl(chain.http)]);
});
afterAll(async () => {
  pool.close();
  await chain.stop();
});

async function collect(filters: readonly LogFilter[], rpc: Rpc = pool, firstRange = 2_000) {
  const logs: RawLog[] = [];
  const progress: number[] = [];
  const onProgress = ({ doneTo }: { doneTo: number }) => void progress.push(doneTo);
  await backfill(rpc, 1, last, filters, (piece) => void logs.push(...piece), { firstRange, onProgress });
  return { logs, progress };
}
const place = ({ blockNumber, logIndex }: RawLog) => `${blockNumber}.${logIndex}`;

describe('a backfill', () => {
  it('brings every log once and in order, and says how far it is', async () => {
    const filter = { addresses: [chain.tally], topics0: [CHANGED, BORN] };
    const { logs, progress } = await collect([filter], pool, 4);
    expect(logs).toEqual(await getLogsByRange(pool, 1, last, filter));
    expect(progress.at(-1)).toBe(last);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  });

  it.each<[string, Limit]>([
    [
      'counts results',
      ({ logs = 0 }) => (logs > 9 ? { body: { code: -32005, message: 'query returned more than 10000 results' } } : undefined),
    ],
    ['measures ranges', ({ blocks }) => (blocks > 3 ? { body: { code: -32005, message: 'exceed maximum block range: 3' } } : undefined)],
    ['measures answers', ({ bytes = 0 }) => (bytes > 9_000 ? { body: { code: -32008, message: 'Response is too big' } } : undefined)],
    ['has a gateway that measures answers', ({ bytes = 0 }) => (bytes > 9_000 ? { status: 413, body: '<html>' } : undefined)],
    ['counts calls', ({ calls }) => (calls % 4 === 2 ? { status: 429, headers: { 'retry-after': '0.05' }, body: 'slow down' } : undefined)],
    [
      'has words of its own',
      ({ logs = 0, blocks }) => (logs > 20 || blocks > 10 ? { body: { code: -32000, message: 'be modest' } } : undefined),
    ],
  ])('brings the same from an endpoint that %s', async (_, limit) => {
    const double = await LimitedEndpointDouble.start(chain.http, limit);
    const limited = await RpcPool.open([new SecretUrl(double.url)]);
    try {
      const filters = [{ addresses: [chain.tally], topics0: [CHANGED, BORN] }];
      const { logs } = await collect(filters, limited, 16);
      expect(logs).toEqual((await collect(filters)).logs);
      expect(double.refused).toBeGreaterThan(0);
      expect(double.refused).toBeLessThan(60);
    } finally {
      limited.close();
      await double.stop();
    }
  });

  it('asks all endpoints, and none for more than it has to hold', async () => {
    const doubles = [await LimitedEndpointDouble.start(chain.http), await LimitedEndpointDouble.start(chain.http)];
    const both = await RpcPool.open(doubles.map(({ url }) => new SecretUrl(url)));
    try {
      const filters = [{ addresses: [chain.tally], topics0: [CHANGED, BORN] }];
      const { logs } = await collect(filters, both, 1);
      expect(logs).toEqual((await collect(filters)).logs);
      for (const { answered, mostAtOnce } of doubles) {
        expect(answered).toBeGreaterThan(3);
        expect(mostAtOnce).toBeLessThanOrEqual(6);
      }
    } finally {
      both.close();
      for (const double of doubles) await double.stop();
    }
  });

  it('goes on behind what was handed over when it was cut short', async () => {
    const filters = [{ addresses: [chain.tally], topics0: [CHANGED, BORN] }];
    const whole = (await collect(filters)).logs;
    const stop = new AbortController();
    const logs: RawLog[] = [];
    let reached = 0;
    const take = (piece: readonly RawLog[]) => void logs.push(...piece);
    const onProgress = ({ doneTo, secondsLeft }: { doneTo: number; secondsLeft: number }) => {
      reached = doneTo;
      expect(secondsLeft).toBeGreaterThan(0);
      if (doneTo > last / 2) stop.abort();
    };
    const cut = backfill(pool, 1, last, filters, take, { firstRange: 4, onProgress, signal: stop.signal });
    await expect(cut).rejects.toMatchObject({ name: 'AbortError' });
    expect(logs).toEqual(whole.filter(({ blockNumber }) => blockNumber <= reached));
    await backfill(pool, reached + 1, last, filters, take);
    expect(logs).toEqual(whole);
  });

  it('brings a log that two filters let through once', async () => {
    const filters = mergeFilters([{ addresses: [chain.tally], topics0: [BORN] }, { topics0: [BUMPED, BORN] }]);
    expect(filters).toHaveLength(2);
    const { logs } = await collect(filters, pool, 7);
    expect(new Set(logs.map(place)).size).toBe(logs.length);
    expect(logs.filter(({ topics }) => topics[0] === BORN)).toHaveLength(30);
    expect(logs.filter(({ topics }) => topics[0] === BUMPED)).toHaveLength(30);
  });
});

import { toEventSelector } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getLogsByRange } from '../../src/chain/actions/getLogs.ts';
import { backfill } from '../../src/chain/backfill.ts';
import { mergeFilters } from '../../src/chain/filters.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { Rpc } from '../../src/chain/types.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { LogFilter, RawLog } from '../../src/lib/types.ts';
import { LimitingNodeDouble } from '../support/limiting-node-double.ts';
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

  it.each([
    ['counts results', { maxLogs: 9 }],
    ['measures ranges', { maxBlocks: 3 }],
    ['has words of its own for both', { maxLogs: 20, maxBlocks: 10, message: 'nope, be modest', code: -32000 }],
  ])('asks for less from a node that %s', async (_, limits) => {
    const double = new LimitingNodeDouble(pool, limits);

    const filters = [{ addresses: [chain.tally], topics0: [CHANGED, BORN] }];
    const { logs } = await collect(filters, double);
    expect(logs).toEqual((await collect(filters)).logs);
    expect(double.refused).toBeGreaterThan(0);
    expect(double.refused).toBeLessThan(60);
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

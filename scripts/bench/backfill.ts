/** A market's history: how many events a second come in, checked and in order, and what memory that takes; from a node, and from a server that has nothing else to do. */
import { fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPublicClient, http, type PublicClient, parseAbi } from 'viem';
import { backfill as ourBackfill } from '../../src/chain/backfill.ts';
import { mergeFilters } from '../../src/chain/filters.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import type { Rpc } from '../../src/chain/types.ts';
import { mapBounded } from '../../src/lib/async.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import type { LogFilter } from '../../src/lib/types.ts';
import { type Bench, medianMs, type Result } from './result.ts';
import { mirrored, openScene, type Scene } from './scene.ts';

const RUNS = 5;
/** The history is served so often, one after another. */
const COPIES = 30;
/** viem is asked for as many events at once as a backfill of ours aims at, and for as many ranges at a time. */
const EVENTS_AT_ONCE = 4_000;
const RANGES_AT_ONCE = 3;
const MAX_ANSWER_BYTES = 200_000_000;

const events = parseAbi([
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'event BalanceTransfer(address indexed from, address indexed to, uint256 value, uint256 index)',
  'event Mint(address indexed caller, address indexed onBehalfOf, uint256 value, uint256 balanceIncrease, uint256 index)',
  'event Burn(address indexed from, address indexed target, uint256 value, uint256 balanceIncrease, uint256 index)',
  'event Supply(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint16 indexed referralCode)',
  'event Borrow(address indexed reserve, address user, address indexed onBehalfOf, uint256 amount, uint8 interestRateMode, uint256 borrowRate, uint16 indexed referralCode)',
  'event ReserveDataUpdated(address indexed reserve, uint256 liquidityRate, uint256 stableBorrowRate, uint256 variableBorrowRate, uint256 liquidityIndex, uint256 variableBorrowIndex)',
  'event ReserveUsedAsCollateralEnabled(address indexed reserve, address indexed user)',
]);

type Source = { readonly rpc: Rpc; readonly viem: PublicClient; readonly filters: readonly LogFilter[]; readonly last: number };

async function run(): Promise<Result[]> {
  const scene = await openScene();
  const { world, market } = await mirrored(scene);
  const filters = mergeFilters(market.filters());
  const node: Source = { rpc: scene.rpc, viem: scene.viem, filters, last: world.head.number };
  const results = [await timed('backfill, from the node', node, 'anvil serves it on the same cores')];
  const served = await serveHistory(scene, filters, node.last);
  try {
    results.push(
      await timed('backfill, from a loopback server', served.source, 'the same logs, rendered before and served again and again'),
    );
  } finally {
    await served.stop();
  }
  return results;
}

async function timed(name: string, source: Source, how: string): Promise<Result> {
  const { rpc, viem, filters, last } = source;
  let ours = 0;
  let peak = 0;
  const before = process.memoryUsage().rss;
  const oursMs = await medianMs(RUNS, async () => {
    ours = 0;
    await ourBackfill(rpc, 1, last, filters, (logs) => {
      ours += logs.length;
      peak = Math.max(peak, process.memoryUsage().rss);
    });
  });
  const width = Math.max(1, Math.floor((EVENTS_AT_ONCE * last) / ours));
  const starts = Array.from({ length: Math.ceil(last / width) }, (_, index) => 1 + index * width);
  const address = filters.flatMap(({ addresses }) => addresses ?? []);
  const viemMs = async (decoded: object) => {
    let theirs = 0;
    const ms = await medianMs(RUNS, async () => {
      const found = await mapBounded(starts, RANGES_AT_ONCE, async (start) => {
        const range = { address, fromBlock: BigInt(start), toBlock: BigInt(Math.min(last, start + width - 1)) };
        return (await viem.getLogs({ ...range, ...decoded })).length;
      });
      theirs = found.reduce((sum, count) => sum + count, 0);
    });
    return (theirs / ms) * 1_000;
  };
  return {
    name,
    ours: (ours / oursMs) * 1_000,
    unit: 'events/s',
    peers: [
      { name: 'viem getLogs', value: await viemMs({}) },
      { name: 'viem getLogs, decoded', value: await viemMs({ events }) },
    ],
    notes: `${ours} events of one market over ${last} blocks, each checked; ${how}`,
    figures: { events: ours, blocks: last, memoryMb: Math.round((peak - before) / 1e6) },
  };
}

/** The node's own answer, in front of a process of its own. */
async function serveHistory(
  { rpc }: Scene,
  filters: readonly LogFilter[],
  last: number,
): Promise<{ source: Source; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-bench-'));
  const file = join(folder, 'logs.json');
  const address = filters.flatMap(({ addresses }) => addresses ?? []);
  const topics = [[...new Set(filters.flatMap(({ topics0 }) => topics0))]];
  const answered = await rpc.request('eth_getLogs', [{ address, topics, fromBlock: '0x1', toBlock: `0x${last.toString(16)}` }]);
  await writeFile(file, JSON.stringify(answered));
  const server = fork(new URL('./history-server.ts', import.meta.url), [file, String(COPIES)]);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  server.once('exit', () => end());
  const stop = async () => {
    server.kill();
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    const ready = new Promise<{ url: string; last: number }>((resolve) => server.once('message', (said) => resolve(said as never)));
    const early = ended.then(() => Promise.reject(new Error('the server of the history did not start')));
    const { url, last: end } = await Promise.race([ready, early]);
    const pool = await RpcPool.open([new SecretUrl(url)]);
    const viem = createPublicClient({ transport: http(url, { timeout: 60_000, maxResponseBodySize: MAX_ANSWER_BYTES }) });
    const close = async () => {
      pool.close();
      await stop();
    };
    return { source: { rpc: pool, viem, filters, last: end }, stop: close };
  } catch (error) {
    await stop();
    throw error;
  }
}

export const backfill: Bench = { name: 'backfill', about: 'a market’s history', run };

/**
 * One feed's tick to the exact set of who is liquidatable, while interest accrues and positions change: the watchlist against judging everybody, at
 * several sizes. What is found is compared with judging everybody, at the end and now and then on the way.
 */
import { loadavg } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Moment } from '../../src/oracles/types.ts';
import { Watchlist } from '../../src/risk/watchlist.ts';
import { blueTicks } from './blue.ts';
import { FALLING, fall } from './crash.ts';
import { Crowd } from './crowd.ts';
import { unhealthyAmong } from './market.ts';
import { mathUtils } from './peers.ts';
import { type Bench, type Choice, median, quantile, type Result, timed } from './result.ts';

const SIZES = [10_000, 30_000, 100_000, 300_000, 1_000_000] as const;
const BLUE_POSITIONS = 100_000;
const TICKS = 10_000;
const EVENTS = 200;
/** Judging everybody takes seconds where there are many. */
const CHECKS = { few: 4, many: 20, manyUpTo: 100_000 };
/** The peers are so slow that some stand for all. */
const PEER_ACCOUNTS = 2_000;

type Times = { readonly ticks: number[]; readonly sets: number[]; readonly blocks: number[]; readonly full: number[]; found: number };

async function run({ seed, accounts }: Choice): Promise<Result[]> {
  const results: Result[] = [];
  for (const size of accounts === undefined ? SIZES : [accounts]) results.push(...(await measure(size, seed)));
  results.push(await blueTicks(accounts ?? BLUE_POSITIONS, seed));
  return results;
}

async function measure(size: number, seed: number): Promise<Result[]> {
  const before = bytesInUse();
  const crowd = new Crowd(size, seed);
  const state = bytesInUse() - before;
  const list = new Watchlist(crowd.bounds, crowd.slots());
  list.suspects(crowd.moment(), true);
  const bytes = bytesInUse() - before;
  const times = play(crowd, list, size);
  const fallen = fall(crowd, list);
  const peer = await mathUtils(crowd, Math.min(size, PEER_ACCOUNTS));
  const label = size.toLocaleString('en-US');
  const load = Number(loadavg()[0]!.toFixed(1));
  const full = { name: 'judging everybody, bigint', value: median(times.full) };
  const spread = (values: readonly number[]) => ({
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    most: Math.max(...values),
    load,
  });
  return [
    {
      ...{
        name: `tick, ${label} accounts`,
        ours: quantile(times.ticks, 0.5),
        unit: 'ms',
        figures: { accounts: size, ...spread(times.ticks), setP50: quantile(times.sets, 0.5), setP99: quantile(times.sets, 0.99) },
      },
      peers: [full, ...(peer === undefined ? [] : [{ name: '@aave/math-utils, some for all', value: peer * size }])],
      notes:
        `p99 ${quantile(times.ticks, 0.99).toFixed(3)} ms, upkeep included; the exact set alone ${quantile(times.sets, 0.5).toFixed(3)} ms, ` +
        `p99 ${quantile(times.sets, 0.99).toFixed(3)} ms; ${TICKS} ticks, ${times.found} found; load ${load}`,
    },
    {
      ...{
        name: `block, ${label} accounts`,
        ours: quantile(times.blocks, 0.5),
        unit: 'ms',
        figures: { accounts: size, ...spread(times.blocks) },
      },
      notes: `p99 ${quantile(times.blocks, 0.99).toFixed(2)} ms; interest, and ${EVENTS} changed positions taken in anew, before each tick`,
    },
    {
      ...{ name: `ten feeds fall, ${label} accounts`, ours: fallen.ms, unit: 'ms', figures: { accounts: size, ...fallen, load } },
      peers: [full],
      notes: `-${FALLING.percent}%, ${fallen.found} found, ${fallen.listMs.toFixed(1)} ms until they are named, the rest judging them, ${fallen.judged} of them in bigint`,
    },
    {
      ...{
        name: `memory, ${label} accounts`,
        ours: bytes / size,
        unit: 'bytes an account',
        figures: { accounts: size, state: state / size },
      },
      notes: `3 to 5 reserves; ${(state / size).toFixed(0)} of them exact state, the way from an address to its slot included`,
    },
  ];
}

function play(crowd: Crowd, list: Watchlist, size: number): Times {
  const times: Times = { ticks: [], sets: [], blocks: [], full: [], found: 0 };
  const every = Math.floor(TICKS / (size <= CHECKS.manyUpTo ? CHECKS.many : CHECKS.few));
  let found: readonly number[] = [];
  for (let tick = 1; tick <= TICKS; tick++) {
    crowd.block(EVENTS, found);
    const quiet = crowd.moment();
    times.blocks.push(timed(() => list.suspects(quiet, true)));
    crowd.tick();
    const at = crowd.moment();
    // As for a pending update, which may never come; then as for the block that has it.
    const set = timed(() => {
      const suspects = list.suspects(at, false)!;
      found = unhealthyAmong(crowd.state, suspects, at, list.lost(suspects, at));
    });
    const upkeep = timed(() => list.suspects(at, true));
    times.sets.push(set);
    times.ticks.push(set + upkeep);
    times.found += found.length;
    if (tick % every === 0) check(crowd, found, at, times);
  }
  return times;
}

function check(crowd: Crowd, found: readonly number[], at: Moment, times: { readonly full: number[] }): void {
  let all: readonly number[] = [];
  times.full.push(
    timed(() => {
      all = unhealthyAmong(crowd.state, crowd.slots(), at);
    }),
  );
  if (found.join() !== all.join()) throw new Error(`the watchlist found ${found.length}, judging everybody ${all.length}`);
}

function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Node keeps its collector to itself unless it is asked for it. */
function collectGarbage(): void {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
}

export const ticks: Bench = { name: 'ticks', about: 'a price tick to who is liquidatable, 10,000 to 1,000,000 accounts', run };

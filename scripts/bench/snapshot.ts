/** How long others wait while a snapshot is taken beside them: turns of the event loop are counted, with it and without. */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { type SnapshotEvent, SnapshotService } from '../../src/mirror/snapshots/service.ts';
import { SnapshotStore } from '../../src/mirror/snapshots/store.ts';
import type { Keeper } from '../../src/mirror/snapshots/take.ts';
import { keepMarket } from '../../src/protocols/aave-v3/kept.ts';
import { Crowd } from './crowd.ts';
import { type Bench, type Choice, quantile, type Result } from './result.ts';

const ACCOUNTS = 1_000_000;
const RUNS = 3;
const CHAIN_ID = 1;
/** Aimed at. */
const MOST_MS = 2;
/** A turn that takes no longer had nothing to do. */
const IDLE_MS = 0.05;

async function run({ seed, accounts = ACCOUNTS }: Choice): Promise<Result[]> {
  const keeper = keeperOf(new Crowd(accounts, seed));
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-bench-'));
  try {
    const told: SnapshotEvent[] = [];
    const service = new SnapshotService(new SnapshotStore(folder), CHAIN_ID, (event) => told.push(event));
    await service.take(keeper);
    const pauses: number[] = [];
    let workMs = 0;
    for (let times = 0; times < RUNS; times++) {
      const spent = process.cpuUsage();
      // NOTE: a million turns are too many arguments for one call.
      for (const ms of await pausesDuring(service.take(keeper))) pauses.push(ms);
      const { user, system } = process.cpuUsage(spent);
      workMs += (user + system) / 1_000 / RUNS;
    }
    const taken = told.at(-1);
    if (taken?.kind !== 'taken') throw new Error('no snapshot could be taken');
    const without = await pausesDuring(sleep(taken.ms * RUNS));
    const working = pauses.filter((ms) => ms > IDLE_MS);
    const [p50, p99] = [quantile(working, 0.5), quantile(working, 0.99)];
    const longer = (all: readonly number[]) => all.filter((ms) => ms > MOST_MS).length;
    const longest = (all: readonly number[]) => all.reduce((most, ms) => (ms > most ? ms : most), 0);
    return [
      {
        ...{ name: `pause by a snapshot, ${accounts.toLocaleString('en-US')} accounts`, ours: p99, unit: 'ms' },
        figures: { accounts, p50, p99, most: longest(pauses), longer: longer(pauses), pauses: working.length, workMs, bytes: taken.bytes },
        notes:
          `p99 of ${working.length} turns of the event loop with work in ${RUNS} snapshots; p50 ${p50.toFixed(2)} ms, longest ${longest(pauses).toFixed(2)} ms, ` +
          `${longer(pauses)} above ${MOST_MS} ms; in as long without one: longest ${longest(without).toFixed(2)} ms, ${longer(without)} above ${MOST_MS} ms; ` +
          `${(taken.bytes / 1e6).toFixed(0)} MB, ${Math.round(workMs)} ms of processor time each; load ${loadavg()[0]!.toFixed(1)}`,
      },
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** How long each turn took that somebody had to wait for until it was done. */
async function pausesDuring(work: Promise<unknown>): Promise<number[]> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  const pauses: number[] = [];
  for (let last = performance.now(); !done; ) {
    await turn();
    const now = performance.now();
    pauses.push(now - last);
    last = now;
  }
  await ended;
  return pauses;
}

function keeperOf({ state }: Crowd): Keeper {
  const followed = { pool: state.addresses.pool, filters: [], accounts: state.accounts };
  const keep = () => keepMarket(followed, new Map());
  const restore = () => {};
  const kept = [{ id: 'aave-v3/bench', fromBlock: 0, to: 0, keeping: { shape: 'bench', keep, restore } }];
  return { head: { number: 0, hash: `0x${'00'.repeat(32)}` }, retreats: 0, kept: () => kept, settled: async () => {} };
}

export const snapshot: Bench = { name: 'snapshot', about: 'how long others wait while a snapshot is taken', run };

/** Ticks on Morpho Blue, and what `@morpho-org/blue-sdk` takes to say the same of everybody. */
import { Watchlist } from '../../src/risk/watchlist.ts';
import { BlueCrowd } from './blue-crowd.ts';
import { blueSdk } from './peers.ts';
import { median, quantile, type Result } from './result.ts';

const TICKS = 2_000;
const EVENTS = 200;
const CHECKS = 10;

export async function blueTicks(size: number, seed: number): Promise<Result> {
  const crowd = new BlueCrowd(size, seed);
  const judgeAll = await blueSdk(crowd);
  const list = new Watchlist(crowd.bounds, crowd.slots());
  list.suspects(crowd.moment(), true);
  const times = { sets: [] as number[], ticks: [] as number[], peer: [] as number[] };
  let found: readonly number[] = [];
  let all = 0;
  for (let tick = 1; tick <= TICKS; tick++) {
    crowd.block(EVENTS, found);
    list.suspects(crowd.moment(), true);
    crowd.tick();
    const at = crowd.moment();
    const started = performance.now();
    found = crowd.unhealthy(list.suspects(at, false)!, at);
    const told = performance.now();
    list.suspects(at, true);
    times.sets.push(told - started);
    times.ticks.push(performance.now() - started);
    all += found.length;
    if (tick % (TICKS / CHECKS) !== 0) continue;
    const began = performance.now();
    const theirs = judgeAll?.(at);
    times.peer.push(performance.now() - began);
    for (const other of [crowd.unhealthy(crowd.slots(), at), theirs])
      if (other !== undefined && other.join() !== found.join())
        throw new Error(`the watchlist found ${found.length}, others ${other.length}`);
  }
  const label = size.toLocaleString('en-US');
  return {
    name: `tick, ${label} Morpho Blue positions`,
    ours: quantile(times.ticks, 0.5),
    unit: 'ms',
    peers: judgeAll === undefined ? [] : [{ name: '@morpho-org/blue-sdk, judging everybody', value: median(times.peer) }],
    notes:
      `p99 ${quantile(times.ticks, 0.99).toFixed(3)} ms, upkeep included; the exact set alone ${quantile(times.sets, 0.5).toFixed(3)} ms, ` +
      `p99 ${quantile(times.sets, 0.99).toFixed(3)} ms; ${TICKS} ticks, ${all} found, the same as judging everybody and as the library`,
    figures: { positions: size, p99: quantile(times.ticks, 0.99), setP50: quantile(times.sets, 0.5), setP99: quantile(times.sets, 0.99) },
  };
}

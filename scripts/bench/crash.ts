/** Ten feeds fall by a fifth at once, on a market where a tenth of a million borrowers stands so near to liquidation that it is lost. */
import { loadavg } from 'node:os';
import type { Slot } from '../../src/protocols/types.ts';
import { Watchlist } from '../../src/risk/watchlist.ts';
import { CROWDED, Crowd } from './crowd.ts';
import { unhealthyAmong } from './market.ts';
import { type Bench, type Choice, median, type Result, timed } from './result.ts';

const ACCOUNTS = 1_000_000;
export const FALLING = { feeds: 10, percent: 20n };
const FALLS = 9;
/** What has happened to the list before: blocks of so many changed positions, and a tick in each. */
const BLOCKS = 500;
const EVENTS = 200;

type Fallen = {
  readonly ms: number;
  /** Of processor time, all that goes on beside being left out. */
  readonly ownMs: number;
  readonly listMs: number;
  readonly found: number;
  /** Those that floats cannot tell apart. */
  readonly judged: number;
  readonly everybodyMs: number;
};

async function run({ seed, accounts = ACCOUNTS }: Choice): Promise<Result[]> {
  const crowd = new Crowd(accounts, seed, CROWDED);
  const list = new Watchlist(crowd.bounds, crowd.slots());
  list.suspects(crowd.moment(), true);
  let found: readonly Slot[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    crowd.block(EVENTS, found);
    crowd.tick();
    const at = crowd.moment();
    found = unhealthyAmong(crowd.state, list.suspects(at, true)!, at);
  }
  const fallen = fall(crowd, list);
  const load = Number(loadavg()[0]!.toFixed(1));
  return [
    {
      ...{ name: `crash, ${accounts.toLocaleString('en-US')} accounts crowded near 1`, ours: fallen.ms, unit: 'ms' },
      figures: { accounts, ...fallen, load },
      peers: [{ name: 'judging everybody, bigint', value: fallen.everybodyMs }],
      notes:
        `${FALLING.feeds} feeds -${FALLING.percent}%, ${fallen.found} found, ${fallen.judged} judged in bigint; ${fallen.ownMs.toFixed(0)} ms of processor time; ` +
        `${fallen.listMs.toFixed(0)} ms until they are named; load ${load}`,
    },
  ];
}

/** What a moment costs that may never come, and whom it would bring down. Throws where judging everybody finds others. */
export function fall(crowd: Crowd, list: Watchlist): Fallen {
  const at = crowd.fallen(FALLING.feeds, FALLING.percent);
  const times = { all: [] as number[], own: [] as number[], list: [] as number[] };
  let [suspects, found, lost]: [readonly Slot[], readonly Slot[], Uint8Array] = [[], [], new Uint8Array()];
  for (let turn = 0; turn < FALLS; turn++) {
    const spent = process.cpuUsage();
    const listMs = timed(() => {
      suspects = list.suspects(at, false)!;
    });
    const judgeMs = timed(() => {
      lost = list.lost(suspects, at);
      found = unhealthyAmong(crowd.state, suspects, at, lost);
    });
    const { user, system } = process.cpuUsage(spent);
    times.own.push((user + system) / 1_000);
    times.list.push(listMs);
    times.all.push(listMs + judgeMs);
  }
  let all: readonly Slot[] = [];
  const everybodyMs = timed(() => {
    all = unhealthyAmong(crowd.state, crowd.slots(), at);
  });
  if (found.join() !== all.join()) throw new Error(`the watchlist found ${found.length}, judging everybody ${all.length}`);
  const judged = lost.filter((one) => one === 0).length;
  return { ms: median(times.all), ownMs: median(times.own), listMs: median(times.list), found: found.length, judged, everybodyMs };
}

export const crash: Bench = { name: 'crash', about: 'ten feeds -20% at once, a tenth of all accounts found', run };

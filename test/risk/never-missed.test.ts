/** Whatever happens, in whatever order, the watchlist names everybody who is not healthy, and calls nobody lost who can be told healthy, or not be told. More steps for a soak, and others: `WATCH_STEPS=100000 WATCH_SEED=2`. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Prng } from '../../scripts/devnet/prng.ts';
import { type Effort, Watchlist } from '../../src/risk/watchlist.ts';
import { AaveCrowd, type Draw } from './aave-crowd.ts';
import type { Crowd } from './crowd.ts';
import { MorphoCrowd } from './morpho-crowd.ts';

const STEPS_A_RUN = 100;
const STEPS = Number(process.env['WATCH_STEPS'] ?? 6_000);
const SEED = Number(process.env['WATCH_SEED'] ?? 1);

/** As a keeper has it, which these few positions never exhaust, and so little that there is always something left. */
const EFFORTS: readonly (Effort | undefined)[] = [
  undefined,
  { crossings: 1, limits: 1, judged: 1 },
  { crossings: 4, limits: 0, judged: 1 },
];

type Tally = { positions: number; looked: number; unhealthy: number; lost: number };

/** Looks at where things stand and where they may come to; throws at the first who is missed. */
function play(crowd: Crowd, effort: Effort | undefined, steps: number, tally: Tally): void {
  let bounds = crowd.bounds;
  let list = new Watchlist(bounds, crowd.slots(), effort);
  const look = (keep: boolean) => {
    const at = keep ? crowd.moment() : crowd.hypothetical();
    if (crowd.bounds !== bounds) list = new Watchlist(crowd.bounds, crowd.slots(), effort);
    bounds = crowd.bounds;
    const named = list.suspects(at, keep);
    const unhealthy = crowd.unhealthy(at);
    const known = new Set(named);
    const missed = unhealthy.filter((slot) => !known.has(slot));
    expect(missed).toEqual([]);
    const marks = list.lost(named!, at);
    const lost = named!.filter((_, place) => marks[place] === 1);
    const liquidatable = new Set(crowd.liquidatable(at));
    expect(lost.filter((slot) => !liquidatable.has(slot))).toEqual([]);
    tally.lost += lost.length;
    tally.positions += list.positions;
    tally.looked += known.size;
    tally.unhealthy += unhealthy.length;
    expect(list.positions).toBe(crowd.slots().length);
  };
  crowd.betweenThem = () => look(true);
  for (let step = 0; step < steps; step++) {
    crowd.happen();
    if (step % 3 !== 1) look(false);
    if (step % 4 !== 2) look(true);
  }
}

test.each([
  ['Aave v3', 0.4, (draw: Draw) => new AaveCrowd(draw)],
  // Nobody is called lost there: all are judged.
  ['Morpho Blue', 0, (draw: Draw) => new MorphoCrowd(draw)],
])('%s: nobody is missed, and most are left alone', (_, leastLost, open) => {
  const tally: Tally = { positions: 0, looked: 0, unhealthy: 0, lost: 0 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (seed) => {
      const random = new Prng(seed);
      play(
        open((below) => Math.floor(random.next() * below)),
        EFFORTS[seed % EFFORTS.length],
        STEPS_A_RUN,
        tally,
      );
    }),
    { numRuns: Math.ceil(STEPS / 2 / STEPS_A_RUN), endOnFailure: true, seed: SEED },
  );
  expect(tally.unhealthy).toBeGreaterThan(tally.positions / 20);
  expect(tally.lost).toBeGreaterThanOrEqual(tally.unhealthy * leastLost);
  expect(tally.looked - tally.unhealthy).toBeLessThan((tally.positions - tally.unhealthy) / 2);
});

/** `node scripts/bids/evaluate.ts [--seed 1] [--seeds 100] [--auctions 500] [--csv <svr_auctions.csv>]`: the table of docs/benchmarks.md. */
import { parseArgs } from 'node:util';
import { readAuctions } from './auctions.ts';
import {
  best,
  bestInHindsight,
  drawMeetings,
  earnedBy,
  earnedByAuto,
  FIXED_BPS,
  HALF_DECADES,
  type Meeting,
  resample,
  THREE_CLASSES,
} from './compare.ts';

const BPS = 10_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '100' },
    auctions: { type: 'string', default: '500' },
    csv: { type: 'string' },
  },
});
const [first, seeds, count] = [values.seed, values.seeds, values.auctions].map(Number) as [number, number, number];
if (![first, seeds, count].every((number) => Number.isSafeInteger(number) && number > 0)) throw new Error('give whole numbers above 0');

console.log(`${count} auctions a run, seeds ${first} to ${first + seeds - 1}: what auto earned, as a part of what others did`);
console.log(
  '| sizes | of the best single fixed share | of the best shares in three classes of size | in half decades of size | without learning | of both, each run by itself: median, worst | fixed shares, as a part of auto |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- |');
report('as often as they came', (seed) => drawMeetings(seed, count, 'market'));
report('every size as often, $1,000 to $1,000,000', (seed) => drawMeetings(seed, count, 'even'));
if (values.csv !== undefined) {
  const heldOut = readAuctions(values.csv).heldOut.map(({ surplusUsd, share }) => ({ surplusUsd, rivalBps: Math.min(1, share) * BPS }));
  report('the auctions themselves, drawn again', (seed) => resample(seed, count, heldOut));
}

/** Hindsight chooses for all runs together, or for each by itself. */
function report(name: string, draw: (seed: number) => readonly Meeting[]): void {
  const runs = Array.from({ length: seeds }, (_, index) => draw(first + index));
  const all = runs.flat();
  const auto = runs.map((meetings) => earnedByAuto(meetings));
  const total = sum(auto);
  const fixed = best(FIXED_BPS, (shareBps) => earnedBy(all, () => shareBps));
  const [coarse, fine] = [THREE_CLASSES, HALF_DECADES].map((classes) => earnedBy(all, bestInHindsight(all, classes))) as [number, number];
  const untaught = sum(runs.map((meetings) => earnedByAuto(meetings, false)));
  const ofFixed = runs.map(
    (meetings, index) => auto[index]! / Math.max(...FIXED_BPS.map((shareBps) => earnedBy(meetings, () => shareBps))),
  );
  const ofBySize = runs.map((meetings, index) => auto[index]! / earnedBy(meetings, bestInHindsight(meetings, THREE_CLASSES)));
  const parts = FIXED_BPS.filter((shareBps) => shareBps % 500 === 0 || shareBps === FIXED_BPS.at(-1)).map(
    (shareBps) => `${(shareBps / BPS).toFixed(2)}: ${(earnedBy(all, () => shareBps) / total).toFixed(2)}`,
  );
  const cells = [
    `${(total / earnedBy(all, () => fixed)).toFixed(3)} (${(fixed / BPS).toFixed(2)})`,
    (total / coarse).toFixed(3),
    (total / fine).toFixed(3),
    (untaught / fine).toFixed(3),
    `${spread(ofFixed)}; ${spread(ofBySize)}`,
    parts.join(', '),
  ];
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}

function spread(ratios: readonly number[]): string {
  const sorted = ratios.toSorted((a, b) => a - b);
  return `${sorted[Math.floor(sorted.length / 2)]!.toFixed(2)}, ${sorted[0]!.toFixed(2)}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

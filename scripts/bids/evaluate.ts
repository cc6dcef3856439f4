/** `node scripts/bids/evaluate.ts [--seed 1] [--seeds 20] [--auctions 500] [--csv <svr_auctions.csv>]`: the table of docs/benchmarks.md. */
import { parseArgs } from 'node:util';
import { readAuctions } from './auctions.ts';
import { best, bestInHindsight, drawMeetings, earnedBy, earnedByAuto, FIXED_BPS, type Meeting, resample } from './compare.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '20' },
    auctions: { type: 'string', default: '500' },
    csv: { type: 'string' },
  },
});
const [first, seeds, count] = [values.seed, values.seeds, values.auctions].map(Number) as [number, number, number];
if (![first, seeds, count].every((number) => Number.isSafeInteger(number) && number > 0)) throw new Error('give whole numbers above 0');

console.log(`${count} auctions, seeds ${first} to ${first + seeds - 1}; each cell: mean over the seeds / worst seed`);
console.log(
  '| sizes | auto / best fixed share, of the mean | of each seed itself | auto / best by size, of all seeds | of each seed itself | without learning, of all seeds |',
);
console.log('| --- | --- | --- | --- | --- | --- |');
report('as often as they came', (seed) => drawMeetings(seed, count, 'market'));
report('every class as often', (seed) => drawMeetings(seed, count, 'even'));
if (values.csv !== undefined) {
  const heldOut = readAuctions(values.csv).heldOut.map(({ surplusUsd, share }) => ({ surplusUsd, rivalBps: Math.min(1, share) * 10_000 }));
  report('the auctions themselves, drawn again', (seed) => resample(seed, count, heldOut));
}

function report(name: string, draw: (seed: number) => readonly Meeting[]): void {
  const runs = Array.from({ length: seeds }, (_, index) => draw(first + index));
  const all = runs.flat();
  const fixed = best(FIXED_BPS, (shareBps) => earnedBy(all, () => shareBps));
  const bySize = bestInHindsight(all);
  const rows = runs.map((meetings) => {
    const auto = earnedByAuto(meetings);
    const ownFixed = best(FIXED_BPS, (shareBps) => earnedBy(meetings, () => shareBps));
    return {
      auto,
      untaught: earnedByAuto(meetings, false),
      fixed: earnedBy(meetings, () => fixed),
      ownFixed: earnedBy(meetings, () => ownFixed),
      bySize: earnedBy(meetings, bySize),
      ownBySize: earnedBy(meetings, bestInHindsight(meetings)),
    };
  });
  type Column = keyof (typeof rows)[number];
  const against = (ours: Column, theirs: Column) => {
    const sum = (column: Column) => rows.reduce((total, row) => total + row[column], 0);
    return `${(sum(ours) / sum(theirs)).toFixed(3)} / ${Math.min(...rows.map((row) => row[ours] / row[theirs])).toFixed(3)}`;
  };
  const cells = [
    against('auto', 'fixed'),
    against('auto', 'ownFixed'),
    against('auto', 'bySize'),
    against('auto', 'ownBySize'),
    against('untaught', 'bySize'),
  ];
  console.log(`| ${name} | ${cells[0]} (${fixed / 10_000}) | ${cells.slice(1).join(' | ')} |`);
}

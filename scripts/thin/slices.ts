/** `node scripts/thin/slices.ts`: what is made over several blocks of a position that thin pools do not take at once, with rivals of given frequency. */
import { parseArgs } from 'node:util';
import { whole } from '../whole.ts';
import { Crashed, expectedUsd } from './over-blocks.ts';

const HELP = `Usage: node scripts/thin/slices.ts [options]

Crashes of local chains with real contracts and thin pools. The largest position of which pools take a half or more at once is liquidated over eight blocks,
at the top of each, while an arbitrageur brings the pools back in the block after: by a keeper that takes at once what pays, and by one that knows the chance
that rivals come. What is left is gone with that chance before every block after the first.

  --seeds N        crashes (5)
  --seed S         the first of their seeds (1)
  --positions N    borrowers of each (40)
  --help
`;
const BLOCKS = 8;
/** That rivals take the rest within a block. */
const RIVALS = [1, 0.5, 0.2, 0.05];

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    positions: { type: 'string', default: '40' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await compare(whole(values, 'seeds', 1, 1_000), whole(values, 'seed', 0, 1_000_000), whole(values, 'positions', 20, 20_000));

async function compare(seeds: number, first: number, positions: number): Promise<void> {
  const head = ['seed', ...RIVALS.map((rivals) => `rivals ${rivals * 100}%`)];
  process.stdout.write(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}\n`);
  const sums = RIVALS.map(() => [0, 0] as [number, number]);
  for (let seed = first; seed < first + seeds; seed++) {
    const crashed = await Crashed.open(seed, positions);
    try {
      const atOnce = await crashed.live(BLOCKS, undefined);
      const cells: string[] = [];
      for (const [index, rivals] of RIVALS.entries()) {
        const slices = await crashed.live(BLOCKS, 1 - rivals);
        const made = [expectedUsd(atOnce, rivals), expectedUsd(slices, rivals)] as const;
        cells.push(cellOf(made));
        sums[index]![0] += made[0];
        sums[index]![1] += made[1];
      }
      process.stdout.write(`| ${[seed, ...cells].join(' | ')} |\n`);
    } finally {
      await crashed.stop();
    }
  }
  process.stdout.write(`| ${['all', ...sums.map(cellOf)].join(' | ')} |\n`);
}

function cellOf([atOnce, slices]: readonly [number, number]): string {
  const more = (slices / atOnce - 1) * 100;
  return `$${atOnce.toFixed(0)} / $${slices.toFixed(0)} (${more < 0 ? '' : '+'}${more.toFixed(1)}%)`;
}

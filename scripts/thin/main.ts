/** `node scripts/thin/main.ts`: what the choice of the amount brings where pools are thin. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { whole } from '../whole.ts';
import { type Crash, crash } from './crash.ts';
import { POLICIES, type Policy } from './policies.ts';

const HELP = `Usage: node scripts/thin/main.ts [options]

Crashes of local chains with real contracts and thin pools. In the block after each, three policies liquidate what pays, on snapshots of the same chain through
the Executor: half of a debt each (the close factor), the largest amount that is allowed, and what the keeper chooses. All else is the same for them: pairs,
routes, lenders, joint planning, the least profit.

  --seeds N        crashes (20)
  --seed S         the first of their seeds (1)
  --positions N    borrowers of each (80)
  --json FILE      write the figures there, as JSON
  --help

Exit code 0: the keeper makes as much as each of the others in every crash, and more in all.
`;
const USAGE_ERROR = 2;

function readArguments() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      positions: { type: 'string', default: '80' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    ...{ help: values.help, json: values.json, seeds: whole(values, 'seeds', 1, 1_000), seed: whole(values, 'seed', 0, 1_000_000) },
    positions: whole(values, 'positions', 20, 20_000),
  };
}

const dollars = (usd: number) => `$${Math.round(usd).toLocaleString('en')}`;

function rowOf({ seed, depth, ethFall, candidates, by }: Crash): string {
  const made = POLICIES.map((policy) => `${dollars(by[policy].profitUsd)} (${by[policy].liquidations})`);
  return `| ${[seed, `${(depth * 100).toFixed(1)}%`, `${(ethFall * 100).toFixed(0)}%`, candidates, ...made].join(' | ')} |`;
}

function totalOf(crashes: readonly Crash[], policy: Policy): number {
  return crashes.reduce((sum, { by }) => sum + by[policy].profitUsd, 0);
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readArguments>;
  try {
    options = readArguments();
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}; see --help\n`);
    return USAGE_ERROR;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const head = ['seed', 'pools', 'ETH falls', 'liquidatable', ...POLICIES];
  process.stdout.write(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}\n`);
  const crashes: Crash[] = [];
  for (let index = 0; index < options.seeds; index++) {
    const one = await crash(options.seed + index, options.positions);
    crashes.push(one);
    process.stdout.write(`${rowOf(one)}\n`);
  }
  const totals = POLICIES.map((policy) => totalOf(crashes, policy));
  process.stdout.write(
    `| all | | | ${crashes.reduce((sum, { candidates }) => sum + candidates, 0)} | ${totals.map(dollars).join(' | ')} |\n`,
  );
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(crashes, null, 2)}\n`);
  const others = POLICIES.filter((policy) => policy !== 'ours');
  const neverWorse = crashes.every(({ by }) => others.every((policy) => by.ours.profitUsd >= by[policy].profitUsd));
  return neverWorse && others.every((policy) => totalOf(crashes, 'ours') > totalOf(crashes, policy)) ? 0 : 1;
}

process.exitCode = await main();

/** `npm run updates`: how many of the liquidations that an update makes worth it land in its own block. */
import { openSync, writeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../demo/run.ts';
import { openView } from '../demo/view.ts';
import { whole } from '../whole.ts';
import { fallOf } from './play.ts';
import { printTally, tally } from './tally.ts';

const HELP = `Usage: npm run updates -- [options]

A local chain with real contracts, a builder that auctions private order flow, and a keeper, each in a process of its own. Price updates come 50 to 900 ms
before their slot seals: in the public mempool or as a hint alone, one or two at once. A lens that shares no code with the keeper says what each of them
made worth liquidating.

  --updates N      updates in all (100)
  --positions N    borrowers (600)
  --seed S         prices, ways and moments follow from it (1)
  --json FILE      write the tally there, as JSON
  --log FILE       write the keeper's log there: why something was late
  --help

Exit code 0: at least 99% of what paid landed in its update's own block, the rest in the next, nothing of ours was mined in vain, and the ledger is the
chain's, to the wei.
`;
const USAGE_ERROR = 2;
const INTERRUPTED = 130;

function readArguments() {
  const { values } = parseArgs({
    options: {
      updates: { type: 'string', default: '100' },
      positions: { type: 'string', default: '600' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      log: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    ...{ help: values.help, json: values.json, log: values.log, updates: whole(values, 'updates', 1, 10_000) },
    ...{ positions: whole(values, 'positions', 1, 20_000), seed: whole(values, 'seed', 0, 2 ** 32 - 1) },
  };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readArguments>;
  try {
    options = readArguments();
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}; see npm run updates -- --help\n`);
    return USAGE_ERROR;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-updates-'));
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const view = openView(process.stdout);
  const log = options.log === undefined ? undefined : openSync(options.log, 'w');
  const onLine = (line: object) => log !== undefined && writeSync(log, `${JSON.stringify(line)}\n`);
  try {
    const play = fallOf(options.updates, options.seed);
    const summary = await run({ ...options, once: true, folder, signal: interrupted.signal, onLine }, view, play);
    view.close();
    if (summary === undefined) return INTERRUPTED;
    const figures = tally(summary);
    printTally(figures, process.stdout);
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`);
    return figures.ok ? 0 : 1;
  } catch (error) {
    view.close();
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exit(await main());

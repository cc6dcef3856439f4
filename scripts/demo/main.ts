/** `npm run demo`: a chain with real contracts, a builder, a keeper and its dashboard on this machine; a scripted crash; what the keeper made of it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { whole } from '../whole.ts';
import { run } from './run.ts';
import { printSummary } from './table.ts';
import { openView } from './view.ts';

const HELP = `Usage: npm run demo -- [options]

A local chain with Aave v3, Morpho Blue, Compound III (a double), Venus, Perp v2, Uniswap v3 and Chainlink's oracle contracts, a block builder, Bailiff and its dashboard; then a scripted crash.

  --once           end when the scripted crash is over: 0 if the keeper won all that paid, 1 if it fell short
  --positions N    borrowers of Aave (200)
  --morpho-positions N  borrowers of Morpho Blue (24); 0: without it
  --comet-positions N   borrowers of Compound III (18); 0: without it
  --venus-positions N   borrowers of Venus (12); 0: without it
  --perp-positions N    traders of Perp v2 (10); 0: without it
  --slot-ms N      between blocks (1000; 2000 where Aave has more than 1,000 borrowers)
  --seed S         the same seed gives the same borrowers (1)
  --json FILE      write the summary there, as JSON
  --help

Without --once the chain and the keeper go on until Ctrl-C, for the dashboard to be looked at.
`;
const USAGE_ERROR = 2;
const INTERRUPTED = 130;

function readArguments() {
  const { values } = parseArgs({
    options: {
      once: { type: 'boolean', default: false },
      positions: { type: 'string', default: '200' },
      'morpho-positions': { type: 'string', default: '24' },
      'comet-positions': { type: 'string', default: '18' },
      'venus-positions': { type: 'string', default: '12' },
      'perp-positions': { type: 'string', default: '10' },
      'slot-ms': { type: 'string' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const morphoPositions = whole(values, 'morpho-positions', 0, 20_000);
  const cometPositions = whole(values, 'comet-positions', 0, 20_000);
  const venusPositions = whole(values, 'venus-positions', 0, 20_000);
  const perpPositions = whole(values, 'perp-positions', 0, 1_000);
  const slotMs = values['slot-ms'] === undefined ? undefined : whole(values, 'slot-ms', 250, 60_000);
  return {
    ...(slotMs === undefined ? {} : { slotMs }),
    ...(perpPositions === 0 ? {} : { perpPositions }),
    ...(morphoPositions === 0 ? {} : { morphoPositions }),
    ...(cometPositions === 0 ? {} : { cometPositions }),
    ...(venusPositions === 0 ? {} : { venusPositions }),
    once: values.once,
    help: values.help,
    json: values.json,
    positions: whole(values, 'positions', 1, 20_000),
    seed: whole(values, 'seed', 0, 2 ** 32 - 1),
  };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readArguments>;
  try {
    options = readArguments();
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}; see npm run demo -- --help\n`);
    return USAGE_ERROR;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-demo-'));
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const view = openView(process.stdout);
  try {
    const summary = await run({ ...options, folder, signal: interrupted.signal }, view);
    view.close();
    if (summary === undefined) return INTERRUPTED;
    printSummary(summary, process.stdout);
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(summary, null, 2)}\n`);
    return summary.ok ? 0 : 1;
  } catch (error) {
    view.close();
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exit(await main());

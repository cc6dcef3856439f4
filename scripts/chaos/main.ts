/** `npm run chaos`: whatever can go wrong around a keeper goes wrong, and it has to be none the worse for it. */
import { parseArgs } from 'node:util';
import { whole } from '../whole.ts';
import { chaos } from './chaos.ts';
import { printTable } from './table.ts';

const HELP = `Usage: npm run chaos -- [options]

Runs a keeper on a local chain with real contracts and makes trouble: endpoints that are slow, silent, lie or go down, reorganisations up to 64 blocks, missed
slots, SIGKILL, a full disk, a locked and a damaged ledger. After each the keeper's mirror has to be that of a fresh sync, its ledger the chain's, to the wei, and
its limits kept. Loopback only.

  --runs N         troubles in all, all kinds equally often (300)
  --seed S         their order, prices, blocks and depths follow from it (1)
  --positions N    borrowers on each chain (80)
  --only TEXT      only troubles whose name holds this
  --json FILE      write the results there, as JSON
  --help

Exit code 0: every run was survived, and nothing was wrong, done twice or lost.
`;
const USAGE_ERROR = 2;
const INTERRUPTED = 130;

function readArguments() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '300' },
      seed: { type: 'string', default: '1' },
      positions: { type: 'string', default: '80' },
      only: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { help, json, only } = values;
  return {
    help,
    json,
    only,
    runs: whole(values, 'runs', 1, 10_000),
    seed: whole(values, 'seed', 0, 2 ** 31),
    positions: whole(values, 'positions', 40, 900),
  };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readArguments>;
  try {
    options = readArguments();
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}; see npm run chaos -- --help\n`);
    return USAGE_ERROR;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const result = await chaos(options, interrupted.signal, {
    line: (text) => process.stdout.write(`${text}\n`),
    tick: (good) => process.stdout.write(good ? '.' : 'x'),
  });
  await printTable(result, options.json, process.stdout);
  if (interrupted.signal.aborted) return INTERRUPTED;
  return result.ok ? 0 : 1;
}

process.exit(await main());

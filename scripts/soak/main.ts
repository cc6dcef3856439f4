/**
 * `npm run soak`: the keeper is killed, over and over, at every point where it writes or sends, and has to go on as if nothing had happened. With `--blocks` it
 * is left alone instead, for as many blocks of random activity.
 */
import { parseArgs } from 'node:util';
import { whole } from '../whole.ts';
import { printBlocks, soakBlocks } from './blocks.ts';
import { type Say, soak } from './soak.ts';
import { printTable } from './table.ts';

const HELP = `Usage: npm run soak -- [options]

Kills a keeper with SIGKILL before and after every durable write and every send, on a local chain with real contracts; starts the same command again each time,
and holds its ledger against the chain: every transaction of ours once and with its outcome, nothing open for ever, no liquidation twice, balances to the wei.

  --runs N         deaths at each failpoint, by bundle and in the public mempool (20)
  --blocks N       instead: so many blocks of random supplies, withdrawals, debts, repayments, prices, trades and reorganisations, and no death. Every block the keeper
                   audits; every tenth, whom the watchlist named is held against judging everybody and against the pool's own view; memory is told with its slope
  --seed S         prices, blocks and reorgs follow from it (1)
  --positions N    borrowers on each chain (200)
  --json FILE      write the results there, as JSON
  --help

One chain serves a round of all failpoints, so 2 N chains are started one after the other; N = 1 takes about three minutes on two cores. Loopback only.
Exit code 0: every failpoint was reached N times, and nothing was wrong, done twice or lost; with --blocks: no difference was found, and memory stays flat.
`;
const USAGE_ERROR = 2;
const INTERRUPTED = 130;

function readArguments() {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string' },
      blocks: { type: 'string' },
      seed: { type: 'string', default: '1' },
      positions: { type: 'string', default: '200' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.runs !== undefined && values.blocks !== undefined)
    throw new Error('--runs and --blocks are two ways to soak: give one of them');
  return {
    help: values.help,
    json: values.json,
    runs: whole({ runs: values.runs ?? '20' }, 'runs', 1, 1_000),
    blocks: values.blocks === undefined ? undefined : whole(values, 'blocks', 1, 1_000_000),
    seed: whole(values, 'seed', 0, 2 ** 31),
    positions: whole(values, 'positions', 40, 5_000),
  };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readArguments>;
  try {
    options = readArguments();
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}; see npm run soak -- --help\n`);
    return USAGE_ERROR;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const say: Say = { line: (text) => process.stdout.write(`${text}\n`), tick: (good) => process.stdout.write(good ? '.' : 'x') };
  if (options.blocks !== undefined) {
    const played = await soakBlocks({ ...options, blocks: options.blocks }, interrupted.signal, say, options.json);
    printBlocks(played, process.stdout);
    if (interrupted.signal.aborted) return INTERRUPTED;
    return played.ok ? 0 : 1;
  }
  const result = await soak(options, interrupted.signal, say);
  await printTable(result, options.json, process.stdout);
  if (interrupted.signal.aborted) return INTERRUPTED;
  return result.ok ? 0 : 1;
}

process.exit(await main());

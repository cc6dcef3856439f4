/** `npm run bench`: what Bailiff does in a slot, timed on this machine, next to what the same work costs with the libraries it is built from. */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { whole } from '../whole.ts';
import { backfill } from './backfill.ts';
import { blocks } from './blocks.ts';
import { bundle } from './bundle.ts';
import { crash } from './crash.ts';
import { hotpath } from './hotpath.ts';
import { judging } from './judging.ts';
import { ledger } from './ledger.ts';
import { planning } from './planning.ts';
import { quotes } from './quotes.ts';
import { restarting } from './restart.ts';
import { type Bench, type Choice, type Result, ratio, rounded } from './result.ts';
import { closeScene } from './scene.ts';
import { signingAndSending } from './signing.ts';
import { snapshot } from './snapshot.ts';
import { tableOf } from './table.ts';
import { ticks } from './ticks.ts';
import { updates } from './updates.ts';

// NOTE: planning moves a price on the scene that others have measured before.
const BENCHES: readonly Bench[] = [
  quotes,
  signingAndSending,
  ledger,
  ticks,
  crash,
  snapshot,
  blocks,
  judging,
  backfill,
  updates,
  hotpath,
  planning,
  bundle,
  restarting,
];
const USAGE_ERROR = 2;

const HELP = `Usage: npm run bench -- [options]

Times Bailiff on this machine, prints a table and writes it as JSON. Other work on the machine makes figures worse, ratios hardly.

  --only NAME    one of these alone; may be repeated
${BENCHES.map(({ name, about }) => `                   ${name.padEnd(10)}${about}`).join('\n')}
  --seed S       what the accounts of ticks, and what happens to them, are drawn from (1)
  --accounts N   so many accounts for ticks, crash, snapshot, blocks and restart, instead of their own
  --json FILE    where to write the results (bench-results.json)
  --help
`;

type Arguments = { readonly chosen: readonly Bench[]; readonly choice: Choice; readonly json: string };

function readArguments(argv: readonly string[]): Arguments | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', multiple: true },
      seed: { type: 'string', default: '1' },
      accounts: { type: 'string' },
      json: { type: 'string', default: 'bench-results.json' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return 'help';
  const unknown = values.only?.find((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown !== undefined) throw new Error(`--only knows ${BENCHES.map(({ name }) => name).join(', ')}, not ${JSON.stringify(unknown)}`);
  const accounts = values.accounts === undefined ? undefined : whole(values, 'accounts', 1, 5_000_000);
  return {
    chosen: BENCHES.filter(({ name }) => values.only?.includes(name) ?? true),
    choice: { seed: whole(values, 'seed', 0, 2 ** 31 - 1), accounts },
    json: values.json,
  };
}

/** What was measured is kept when a later one fails. */
async function main({ chosen, choice, json }: Arguments): Promise<void> {
  const results: Measured[] = [];
  try {
    for (const bench of chosen) {
      process.stderr.write(`bench: ${bench.name} (${bench.about})\n`);
      results.push(...(await bench.run(choice)).map((result) => ({ ...result, bench: bench.name })));
    }
  } finally {
    await closeScene();
    await writeFile(json, `${JSON.stringify(documentOf(results), null, 2)}\n`);
    if (results.length > 0) process.stdout.write(`${tableOf(results)}\n`);
  }
}

type Measured = Result & { readonly bench: string };

function documentOf(results: readonly Measured[]) {
  return {
    machine: { node: process.version, platform: process.platform, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    results: results.map((result) => ({
      ...result,
      ours: rounded(result.ours),
      peers: (result.peers ?? []).map((peer) => ({ ...peer, value: rounded(peer.value), timesBetter: rounded(ratio(result, peer)) })),
    })),
  };
}

try {
  const options = readArguments(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else
    await main(options).catch((error: unknown) => {
      process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    });
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = USAGE_ERROR;
}

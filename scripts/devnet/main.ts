/** `npm run devnet`: the devnet and its builder alone, until Ctrl-C. */
import { parseArgs } from 'node:util';
import type { Devnet } from './devnet.ts';

const HELP = `Usage: npm run devnet -- [options]

A local chain (chain id 7777) with real contracts, and its block builder, until Ctrl-C.

  --positions N        borrowers with open positions (200)
  --legacy-positions N borrowers of an Aave v3.0 market beside it (no such market)
  --morpho-positions N borrowers of Morpho Blue beside it (no such contract)
  --comet-positions N  borrowers of Compound III beside it (no such contract)
  --venus-positions N  borrowers of Venus beside it (no such contracts)
  --seed S             the same seed gives the same borrowers (1)
  --slot-ms MS         wall-clock length of a slot of 12 s chain time (1000)
  --port P             the chain's port (8545; 0: any free one)
  --builder-port P     the builder's port (8645; 0: any free one)
  --deployments FILE   write the addresses there, as a DEPLOYMENTS_FILE
  --help
`;
const USAGE_ERROR = 2;
const BY_SIGNAL: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGTERM: 143 };

type Arguments = {
  positions: number;
  legacyPositions?: number;
  morphoPositions?: number;
  cometPositions?: number;
  venusPositions?: number;
  seed: number;
  slotMs: number;
  port: number;
  builderPort: number;
  deploymentsFile?: string;
};

type Flag = `${'' | 'legacy-' | 'morpho-' | 'comet-' | 'venus-'}positions` | 'seed' | 'slot-ms' | 'port' | 'builder-port';

function readArguments(argv: readonly string[]): Arguments | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      ...{ positions: text, seed: text, 'slot-ms': text, port: text, 'builder-port': text, deployments: text },
      ...{ 'legacy-positions': text, 'morpho-positions': text, 'comet-positions': text, 'venus-positions': text },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return 'help';
  const whole = (flag: Flag, fallback: number, low: number, high: number): number => {
    const given = values[flag];
    const number = given === undefined ? fallback : Number(given);
    if (given?.trim() === '' || !Number.isInteger(number) || number < low || number > high) {
      throw new Error(`--${flag} must be a whole number from ${low} to ${high}, not ${JSON.stringify(given)}`);
    }
    return number;
  };
  return {
    positions: whole('positions', 200, 0, 20_000),
    ...(values['legacy-positions'] === undefined ? {} : { legacyPositions: whole('legacy-positions', 0, 0, 20_000) }),
    ...(values['morpho-positions'] === undefined ? {} : { morphoPositions: whole('morpho-positions', 0, 0, 20_000) }),
    ...(values['comet-positions'] === undefined ? {} : { cometPositions: whole('comet-positions', 0, 0, 20_000) }),
    ...(values['venus-positions'] === undefined ? {} : { venusPositions: whole('venus-positions', 0, 0, 20_000) }),
    seed: whole('seed', 1, 0, 2 ** 32 - 1),
    slotMs: whole('slot-ms', 1_000, 50, 600_000),
    port: whole('port', 8545, 0, 65_535),
    builderPort: whole('builder-port', 8645, 0, 65_535),
    ...(values.deployments === undefined ? {} : { deploymentsFile: values.deployments }),
  };
}

function describe(devnet: Devnet): string {
  const { rpcUrl, wsUrl, builderUrl, deployments, market, accounts } = devnet;
  const lines: [string, string][] = [
    ['chain', `${rpcUrl}  ${wsUrl}  (chain id ${deployments.chainId})`],
    ['builder', builderUrl],
    ['Aave pool', market.aave.pool],
    ['addresses provider', market.aave.poolAddressesProvider],
    ...(market.legacy === undefined ? [] : [['legacy provider', market.legacy.aave.poolAddressesProvider] as [string, string]]),
    ...(market.morpho === undefined ? [] : [['Morpho Blue', market.morpho.morpho.morpho] as [string, string]]),
    ...(market.comet === undefined ? [] : [['Compound III', market.comet.comet.comet] as [string, string]]),
    ...(market.venus === undefined ? [] : [['Venus comptroller', market.venus.venus.comptroller] as [string, string]]),
    ['Uniswap factory', market.uniswap.factory],
    ...Object.entries(market.tokens).map(([symbol, address]): [string, string] => [symbol, address]),
    ...Object.values(market.feeds).map(({ name, proxy }): [string, string] => [name, proxy]),
    ['keeper account', `${accounts.keeper.address}  key ${accounts.keeper.privateKey}`],
  ];
  return lines.map(([name, value]) => `  ${name.padEnd(20)}${value}\n`).join('');
}

async function main(): Promise<void> {
  const started = performance.now();
  const progress = (line: string) => process.stderr.write(`devnet: ${((performance.now() - started) / 1000).toFixed(1)} s: ${line}\n`);
  const signalled = new Promise<number>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(BY_SIGNAL[signal]!));
  });
  let options: Arguments | 'help';
  try {
    options = readArguments(process.argv.slice(2));
  } catch (error) {
    fail(error);
    process.exitCode = USAGE_ERROR;
    return;
  }
  if (options === 'help') {
    process.stdout.write(HELP);
    return;
  }
  // Loaded late: a wrong flag needs no half second of imports.
  const { startDevnet } = await import('./devnet.ts');
  const starting = startDevnet({ ...options, progress });
  const early = await Promise.race([starting, signalled]);
  // What has been started so far ends with this process.
  if (typeof early === 'number') process.exit(early);
  process.stdout.write(`${describe(early)}Ctrl-C stops it.\n`);
  const ending = await Promise.race([signalled, early.died]);
  await early.stop();
  if (typeof ending === 'string') {
    fail(ending);
    process.exitCode = 1;
  }
}

function fail(error: unknown): void {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
}

main().catch((error) => {
  fail(error);
  process.exitCode = 1;
});

import { resolve } from 'node:path';
import { ConfigError } from '../lib/errors.ts';
import type { Config, Purpose } from './config.ts';
import { type DeploymentsFile, readDeploymentsFile } from './deploymentsFile.ts';
import { readEnvironment, type Variables } from './environment.ts';
import { readKeystore } from './keystore.ts';
import { hasRelays, problemsOf, warningsOf } from './rules.ts';
import { type Environment, environment as schema, UNSUPPORTED } from './variables.ts';

export type Surroundings = { readonly folder: string; readonly env: NodeJS.ProcessEnv };

/**
 * Reads `.env` and the environment and checks all of it. Touches files, never the network. Throws ConfigError with every problem at once. Secrets are taken out
 * of the given environment.
 */
export async function loadConfig(
  purpose: Purpose,
  { folder, env }: Surroundings = { folder: process.cwd(), env: process.env },
): Promise<Config> {
  const { variables, warnings } = readEnvironment(folder, env);
  const unsupported = UNSUPPORTED.filter((name) => variables[name] !== undefined).map(
    (name) => `${name}: not supported by this version: unset it`,
  );
  const parsed = parseVariables(variables);
  const { deployments, problems: ofFile } = readBook(parsed.environment.DEPLOYMENTS_FILE, folder);
  const beforeKeys = [
    ...unsupported,
    ...parsed.problems,
    ...ofFile,
    ...problemsOf(parsed.environment, deployments, purpose).filter(
      (problem) => !parsed.problems.some((known) => sameVariable(known, problem)),
    ),
  ];
  const keeper = await keeperKey(parsed.environment, purpose, folder);
  const problems = [...beforeKeys, ...keeper.problems];
  if (problems.length > 0) throw new ConfigError(problems);
  return assemble(parsed.environment, {
    deployments,
    folder,
    keeper: keeper.key,
    warnings: [...warnings, ...keeper.warnings, ...warningsOf(parsed.environment, purpose)],
  });
}

/** Each variable by itself, so that one bad value hides no other. Bad ones come out as unset. */
function parseVariables(variables: Variables): { readonly environment: Environment; readonly problems: readonly string[] } {
  const known = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, variables[name]]));
  const first = schema.safeParse(known);
  if (first.success) return { environment: first.data, problems: [] };
  const bad = new Set(first.error.issues.map((issue) => String(issue.path[0])));
  const rest = Object.fromEntries(Object.entries(known).filter(([name]) => !bad.has(name)));
  return { environment: schema.parse(rest), problems: first.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`) };
}

function readBook(
  file: string | undefined,
  folder: string,
): { readonly deployments: DeploymentsFile | undefined; readonly problems: readonly string[] } {
  if (file === undefined) return { deployments: undefined, problems: [] };
  const result = readDeploymentsFile(resolve(folder, file));
  return result.ok
    ? { deployments: result.deployments, problems: [] }
    : { deployments: undefined, problems: result.problems.map((problem) => `DEPLOYMENTS_FILE: ${problem}`) };
}

async function keeperKey(environment: Environment, purpose: Purpose, folder: string) {
  const { KEEPER_PRIVATE_KEY: key, KEEPER_KEYSTORE: keystore, KEEPER_KEYSTORE_PASSWORD_FILE: password } = environment;
  const signs = purpose === 'run' || purpose === 'deploy' || purpose === 'doctor';
  if (key !== undefined || keystore === undefined || password === undefined || !signs) return { key, problems: [], warnings: [] };
  const opened = await readKeystore(resolve(folder, keystore), resolve(folder, password));
  return opened.ok
    ? { key: opened.key, problems: [], warnings: opened.warnings }
    : { key: undefined, problems: [opened.problem], warnings: [] };
}

type Gathered = Pick<Config, 'warnings'> & {
  readonly deployments: DeploymentsFile | undefined;
  readonly folder: string;
  readonly keeper: Config['keys']['keeper'];
};

function assemble(environment: Environment, { deployments, folder, keeper, warnings }: Gathered): Config {
  const publicMempool = environment.PUBLIC_MEMPOOL ?? (hasRelays(environment) ? 'never' : 'only');
  return {
    mode: environment.MODE,
    chain: { rpcUrls: environment.RPC_URLS ?? [], chainId: environment.CHAIN_ID, deployments },
    keys: { keeper, lanes: environment.LANE_PRIVATE_KEYS ?? [] },
    laneTopUpWei: environment.LANE_TOPUP,
    executor: environment.EXECUTOR_ADDRESS,
    inventory: environment.INVENTORY_EXECUTOR_ADDRESS,
    treasury: environment.TREASURY_ADDRESS,
    relays: {
      urls: environment.RELAY_URLS ?? [],
      authKey: environment.RELAY_AUTH_KEY,
      mevShareUrl: environment.MEV_SHARE_URL,
      publicMempool,
    },
    pythUrl: environment.PYTH_URL,
    alertWebhook: environment.ALERT_WEBHOOK_URL,
    choices: {
      protocols: environment.PROTOCOLS,
      morphoBadDebt: environment.MORPHO_BAD_DEBT,
      perpExecutor: environment.PERP_EXECUTOR_ADDRESS,
    },
    strategy: { minProfitUsd8: environment.MIN_PROFIT_USD, bidShare: publicMempool === 'only' ? 0 : environment.BID_SHARE },
    limits: {
      maxBaseFeeWei: environment.MAX_BASE_FEE_GWEI,
      maxGasUsd8PerDay: environment.MAX_GAS_USD_PER_DAY,
      maxLossUsd8PerDay: environment.MAX_LOSS_USD_PER_DAY,
      maxPositionUsd8: environment.MAX_POSITION_USD,
      maxConsecutiveFailures: environment.MAX_CONSECUTIVE_FAILURES,
      allowTokens: environment.ALLOW_TOKENS,
      denyTokens: environment.DENY_TOKENS ?? new Set(),
      denyMarkets: environment.DENY_MARKETS ?? new Set(),
    },
    maxInventoryUsd8: environment.MAX_INVENTORY_USD,
    oracle: {
      maxFeedAgeSeconds: environment.MAX_FEED_AGE_SECONDS,
      maxJumpBps: environment.MAX_PRICE_JUMP,
      maxPoolDeviationBps: environment.MAX_POOL_DEVIATION,
      sequencerGraceSeconds: environment.SEQUENCER_GRACE_SECONDS,
    },
    dataDir: resolve(folder, environment.DATA_DIR),
    http: { host: environment.HTTP_HOST, port: environment.HTTP_PORT, token: environment.HTTP_TOKEN },
    log: { level: environment.LOG_LEVEL, format: environment.LOG_FORMAT },
    warnings,
  };
}

function sameVariable(one: string, other: string): boolean {
  return one.split(':', 1)[0] === other.split(':', 1)[0];
}

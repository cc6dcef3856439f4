/** Environments and deployment files of every kind, good ones and ones gone wrong. */
import type { Prng } from '../../scripts/devnet/prng.ts';
import type { Purpose } from '../../src/config/config.ts';
import { aboutVariables, UNSUPPORTED } from '../../src/config/variables.ts';
import { damageJson, mutateJson, mutateText } from './mutate.ts';

const A = (n: number) => `0x${n.toString(16).padStart(40, 'c')}`;
const CHECKSUMMED = '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2';

/** What must be in no message, whole or by its first half. */
export const SECRETS = {
  key: `0x${'a7f3c5'.repeat(10)}b1d2`,
  lane: `0x${'4e9b01'.repeat(10)}c3d4`,
  auth: `0x${'93d8e6'.repeat(10)}e5f6`,
  endpoint: 'endpoint-key-7Qm2XvT9',
  query: 'query-key-W4pL8sZd',
  relay: 'relay-key-N6rB3yKf',
  login: 'login-word-H5tG1wJc',
  token: 'token-of-the-api-R9nE2uMa',
  database: 'database-word-C8vX4qBo',
  password: 'keystore-word-D3kS7zPi',
} as const;

export const FILES = { book: 'book.json', keystore: 'key.json', password: 'password.txt' } as const;

const urls = {
  rpc: `wss://node.example.org/v2/${SECRETS.endpoint},https://user:${SECRETS.login}@rpc.example.org/?apikey=${SECRETS.query}`,
  relay: `https://relay.example.org/${SECRETS.relay}`,
};

const live = { MODE: 'live', EXECUTOR_ADDRESS: CHECKSUMMED, RPC_URLS: urls.rpc, DEPLOYMENTS_FILE: FILES.book };

/** Each is good for its purposes. */
const ENVIRONMENTS: readonly { readonly purposes: readonly Purpose[]; readonly env: Readonly<Record<string, string>> }[] = [
  { purposes: ['run', 'scan', 'doctor', 'store'], env: { RPC_URLS: urls.rpc } },
  { purposes: ['store'], env: { DATA_DIR: 'somewhere' } },
  {
    purposes: ['run', 'scan', 'doctor', 'deploy', 'store'],
    env: {
      ...live,
      CHAIN_ID: '31337',
      KEEPER_PRIVATE_KEY: SECRETS.key,
      LANE_PRIVATE_KEYS: SECRETS.lane,
      RELAY_URLS: urls.relay,
      RELAY_AUTH_KEY: SECRETS.auth,
      PUBLIC_MEMPOOL: 'fallback',
      HTTP_TOKEN: SECRETS.token,
      HTTP_HOST: '0.0.0.0',
      HTTP_PORT: '0',
      TREASURY_ADDRESS: A(7),
      PROTOCOLS: 'aave-v3',
      MIN_PROFIT_USD: '12.5',
      BID_SHARE: '0.85',
      MAX_BASE_FEE_GWEI: '80',
      MAX_GAS_USD_PER_DAY: '100',
      MAX_LOSS_USD_PER_DAY: '50.25',
      MAX_POSITION_USD: '1000000',
      MAX_CONSECUTIVE_FAILURES: '5',
      MAX_FEED_AGE_SECONDS: '90000',
      MAX_PRICE_JUMP: '0.5',
      MAX_POOL_DEVIATION: '0.25',
      SEQUENCER_GRACE_SECONDS: '0',
      ALLOW_TOKENS: `${A(1)},${A(2)}`,
      DENY_TOKENS: A(3),
      DENY_MARKETS: 'aave-v3/prime,etherfi',
      DATA_DIR: './data',
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'json',
    },
  },
  {
    purposes: ['run', 'deploy', 'doctor'],
    env: {
      ...live,
      KEEPER_KEYSTORE: FILES.keystore,
      KEEPER_KEYSTORE_PASSWORD_FILE: FILES.password,
      PUBLIC_MEMPOOL: 'only',
      BID_SHARE: 'auto',
    },
  },
];

/** Every key of the format. */
const BOOK = {
  chainId: 31337,
  name: 'devnet',
  wrappedNative: CHECKSUMMED,
  multicall3: A(2),
  'aave-v3': [
    { name: 'core', poolAddressesProvider: A(3), fromBlock: 1 },
    { name: 'prime', poolAddressesProvider: A(16), fromBlock: 0 },
  ],
  'morpho-blue': [{ name: 'morpho', morpho: A(4), fromBlock: 1 }],
  'compound-v2': [{ name: 'venus', comptroller: A(5), fromBlock: 1 }],
  'compound-v3': [{ name: 'cUSDCv3', comet: A(6), fromBlock: 1 }],
  'uniswap-v4': [{ poolManager: A(17), fromBlock: 1 }],
  'uniswap-v3': [{ factory: A(13), fromBlock: 1 }],
  'uniswap-v2': [{ factory: A(14) }],
  bridgeTokens: [A(1), CHECKSUMMED],
  usdFeeds: { [A(1)]: A(15), [CHECKSUMMED]: A(17) },
  feedHeartbeats: { [A(15)]: 3_600, [CHECKSUMMED]: 86_400 },
  sequencerUptimeFeed: A(18),
};

export type Case = {
  readonly purpose: Purpose;
  readonly env: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  /** Nothing was changed: it has to start. */
  readonly good: boolean;
};

const NAMES = [...aboutVariables().map(({ name }) => name), ...UNSUPPORTED];
const MOST_CHANGES = 3;

/** `keystore`: the text of one that opens with SECRETS.password. */
export function makeCase(random: Prng, keystore: string): Case {
  const { purposes, env } = random.pick(ENVIRONMENTS);
  const made: { env: Record<string, string>; files: Record<string, string> } = {
    env: { ...env },
    files: { [FILES.book]: JSON.stringify(BOOK), [FILES.keystore]: keystore, [FILES.password]: `${SECRETS.password}\n` },
  };
  const changes = Math.floor(random.next() * (MOST_CHANGES + 1));
  for (let change = 0; change < changes; change++) random.pick(CHANGES)(made, random);
  return { purpose: random.pick(purposes), ...made, good: changes === 0 };
}

type Change = (made: { env: Record<string, string>; files: Record<string, string> }, random: Prng) => void;

const mutateOne: Change = ({ env }, random) => {
  const name = random.pick(Object.keys(env));
  const text = name === undefined ? undefined : env[name];
  if (name !== undefined && text !== undefined) env[name] = mutateText(text, random);
};
const mutateBook: Change = ({ env, files }, random) => {
  env['DEPLOYMENTS_FILE'] ??= FILES.book;
  const text = files[FILES.book]!;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return;
  }
  files[FILES.book] = random.next() < 0.7 ? JSON.stringify(mutateJson(json, random)) : damageJson(text, random);
};

const CHANGES: readonly Change[] = [
  mutateOne,
  mutateOne,
  mutateOne,
  mutateBook,
  mutateBook,
  mutateBook,
  /** Two values in each other's place. */
  ({ env }, random) => {
    const [one, other] = [random.pick(Object.keys(env)), random.pick(Object.keys(env))];
    [env[one], env[other]] = [env[other]!, env[one]!];
  },
  ({ env }, random) => {
    delete env[random.pick(Object.keys(env))];
  },
  /** A variable more, with what belongs elsewhere. */
  ({ env }, random) => {
    env[random.pick(NAMES)] = random.pick([
      ...Object.values(env),
      `postgres://keeper:${SECRETS.database}@db/ledger`,
      ...Object.values(SECRETS),
    ]);
  },
  ({ env }, random) => {
    env[random.pick(['__proto__x', 'constructor', 'RPC_URL', 'rpc_urls', 'KEEPER_PRIVATE_KEY '])] = random.pick(Object.values(SECRETS));
  },
  ({ files }, random) => {
    files[FILES.keystore] = mutateText(files[FILES.keystore]!, random);
  },
  ({ files }, random) => {
    files[FILES.password] = mutateText(files[FILES.password]!, random);
  },
  /** Some of it in `.env`, not always in its syntax. */
  ({ env, files }, random) => {
    const moved = Object.entries(env).filter(() => random.next() < 0.5);
    for (const [name] of moved) delete env[name];
    const text = moved.map(([name, value]) => `${name}=${value}`).join('\n');
    files['.env'] = random.next() < 0.5 ? text : mutateText(text, random);
  },
  /** The wrong file is named. */
  ({ env }, random) => {
    env[random.pick(['DEPLOYMENTS_FILE', 'KEEPER_KEYSTORE', 'KEEPER_KEYSTORE_PASSWORD_FILE'])] = random.pick([
      ...Object.values(FILES),
      '.env',
      '.',
      'absent',
    ]);
  },
];

/** A text with nothing of the secrets in it, not even the beginning of one. */
export function leakIn(text: string): string | undefined {
  return Object.entries(SECRETS).find(([, secret]) =>
    text.toLowerCase().includes(secret.replace(/^0x/, '').slice(0, 14).toLowerCase()),
  )?.[0];
}

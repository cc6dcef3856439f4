import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Purpose } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/lib/errors.ts';

const KEY = `0x${'11'.repeat(32)}`;
const OTHER_KEY = `0x${'22'.repeat(32)}`;
const TOKEN_A = `0x${'aa'.repeat(20)}`;
const RPC = 'https://rpc.example.org/v2/very-secret-endpoint-key';

function folder(files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'bailiff-config-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text, { mode: 0o600 });
  return dir;
}

const load = (env: Record<string, string>, purpose: Purpose = 'run', dir = folder()) =>
  loadConfig(purpose, { folder: dir, env: { ...env } });

async function problems(env: Record<string, string>, purpose: Purpose = 'run', dir = folder()): Promise<readonly string[]> {
  const error = await load(env, purpose, dir).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return [];
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).exitCode).toBe(2);
  return (error as ConfigError).problems;
}

describe('values', () => {
  test('the least that a watching keeper needs gives every default', async () => {
    const config = await load({ RPC_URLS: 'http://127.0.0.1:8545' });
    expect(config).toMatchObject({
      mode: 'watch',
      chain: { chainId: undefined, deployments: undefined },
      choices: { protocols: undefined, morphoBadDebt: 'realise', perpExecutor: undefined },
      relays: { urls: [], publicMempool: 'only' },
      strategy: { minProfitUsd8: 5_00000000n, bidShare: 0 },
      limits: {
        maxBaseFeeWei: 500n * 10n ** 9n,
        maxGasUsd8PerDay: 25_000_00000000n,
        maxLossUsd8PerDay: 1_000_00000000n,
        maxPositionUsd8: 10_000_000_00000000n,
        maxConsecutiveFailures: 10,
        allowTokens: undefined,
      },
      maxInventoryUsd8: 100_000_00000000n,
      http: { host: '127.0.0.1', port: 9464, token: undefined },
      log: { level: 'info', format: undefined },
      warnings: [],
    });
  });

  test('decimals become integers exactly, to the last place', async () => {
    const config = await load({
      RPC_URLS: RPC,
      RELAY_URLS: 'https://relay.example.org',
      MIN_PROFIT_USD: '0.00000001',
      MAX_BASE_FEE_GWEI: '0.000000001',
      MAX_POSITION_USD: '12345678901234567890.12345678',
      BID_SHARE: '0.8765',
    });
    expect(config.strategy).toEqual({ minProfitUsd8: 1n, bidShare: 8765 });
    expect(config.limits.maxBaseFeeWei).toBe(1n);
    expect(config.limits.maxPositionUsd8).toBe(1234567890123456789012345678n);
    expect(config.relays.publicMempool).toBe('never');
  });

  test.each([
    ['MIN_PROFIT_USD', '-1'],
    ['MIN_PROFIT_USD', '1e3'],
    ['MIN_PROFIT_USD', '1,000'],
    ['MIN_PROFIT_USD', '0.000000001'],
    ['MIN_PROFIT_USD', '.5'],
    ['MAX_BASE_FEE_GWEI', '0.0000000001'],
    ['BID_SHARE', '1.1'],
    ['BID_SHARE', '0.12345'],
    ['BID_SHARE', 'most'],
    ['MAX_CONSECUTIVE_FAILURES', '0'],
    ['MAX_CONSECUTIVE_FAILURES', '1.5'],
    ['CHAIN_ID', '0x1'],
    ['MODE', 'LIVE'],
    ['HTTP_PORT', '65536'],
    ['HTTP_TOKEN', 'short'],
    ['EXECUTOR_ADDRESS', '0x1234'],
    ['EXECUTOR_ADDRESS', '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc3'],
    ['ALLOW_TOKENS', `${TOKEN_A},nonsense`],
    ['KEEPER_PRIVATE_KEY', '0x1234'],
    ['KEEPER_PRIVATE_KEY', `0x${'f'.repeat(64)}`],
    ['LANE_PRIVATE_KEYS', `${KEY},${KEY}`],
    ['RPC_URLS', 'ftp://example.org'],
    ['RPC_URLS', 'not a url'],
    ['RPC_URLS', `${RPC},${RPC}`],
    ['RELAY_URLS', 'ws://relay.example.org'],
    ['PROTOCOLS', 'aave-v3,uniswap'],
    ['PUBLIC_MEMPOOL', 'sometimes'],
    ['LOG_LEVEL', 'loud'],
  ])('%s=%s is refused, by the variable’s name and without the value', async (name, value) => {
    const found = await problems({ RPC_URLS: RPC, [name]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${name}: .+`));
    if (value.length > 20) expect(found[0]).not.toContain(value);
  });

  test('addresses of one case need no checksum, mixed case must be right', async () => {
    const right = '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2';
    expect((await load({ RPC_URLS: RPC, EXECUTOR_ADDRESS: right })).executor).toBe(right.toLowerCase());
    expect((await load({ RPC_URLS: RPC, EXECUTOR_ADDRESS: right.toLowerCase() })).executor).toBe(right.toLowerCase());
  });

  test('an empty variable is an unset one', async () => {
    expect((await load({ RPC_URLS: RPC, CHAIN_ID: '', MIN_PROFIT_USD: ' ' })).strategy.minProfitUsd8).toBe(5_00000000n);
  });
});

describe('all problems at once', () => {
  test('bad values, unsupported variables, what is missing and what contradicts', async () => {
    const found = await problems({
      MODE: 'live',
      MIN_PROFIT_USD: 'much',
      DATABASE_URL: 'postgres://user:password@host/db',
      ALERT_WEBHOOK_URL: 'ftp://host/hook',
      PUBLIC_MEMPOOL: 'never',
      HTTP_HOST: '0.0.0.0',
      ALLOW_TOKENS: TOKEN_A,
      DENY_TOKENS: TOKEN_A.toUpperCase().replace('0X', '0x'),
    });
    const names = found.map((problem) => problem.split(':')[0]);
    expect(new Set(names)).toEqual(
      new Set([
        'MIN_PROFIT_USD',
        'DATABASE_URL',
        'ALERT_WEBHOOK_URL',
        'RPC_URLS',
        'KEEPER_PRIVATE_KEY',
        'EXECUTOR_ADDRESS',
        'RELAY_URLS',
        'HTTP_TOKEN',
        'DENY_TOKENS',
      ]),
    );
    expect(found.join()).not.toContain('password@');
  });

  test('a value that is bad is not reported as missing too', async () => {
    expect(await problems({ RPC_URLS: 'nonsense' })).toEqual(['RPC_URLS: is not a URL']);
  });

  test.each([
    ['KEEPER_KEYSTORE', { KEEPER_PRIVATE_KEY: KEY, KEEPER_KEYSTORE: 'k', KEEPER_KEYSTORE_PASSWORD_FILE: 'p' }],
    ['KEEPER_KEYSTORE_PASSWORD_FILE', { KEEPER_KEYSTORE: 'k' }],
    ['KEEPER_KEYSTORE', { KEEPER_KEYSTORE_PASSWORD_FILE: 'p' }],
    ['LANE_PRIVATE_KEYS', { KEEPER_PRIVATE_KEY: KEY, LANE_PRIVATE_KEYS: `${OTHER_KEY},${KEY}` }],
    ['ALLOW_TOKENS', { ALLOW_TOKENS: ',' }],
    ['PROTOCOLS', { PROTOCOLS: ',' }],
    ['RELAY_URLS', { MODE: 'live', KEEPER_PRIVATE_KEY: KEY, EXECUTOR_ADDRESS: TOKEN_A, PUBLIC_MEMPOOL: 'fallback' }],
    ['INVENTORY_EXECUTOR_ADDRESS', { EXECUTOR_ADDRESS: TOKEN_A, INVENTORY_EXECUTOR_ADDRESS: TOKEN_A }],
  ])('a contradiction names %s', async (name, env: Record<string, string>) => {
    const found = await problems({ RPC_URLS: RPC, ...env });
    expect(found.some((problem) => problem.startsWith(`${name}: `))).toBe(true);
  });
});

describe('what a command needs', () => {
  test('deploy needs an endpoint and a key, not MODE or EXECUTOR_ADDRESS', async () => {
    expect(await problems({ RPC_URLS: RPC, KEEPER_PRIVATE_KEY: KEY, MODE: 'live', PUBLIC_MEMPOOL: 'never' }, 'deploy')).toEqual([]);
    expect(await problems({ RPC_URLS: RPC }, 'deploy')).toEqual([expect.stringMatching(/^KEEPER_PRIVATE_KEY: required/)]);
  });

  test('the ledger is read and commanded without any endpoint', async () => {
    expect(await problems({}, 'store')).toEqual([]);
    expect(await problems({}, 'scan')).toEqual([expect.stringMatching(/^RPC_URLS: required/)]);
  });
});

describe('where values come from', () => {
  test('.env is read first, the real environment wins', async () => {
    const dir = folder({ '.env': `RPC_URLS=${RPC}\nMIN_PROFIT_USD=7 # dollars\nDATA_DIR=kept\n` });
    const config = await load({ MIN_PROFIT_USD: '8' }, 'run', dir);
    expect(config.strategy.minProfitUsd8).toBe(8_00000000n);
    expect(config.chain.rpcUrls[0]!.host).toBe('rpc.example.org');
    expect(config.dataDir).toBe(join(dir, 'kept'));
    expect(config.warnings).toEqual([]);
  });

  test('a .env that everyone can read is a warning', async () => {
    const dir = folder({ '.env': `RPC_URLS=${RPC}\n` });
    chmodSync(join(dir, '.env'), 0o644);
    expect((await load({}, 'run', dir)).warnings).toEqual([expect.stringContaining('chmod 600')]);
  });

  test('secrets leave the environment and never show', async () => {
    const env = { RPC_URLS: RPC, KEEPER_PRIVATE_KEY: KEY, HTTP_TOKEN: 'a-very-secret-token', MIN_PROFIT_USD: '6' };
    const config = await loadConfig('run', { folder: folder(), env });
    expect(env).toEqual({ MIN_PROFIT_USD: '6' });
    expect(config.keys.keeper!.reveal()).toBe(KEY);
    for (const text of [
      JSON.stringify(config, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
      inspect(config, { depth: 9 }),
    ]) {
      expect(text).not.toContain('very-secret');
      expect(text).not.toContain('1111');
    }
  });

  test('top-ups without lanes and relays that go unused are warnings', async () => {
    const config = await load({
      RPC_URLS: RPC,
      LANE_TOPUP: '0.05',
      RELAY_URLS: 'https://relay.example.org',
      PUBLIC_MEMPOOL: 'only',
    });
    expect(config.warnings.map((warning) => warning.split(':')[0])).toEqual(['LANE_TOPUP', 'RELAY_URLS']);
    expect(config.strategy.bidShare).toBe(0);
    expect(config.laneTopUpWei).toBe(5n * 10n ** 16n);
  });
});

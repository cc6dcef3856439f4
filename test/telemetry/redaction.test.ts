import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { watch } from '../support/outputs/setup.ts';
import { OutputWatch } from '../support/outputs/watch.ts';

const KEY = '5ea1'.repeat(16);
const ENVIRONMENT = {
  KEEPER_PRIVATE_KEY: `0x${KEY}`,
  RPC_URLS: 'https://user:word-of-the-user@node.example.org/v2/key-in-the-path?apikey=key/in+query',
  HTTP_TOKEN: 'a "quoted" token of the api',
  KEEPER_KEYSTORE_PASSWORD_FILE: 'password',
  MIN_PROFIT_USD: '5',
};

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'bailiff-redaction-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  writeFileSync(join(dir, 'password'), 'password of a keystore\n');
  return dir;
}

function leaksOf(text: string): readonly string[] {
  const watch = new OutputWatch();
  watch.uses(ENVIRONMENT, folder());
  watch.wrote('a log', text);
  watch.finish();
  return watch.leaks;
}

/** The search that every test file ends with (test/support/outputs/setup.ts) would be worth nothing if it could not fail. */
test.each([
  ['KEEPER_PRIVATE_KEY', `key 0x${KEY}`],
  ['KEEPER_PRIVATE_KEY', KEY.toUpperCase()],
  ['KEEPER_PRIVATE_KEY', `calldata 0xffff${KEY}0000`],
  ['KEEPER_PRIVATE_KEY', Buffer.from(KEY, 'hex').toString('base64')],
  ['RPC_URLS', 'GET /v2/key-in-the-path'],
  ['RPC_URLS', 'word-of-the-user'],
  ['RPC_URLS', `"apikey=${encodeURIComponent('key/in query')}"`],
  ['HTTP_TOKEN', JSON.stringify({ token: ENVIRONMENT.HTTP_TOKEN })],
  ['the keystore’s password', 'tried "password of a keystore"'],
])('the search finds %s in %s', (variable, text) => {
  expect(leaksOf(`many words before ${text} and after`)).toEqual([expect.stringContaining(`a log holds ${variable}, after: many words`)]);
});

test('what may be shown is no leak: hosts, figures, the first digits', () => {
  expect(leaksOf(`https://node.example.org/*** 5 0x${KEY.slice(0, 20)}…`)).toEqual([]);
});

test('a secret in two pieces, or far back in a long output, is found', () => {
  const watch = new OutputWatch();
  watch.uses(ENVIRONMENT, folder());
  watch.wrote('a log', `0x${KEY.slice(0, 30)}`);
  watch.wrote('a log', KEY.slice(30));
  watch.wrote('a log', 'x'.repeat(5_000_000));
  expect(watch.leaks).toHaveLength(1);
});

/** By the watch of this very file, as it is on every other's. */
test('a process that leaks, its files that leak, and an API that leaks are found', async () => {
  const dir = folder();
  const script = join(dir, 'src/cli/main.ts');
  mkdirSync(join(dir, 'src/cli'), { recursive: true });
  writeFileSync(
    script,
    `import { mkdirSync, writeFileSync } from 'node:fs';
     mkdirSync('data/deep', { recursive: true });
     writeFileSync('data/deep/ledger', process.env.HTTP_TOKEN);
     console.error(process.env.KEEPER_PRIVATE_KEY);`,
  );
  const env = { PATH: process.env['PATH'], KEEPER_PRIVATE_KEY: `0x${'6eb2'.repeat(16)}`, HTTP_TOKEN: 'token-for-this-test-alone' };
  await once(spawn(process.execPath, [script, 'run'], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] }), 'close');
  const api = createServer((_, response) => response.end('{"token":"token-for-this-test-alone"}')).listen(0, '127.0.0.1');
  await once(api, 'listening');
  await globalThis.fetch(`http://127.0.0.1:${(api.address() as AddressInfo).port}/api/status`);
  api.close();
  watch.finish();
  const leaks = watch.leaks.splice(0);
  expect(leaks.map((leak) => leak.split(', after')[0])).toEqual([
    expect.stringMatching(/deep\/ledger holds HTTP_TOKEN$/),
    expect.stringMatching(/^stderr of .* holds KEEPER_PRIVATE_KEY$/),
    '/api/status of the API holds HTTP_TOKEN',
  ]);
});

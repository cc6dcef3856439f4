import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const HEIR = fileURLToPath(new URL('./children/heir.ts', import.meta.url));

const SECRETS = {
  RPC_URLS: 'http://127.0.0.1:1/a-key-of-an-endpoint',
  KEEPER_PRIVATE_KEY: `0x${'1f'.repeat(32)}`,
  LANE_PRIVATE_KEYS: `0x${'2f'.repeat(32)},0x${'3f'.repeat(32)}`,
  RELAY_URLS: 'http://127.0.0.1:1/?key=a-key-of-a-relay',
  RELAY_AUTH_KEY: `0x${'4f'.repeat(32)}`,
  HTTP_TOKEN: 'a-token-of-the-api-x',
};

function inherit(env: NodeJS.ProcessEnv, dotenv?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-heir-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  if (dotenv !== undefined) writeFileSync(join(folder, '.env'), dotenv, { mode: 0o600 });
  const { stdout, stderr } = spawnSync(process.execPath, [HEIR], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Readonly<{ before: string[]; keys: number; child: string; worker: string; report: string }>;
}

test('what the process was started with is read once: children, workers and crash reports get no secret', () => {
  const { before, keys, ...heirs } = inherit({ ...SECRETS, MIN_PROFIT_USD: '7' });
  expect(before).toEqual(expect.arrayContaining(Object.keys(SECRETS)));
  expect(keys).toBe(4);
  for (const [heir, text] of Object.entries(heirs)) {
    expect(text, heir).toContain('MIN_PROFIT_USD');
    for (const [name, value] of Object.entries(SECRETS))
      for (const part of [name, ...value.split(',')]) expect(text, `${heir} has ${name}`).not.toContain(part);
  }
});

test('what stands in .env is never put into the environment', () => {
  const lines = Object.entries(SECRETS).map(([name, value]) => `${name}=${value}`);
  const { keys, child, worker, report } = inherit({}, lines.join('\n'));
  expect(keys).toBe(4);
  for (const name of Object.keys(SECRETS)) expect(child + worker + report).not.toContain(name);
});

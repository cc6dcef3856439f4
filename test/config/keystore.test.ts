import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encryptKeystoreJsonSync } from 'ethers';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

const KEY = `0x${'33'.repeat(32)}`;
let keystore = '';

beforeAll(() => {
  const account = { address: '0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB', privateKey: KEY };
  keystore = encryptKeystoreJsonSync(account, 'right', { scrypt: { N: 1024, r: 8, p: 1 } });
});

function surroundings(password: string, text = keystore) {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-keystore-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'key.json'), text);
  writeFileSync(join(folder, 'password'), password);
  return { folder, env: { RPC_URLS: 'http://localhost:1', KEEPER_KEYSTORE: 'key.json', KEEPER_KEYSTORE_PASSWORD_FILE: 'password' } };
}

test('the key comes out of a V3 keystore, paths relative to the working directory', async () => {
  expect((await loadConfig('run', surroundings('right\n'))).keys.keeper!.reveal()).toBe(KEY);
});

test('a wrong password, a file that is no keystore and a missing file are said plainly', async () => {
  await expect(loadConfig('run', surroundings('wrong'))).rejects.toThrow(/^KEEPER_KEYSTORE_PASSWORD_FILE: the password does not open/);
  await expect(loadConfig('run', surroundings('right', '{}'))).rejects.toThrow(/^KEEPER_KEYSTORE: the file is not a V3 keystore/);
  const absent = surroundings('right');
  await expect(loadConfig('run', { ...absent, env: { ...absent.env, KEEPER_KEYSTORE: 'absent' } })).rejects.toThrow(
    /^KEEPER_KEYSTORE: .*no such file/,
  );
});

test('commands that sign nothing do not open it', async () => {
  expect((await loadConfig('scan', surroundings('wrong'))).keys.keeper).toBeUndefined();
});

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encryptKeystoreJsonSync } from 'ethers';
import { privateKeyToAddress } from 'viem/accounts';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

const KEY = `0x${'33'.repeat(32)}`;
const PASSWORD = 'right horse battery';
let keystore = '';

beforeAll(() => {
  const account = { address: '0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB', privateKey: KEY };
  keystore = encryptKeystoreJsonSync(account, PASSWORD, { scrypt: { N: 1024, r: 8, p: 1 } });
});

function surroundings(password: string, text = keystore) {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-keystore-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'key.json'), text);
  writeFileSync(join(folder, 'password'), password, { mode: 0o600 });
  return { folder, env: { RPC_URLS: 'http://localhost:1', KEEPER_KEYSTORE: 'key.json', KEEPER_KEYSTORE_PASSWORD_FILE: 'password' } };
}

const problem = (password: string, text?: string) =>
  loadConfig('run', surroundings(password, text)).then(
    () => undefined,
    (error: Error) => error.message,
  );

/** The keystore with other parameters. */
const changed = (over: object) => {
  const json = JSON.parse(keystore) as Record<string, object>;
  const [crypto] = Object.keys(json).filter((key) => key.toLowerCase() === 'crypto');
  return JSON.stringify({ ...json, [crypto!]: { ...json[crypto!], ...over } });
};

/** By others: pbkdf2 as the Web3 Secret Storage Definition has it, scrypt as go-ethereum's own tests do (7ef5a613…, which tells its address alone). */
const VECTORS = {
  pbkdf2: {
    password: 'testpassword',
    address: privateKeyToAddress('0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'),
    json: {
      crypto: {
        cipher: 'aes-128-ctr',
        cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
        ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
        kdf: 'pbkdf2',
        kdfparams: { c: 262144, dklen: 32, prf: 'hmac-sha256', salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd' },
        mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
      },
      version: 3,
    },
  },
  scrypt: {
    password: 'foobar',
    address: '0x7EF5A6135f1FD6a02593eEdC869c6D41D934aef8',
    json: {
      address: '7ef5a6135f1fd6a02593eedc869c6d41d934aef8',
      crypto: {
        cipher: 'aes-128-ctr',
        cipherparams: { iv: '8df6caa7ff1b00c4e871f002cb7921ed' },
        ciphertext: '1d0839166e7a15b9c1333fc865d69858b22df26815ccf601b28219b6192974e1',
        kdf: 'scrypt',
        kdfparams: { dklen: 32, n: 8, p: 16, r: 8, salt: 'e5e6ef3f4ea695f496b643ebd3f75c0aa58ef4070e90c80c5d3fb0241bf1595c' },
        mac: '6d16dfde774845e4585357f24bce530528bc69f4f84e1e22880d34fa45c273e5',
      },
      version: 3,
    },
  },
} as const;

describe('a V3 keystore', () => {
  test('gives its key, paths relative to the working directory, line breaks after the password aside', async () => {
    for (const end of ['', '\n', '\r\n'])
      expect((await loadConfig('run', surroundings(`${PASSWORD}${end}`))).keys.keeper!.reveal()).toBe(KEY);
  });

  test.each(['scrypt', 'pbkdf2'] as const)('made by others opens, with %s', async (kdf) => {
    const { password, address, json } = VECTORS[kdf];
    const config = await loadConfig('run', surroundings(password, JSON.stringify(json)));
    expect(privateKeyToAddress(config.keys.keeper!.reveal())).toBe(address);
  });

  test('is not opened by commands that sign nothing', async () => {
    expect((await loadConfig('scan', surroundings('wrong'))).keys.keeper).toBeUndefined();
  });

  test('a password file that others may read is a warning', async () => {
    const given = surroundings(PASSWORD);
    expect((await loadConfig('run', { ...given, env: { ...given.env } })).warnings).toEqual([]);
    chmodSync(join(given.folder, 'password'), 0o644);
    expect((await loadConfig('run', given)).warnings).toEqual([
      expect.stringMatching(/^KEEPER_KEYSTORE_PASSWORD_FILE: can be read by every user/),
    ]);
  });
});

describe('one line, at once, for', () => {
  test.each([
    ['a wrong password', () => [`${PASSWORD} `, keystore], /^KEEPER_KEYSTORE_PASSWORD_FILE: the password does not open/],
    ['an empty password', () => ['', keystore], /^KEEPER_KEYSTORE_PASSWORD_FILE: the password does not open/],
    ['another JSON', () => [PASSWORD, '{}'], /^KEEPER_KEYSTORE: the file is not a V3 keystore/],
    ['no JSON', () => [PASSWORD, KEY], /^KEEPER_KEYSTORE: the file is not a V3 keystore/],
    ['a file that is far too large', () => [PASSWORD, ' '.repeat(200_000)], /^KEEPER_KEYSTORE: has more than/],
    [
      'an account that is not the key’s',
      () => [PASSWORD, keystore.replace(/5cbdd86a/i, '5cbdd86b')],
      /^KEEPER_KEYSTORE: its address is not/,
    ],
    ['another cipher', () => [PASSWORD, changed({ cipher: 'rot13' })], /^KEEPER_KEYSTORE: the file is a damaged V3 keystore/],
    ['another derivation', () => [PASSWORD, changed({ kdf: 'argon2' })], /^KEEPER_KEYSTORE: the file is not a V3 keystore with/],
    // As the Web3 Secret Storage Definition's own example has it, which RFC 7914 does not allow.
    [
      'parameters that are none',
      () => [PASSWORD, scrypt({ n: 262144, r: 1, p: 8 })],
      /^KEEPER_KEYSTORE: its scrypt parameters are not valid/,
    ],
    ['a count that is no power of two', () => [PASSWORD, scrypt({ n: 1000 })], /^KEEPER_KEYSTORE: its scrypt parameters are not valid/],
    ['memory that no machine has', () => [PASSWORD, scrypt({ n: 2 ** 30 })], /^KEEPER_KEYSTORE: the parameters of its scrypt/],
    ['memory by blocks', () => [PASSWORD, scrypt({ r: 2 ** 30 })], /^KEEPER_KEYSTORE: the parameters of its scrypt/],
    ['work without end', () => [PASSWORD, scrypt({ p: 2 ** 30 })], /^KEEPER_KEYSTORE: the parameters of its scrypt/],
    ['rounds without end', () => [PASSWORD, rounds(2 ** 31)], /^KEEPER_KEYSTORE: the parameters of its pbkdf2/],
    ['no rounds', () => [PASSWORD, rounds(0)], /^KEEPER_KEYSTORE: the file is not a V3 keystore with/],
  ] as [string, () => [string, string], RegExp][])('%s', async (_, given, expected) => {
    const message = await problem(...given());
    expect(message).toMatch(expected);
    for (const secret of [PASSWORD, KEY.slice(2)]) expect(message).not.toContain(secret);
  });

  const scrypt = (over: object) => changed({ kdfparams: { dklen: 32, n: 1024, r: 8, p: 1, salt: 'ab'.repeat(32), ...over } });
  const rounds = (c: number) => changed({ kdf: 'pbkdf2', kdfparams: { c, dklen: 32, prf: 'hmac-sha256', salt: 'ab'.repeat(32) } });

  test.each(['KEEPER_KEYSTORE', 'KEEPER_KEYSTORE_PASSWORD_FILE'])(
    'a %s that is no file: a folder, nothing, or the secret itself, which is not repeated',
    async (name) => {
      const given = surroundings(PASSWORD);
      const refusal = (value: string) => expect(loadConfig('run', { ...given, env: { ...given.env, [name]: value } })).rejects;
      await refusal('absent').toThrow(new RegExp(`^${name}: no such file`));
      await refusal('.').toThrow(new RegExp(`^${name}: cannot be read \\(it is a folder\\)`));
      await refusal('hunter2-in-the-wrong-place').toThrow(new RegExp(`^${name}: [^2]+$`));
      await refusal(KEY).toThrow(new RegExp(`^${name}: must be a path, and looks like a private key$`));
    },
  );
});

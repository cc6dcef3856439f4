import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAccountsFile } from '../../src/config/accountsFile.ts';
import { ConfigError } from '../../src/lib/errors.ts';

const ONE = `0x${'aB'.repeat(20)}`;
const OTHER = `0x${'12'.repeat(20)}`;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-accounts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string) {
  writeFileSync(join(folder, 'accounts.txt'), text);
  return readAccountsFile('accounts.txt', folder);
}

describe('a file of accounts', () => {
  it('has an address a line, or JSON with the protocol', () => {
    expect(read(`${ONE}\r\n\n  ${OTHER}\n{"protocol":"compound-v3","account":"${ONE}","since":3}\n`)).toEqual([
      { account: ONE.toLowerCase() },
      { account: OTHER },
      { account: ONE.toLowerCase(), protocol: 'compound-v3' },
    ]);
    expect(read('')).toEqual([]);
  });

  it.each([
    [`${ONE}\n0x1234\n`, 'accounts.txt:2: not an address: "0x1234"'],
    [`\n\n${ONE},${OTHER}`, 'accounts.txt:3: not an address: '],
    ['{"account":', 'accounts.txt:1: neither an address nor JSON: '],
    [`{"account":"${ONE}"}`, 'accounts.txt:1: "protocol" is none of aave-v3, '],
    ['{"protocol":"aave-v3","account":7}', 'accounts.txt:1: "account" is no address: '],
    ['null', 'accounts.txt:1: not an address: "null"'],
    [`${'x'.repeat(5_000)}`, 'accounts.txt:1: not an address: "xxx'],
  ])('tells in one short line where it is wrong: %j', (text, message) => {
    let thrown: unknown;
    try {
      read(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ConfigError);
    expect((thrown as Error).message).toContain(message);
    expect((thrown as Error).message).not.toContain('\n');
    expect((thrown as Error).message.length).toBeLessThan(250);
  });

  it('that is not there is told by its name', () => {
    expect(() => readAccountsFile('nowhere.txt', folder)).toThrow('--accounts: nowhere.txt does not exist');
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { resolveAddressBook } from '../../src/config/addressBook.ts';
import { readDeploymentsFile } from '../../src/config/deploymentsFile.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/lib/errors.ts';

const A = (n: number) => `0x${n.toString(16).padStart(40, 'c')}` as const;

/** Every key of the format. */
const whole = {
  chainId: 31337,
  name: 'devnet',
  wrappedNative: A(1),
  multicall3: A(2),
  'aave-v3': [{ name: 'core', poolAddressesProvider: A(3), fromBlock: 1 }],
  'morpho-blue': [{ name: 'morpho', morpho: A(4), fromBlock: 1 }],
  'compound-v2': [{ name: 'venus', comptroller: A(5), fromBlock: 1 }],
  'compound-v3': [{ name: 'cUSDCv3', comet: A(6), fromBlock: 1 }],
  'perp-v2': [
    {
      name: 'perp',
      clearingHouse: A(7),
      vault: A(8),
      accountBalance: A(9),
      clearingHouseConfig: A(10),
      marketRegistry: A(11),
      fromBlock: 1,
    },
  ],
  'synthetix-v3-perps': [{ name: 'snx', perpsMarket: A(12), fromBlock: 1 }],
  'uniswap-v4': [{ poolManager: A(15), fromBlock: 1 }],
  'uniswap-v3': [{ factory: A(13), fromBlock: 1 }],
  'uniswap-v2': [{ factory: A(14) }],
  bridgeTokens: [A(1)],
  usdFeeds: { [A(1)]: A(15) },
  feedHeartbeats: { [A(15)]: 3_600 },
  sequencerUptimeFeed: A(16),
};

const core = whole['aave-v3'][0]!;

function file(content: unknown): string {
  const dir = mkdtempSync(join(tmpdir(), 'bailiff-book-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const path = join(dir, 'book.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

function problems(content: unknown): readonly string[] {
  const result = readDeploymentsFile(file(content));
  return result.ok ? [] : result.problems;
}

test('the whole format is read', () => {
  const result = readDeploymentsFile(file(whole));
  expect(result).toEqual({ ok: true, deployments: whole });
});

test.each([
  ['an unknown key', { ...whole, 'aave-v4': [] }, /aave-v4/],
  ['an unknown key within', { ...whole, 'aave-v3': [{ ...whole['aave-v3'][0], pool: A(1) }] }, /aave-v3\.0: .*pool/],
  ['a missing address', { ...whole, 'aave-v3': [{ name: 'core', fromBlock: 1 }] }, /aave-v3\.0\.poolAddressesProvider/],
  ['a bad address', { ...whole, wrappedNative: '0x12' }, /wrappedNative: must be an address/],
  ['a bad token of a feed', { ...whole, usdFeeds: { weth: A(1) } }, /usdFeeds\.weth/],
  [
    'the same manager twice',
    { ...whole, 'uniswap-v4': [whole['uniswap-v4'][0], whole['uniswap-v4'][0]] },
    /uniswap-v4: names the same manager twice/,
  ],
  ['a block that is no number', { ...whole, 'uniswap-v3': [{ factory: A(1), fromBlock: '1' }] }, /uniswap-v3\.0\.fromBlock/],
  ['two markets of one name', { ...whole, 'aave-v3': [whole['aave-v3'][0], whole['aave-v3'][0]] }, /aave-v3: names the same market twice/],
  ['no JSON', '{', /is not JSON/],
  [
    'two markets of one name in another case',
    { ...whole, 'aave-v3': [core, { ...core, name: 'Core', poolAddressesProvider: A(90) }] },
    /same market twice/,
  ],
  ['one market under two names', { ...whole, 'aave-v3': [core, { ...core, name: 'again' }] }, /aave-v3: has the same contracts twice/],
  ['a name that DENY_MARKETS could not say', { ...whole, 'aave-v3': [{ ...core, name: 'a, b' }] }, /aave-v3\.0\.name: .*no comma/],
  ['a factory named twice', { ...whole, 'uniswap-v2': [{ factory: A(1) }, { factory: A(1) }] }, /uniswap-v2: names the same factory twice/],
  [
    'a token that has two feeds',
    { ...whole, usdFeeds: { [A(1)]: A(2), [A(1).toUpperCase().replace('0X', '0x')]: A(3) } },
    /usdFeeds: .*twice/,
  ],
  ['a key that is there twice', '{"chainId":1,"aave-v3":[{"name":"a"}],"chainId":2}', /^chainId: is there twice/],
  ['a list where an object should be', [], /must be an object/],
  ['nothing at all', ' ', /is not JSON: it is empty/],
  ['no JSON, without a word of it', `{\n  "chainId": 1,\n  0x${'5e'.repeat(32)}`, /^is not JSON: mend line 3, column \d$/],
  ['a private key where a key of the format should be', { [`0x${'5e'.repeat(32)}`]: 1 }, /^unknown key "0x\*\*\*": mend/],
])('%s is refused with its place', (_, content, place) => {
  const found = problems(content);
  expect(
    found.find((problem) => place.test(problem)),
    found.join('\n'),
  ).toBeDefined();
  expect(found.join()).not.toContain('5e5e');
});

test('a byte order mark is no fault; of a thousand faults the first twenty are told', () => {
  expect(problems(`\uFEFF${JSON.stringify(whole)}`)).toEqual([]);
  const many = problems({ ...whole, bridgeTokens: Array.from({ length: 1_000 }, () => 1) });
  expect([many.length, many.at(-1)]).toEqual([21, 'and 980 more problems']);
});

test('its problems stop the process like any other variable’s, and another chain than CHAIN_ID is one', async () => {
  const env = { RPC_URLS: 'http://localhost:1', DEPLOYMENTS_FILE: file({ ...whole, surprise: 1 }) };
  await expect(loadConfig('run', { folder: '/', env })).rejects.toThrow(/^DEPLOYMENTS_FILE: .*surprise/);
  const other = { RPC_URLS: 'http://localhost:1', DEPLOYMENTS_FILE: file(whole), CHAIN_ID: '1' };
  await expect(loadConfig('run', { folder: '/', env: other })).rejects.toThrow(/^DEPLOYMENTS_FILE: is of chain 31337, CHAIN_ID says 1/);
  const absent = { RPC_URLS: 'http://localhost:1', DEPLOYMENTS_FILE: '/nowhere/book.json' };
  await expect(loadConfig('run', { folder: '/', env: absent })).rejects.toThrow(/^DEPLOYMENTS_FILE: .*no such file/);
});

const parsed = (content: unknown) => {
  const result = readDeploymentsFile(file(content));
  if (!result.ok) throw new Error(result.problems.join());
  return result.deployments;
};

test('each key of the file replaces the built-in one, the others stay', () => {
  const { chainId: _, ...builtIn } = parsed(whole);
  const book = resolveAddressBook(
    31337,
    parsed({ 'aave-v3': [{ name: 'mine', poolAddressesProvider: A(99), fromBlock: 5 }], usdFeeds: {} }),
    builtIn,
  );
  expect(book).toMatchObject({ chainId: 31337, name: 'devnet', 'uniswap-v3': whole['uniswap-v3'], usdFeeds: {} });
  expect(book['aave-v3']).toEqual([{ name: 'mine', poolAddressesProvider: A(99), fromBlock: 5 }]);
});

test('an unknown chain needs a book with its id and wrapped native token', () => {
  const least = { chainId: 5, wrappedNative: A(1) };
  expect(resolveAddressBook(5, parsed(least), undefined)).toMatchObject({
    chainId: 5,
    wrappedNative: A(1),
    'aave-v3': [],
    multicall3: undefined,
  });
  expect(() => resolveAddressBook(5, undefined, undefined)).toThrow(ConfigError);
  expect(() => resolveAddressBook(5, parsed({ wrappedNative: A(1) }), undefined)).toThrow(/chainId/);
  expect(() => resolveAddressBook(5, parsed({ chainId: 5 }), undefined)).toThrow(/wrappedNative/);
});

test('a book of another chain than the endpoint’s is bad configuration', () => {
  expect(() => resolveAddressBook(1, parsed(whole), undefined)).toThrow(/chain 31337, the endpoint serves chain 1/);
});

/** What the doctor says of the addresses of a book: of those that are right, and of each way to be wrong. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, getAddress } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deploymentsOf, writeDeployments } from '../../scripts/devnet/deployments.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { rpc as ask } from '../../scripts/devnet/rpc.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import { checkBook } from '../../src/cli/doctor/book.ts';
import { type AddressBook, resolveAddressBook } from '../../src/config/addressBook.ts';
import { type DeploymentsFile, readDeploymentsFile } from '../../src/config/deploymentsFile.ts';
import { SecretUrl } from '../../src/lib/secret.ts';

const CHOICES = { protocols: undefined, morphoBadDebt: 'realise' } as const;
const NOBODY: Address = `0x${'12'.repeat(20)}`;

const folder = mkdtempSync(join(tmpdir(), 'bailiff-book-'));
let fixture: Fixture;
let rpc: RpcPool;
let file: DeploymentsFile;

beforeAll(async () => {
  fixture = await createFixture({ morphoPositions: 1, cometPositions: 1 });
  rpc = await RpcPool.open([new SecretUrl(fixture.anvil.rpcUrl)]);
  const path = join(folder, 'deployments.json');
  await writeDeployments(path, { ...deploymentsOf(fixture.market), chainId: rpc.chainId });
  const read = readDeploymentsFile(path);
  if (!read.ok) throw new Error(read.problems.join());
  file = read.deployments;
}, 120_000);
afterAll(async () => {
  rpc?.close();
  await fixture?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const bookOf = (over: Partial<DeploymentsFile>): AddressBook => resolveAddressBook(rpc.chainId, { ...file, ...over }, undefined);
const wrong = async (book: AddressBook) => (await checkBook(rpc, book, CHOICES)).filter(({ ok }) => !ok);
const morphoAt = (morpho: Address) => ({ 'morpho-blue': [{ name: 'morpho', morpho, fromBlock: 1 }] });
const aaveAt = (poolAddressesProvider: Address) => ({ 'aave-v3': [{ ...file['aave-v3']![0]!, poolAddressesProvider }] });

test('a book of contracts that are what it says is right in every place', async () => {
  const checks = await checkBook(rpc, bookOf({}), CHOICES);
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['aave-v3/core poolAddressesProvider', 'morpho-blue/morpho morpho', 'compound-v3/cUSDCv3 comet']),
  );
});

test('a manager of v4 pools that is something else is told', async () => {
  const { factory } = file['uniswap-v3']![0]!;
  const [only, ...more] = await wrong(bookOf({ 'uniswap-v4': [{ poolManager: factory, fromBlock: 1 }] }));
  expect(more).toEqual([]);
  expect(only).toMatchObject({
    name: 'uniswap-v4 poolManager',
    detail: expect.stringContaining('another kind of contract: extsload(bytes32) reverts'),
  });
});

test('an address without a contract is named, with its field and the file', async () => {
  expect(await wrong(bookOf({ ...morphoAt(NOBODY), bridgeTokens: [NOBODY] }))).toEqual([
    {
      name: 'bridge token',
      ok: false,
      detail: `no contract at ${getAddress(NOBODY)} (${getAddress(NOBODY)} is \`bridgeTokens\` in DEPLOYMENTS_FILE)`,
      mend: 'mend the address in DEPLOYMENTS_FILE',
    },
    {
      name: 'morpho-blue/morpho morpho',
      ok: false,
      detail: `no contract at ${getAddress(NOBODY)} (${getAddress(NOBODY)} is \`morpho\` of \`morpho-blue\` "morpho" in DEPLOYMENTS_FILE)`,
      mend: 'mend the address in DEPLOYMENTS_FILE',
    },
  ]);
});

test('an address that came from the built-in book is said to', async () => {
  const { 'morpho-blue': _, ...rest } = file;
  const [check] = await wrong(resolveAddressBook(rpc.chainId, rest, { name: 'somewhere', ...morphoAt(NOBODY) }));
  expect(check?.detail).toMatch(/is `morpho` of `morpho-blue` "morpho" in the built-in address book of devnet\)$/);
  expect(check?.mend).toContain('give `morpho-blue` in DEPLOYMENTS_FILE');
});

test('a contract of another kind is told by what it answers', async () => {
  const token = fixture.market.tokens['WETH']!;
  const pool = fixture.market.aave.pool;
  const found = await wrong(bookOf({ ...morphoAt(token.toLowerCase() as Address), ...aaveAt(pool.toLowerCase() as Address) }));
  expect(found.map(({ name, detail }) => [name, detail.replace(/ \(.*$/s, '')])).toEqual([
    ['aave-v3/core poolAddressesProvider', `${pool} is another kind of contract: getPool() reverts`],
    ['morpho-blue/morpho morpho', `${token} is another kind of contract: feeRecipient() reverts`],
  ]);
});

test('a factory that belongs to another Morpho is told', async () => {
  const { morpho, preLiquidationFactory } = file['morpho-blue']![0]!;
  const other = { name: 'morpho', morpho: file.wrappedNative!, preLiquidationFactory, fromBlock: 1 };
  const [, factory] = await wrong(bookOf({ 'morpho-blue': [other] }));
  expect(factory?.detail).toContain(
    `MORPHO() answers ${getAddress(morpho)} (${getAddress(preLiquidationFactory!)} is \`preLiquidationFactory\``,
  );
});

test('a proxy whose implementation is gone is told, though the proxy is there', async () => {
  const { pool } = fixture.market.aave;
  const snapshot = await ask(fixture.anvil.rpcUrl, 'evm_snapshot', []);
  // EIP-1967's slot of the implementation.
  const slot = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';
  await ask(fixture.anvil.rpcUrl, 'anvil_setStorageAt', [pool, slot, `0x${NOBODY.slice(2).padStart(64, '0')}`]);
  const [check] = await wrong(bookOf({}));
  await ask(fixture.anvil.rpcUrl, 'evm_revert', [snapshot]);
  expect(check?.name).toBe('aave-v3/core poolAddressesProvider');
  expect(check?.detail).toContain(
    `getPool() of ${getAddress(file['aave-v3']![0]!.poolAddressesProvider)}: ${pool} is a proxy without an implementation: no contract at ${getAddress(NOBODY)}`,
  );
});

test('only the protocols that are worked on are looked at', async () => {
  const checks = await checkBook(rpc, bookOf(morphoAt(NOBODY)), { ...CHOICES, protocols: ['aave-v3'] });
  expect(checks.filter(({ ok }) => !ok)).toEqual([]);
});

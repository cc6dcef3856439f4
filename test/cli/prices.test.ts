/** What the doctor says of a market's prices, with every kind of source in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, getAddress } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deploymentsOf, writeDeployments } from '../../scripts/devnet/deployments.ts';
import { createFixture, type Fixture } from '../../scripts/devnet/fixture.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import { checkPrices } from '../../src/cli/doctor/prices.ts';
import { type AddressBook, resolveAddressBook } from '../../src/config/addressBook.ts';
import { readDeploymentsFile } from '../../src/config/deploymentsFile.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import { adapterDoubles } from '../oracles/contracts.ts';

const CHOICES = { protocols: undefined, morphoBadDebt: 'realise' } as const;

let folder: string;
let fixture: Fixture;
let rpc: RpcPool;
let book: AddressBook;

const token = (symbol: string) => fixture.market.tokens[symbol]!;
const proxy = (feed: string) => fixture.market.feeds[feed]!.proxy;

beforeAll(async () => {
  fixture = await createFixture({ cometPositions: 1 });
  rpc = await RpcPool.open([new SecretUrl(fixture.anvil.rpcUrl)]);
  folder = mkdtempSync(join(tmpdir(), 'bailiff-prices-'));
  const file = join(folder, 'deployments.json');
  await writeDeployments(file, { ...deploymentsOf(fixture.market), chainId: rpc.chainId });
  const read = readDeploymentsFile(file);
  if (!read.ok) throw new Error(read.problems.join());
  book = resolveAddressBook(rpc.chainId, read.deployments, undefined);
}, 120_000);
afterAll(async () => {
  rpc?.close();
  await fixture?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Puts these contracts behind assets' prices. */
async function price(sources: Readonly<Record<string, Address>>): Promise<void> {
  const { oracle, artifacts } = fixture.market.aave;
  await fixture.chain.mine();
  fixture.chain.call(oracle, artifacts['AaveOracle']!.abi, 'setAssetSources', [Object.keys(sources).map(token), Object.values(sources)]);
  await fixture.chain.mine();
}

test('a market whose sources are all decoded says of what kinds', async () => {
  expect(await checkPrices(rpc, book, CHOICES)).toEqual([
    { name: 'aave-v3/core prices', ok: true, detail: '7 feed, 1 ratio; all decoded', mend: '' },
    { name: 'compound-v3/cUSDCv3 prices', ok: true, detail: '4 feed; all decoded', mend: '' },
  ]);
});

test('sources that nobody knows are named, each with its asset', async () => {
  const doubles = await adapterDoubles();
  const deploy = (name: string, args: readonly unknown[]) => fixture.chain.deploy(name, doubles[name]!, args);
  const lying = deploy('LyingAdapterDouble', [proxy('LINK / USD')]);
  const set = deploy('SetPriceDouble', [3_00000000n]);
  const capped = deploy('StableCapDouble', [proxy('DAI / USD'), 1_04000000n]);
  await price({ LINK: lying, SNX: set, DAI: capped });
  const [check] = await checkPrices(rpc, book, CHOICES);
  expect(check).toMatchObject({ ok: true });
  expect(check?.detail).toContain('1 capped');
  expect(check?.detail).toContain(`opaque, so never moved by a pending update: LINK by ${getAddress(lying)}, SNX by ${getAddress(set)}`);
});

test('a market that is none fails the check, and says what to do', async () => {
  const markets = [{ ...book['aave-v3'][0]!, poolAddressesProvider: book.wrappedNative }];
  const [check] = await checkPrices(rpc, { ...book, 'aave-v3': markets }, CHOICES);
  expect(check).toMatchObject({ ok: false, mend: 'see whether the market is one that this version knows' });
});

/** The market in the sync engine's hands: blocks, reorgs, and what only a new anchor can follow. */
import { type Abi, type AbiFunction, type Address, keccak256, parseAbi, toHex } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFixture, type Fixture } from '../../../scripts/devnet/fixture.ts';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { Heads } from '../../../src/chain/heads.ts';
import { RpcPool } from '../../../src/chain/rpc.ts';
import { SecretUrl } from '../../../src/lib/secret.ts';
import type { Hex } from '../../../src/lib/types.ts';
import type { BlockReport } from '../../../src/mirror/reports.ts';
import { Actions } from './actions.ts';
import { plain } from './plain.ts';
import { Sender } from './sender.ts';
import { bury, look, sync } from './synced.ts';

const ROUNDS = 10;
const NEWCOMERS = 12;
const AUDIT_LIMIT = 24;

let fixture: Fixture;
let sender: Sender;
let pool: RpcPool;
let people: readonly Address[];

beforeAll(async () => {
  fixture = await createFixture({ positions: 40, seed: 9 });
  sender = new Sender(fixture);
  await sender.open();
  const newcomers = Array.from({ length: NEWCOMERS }, (_, i): Address => `0x${(0xbee0_0000 + i).toString(16).padStart(40, '0')}`);
  people = [...fixture.market.borrowers.slice(0, 12).map(({ address }) => address), ...newcomers];
  for (const person of people) await sender.enrich(person);
  await sender.mine();
  await bury(sender.url);
  pool = await RpcPool.open([new SecretUrl(fixture.anvil.wsUrl)]);
});
afterAll(async () => {
  pool?.close();
  await fixture?.stop();
});

test('blocks and reorgs end in the state of a fresh sync, and no audit differs on the way', async () => {
  const { market, mirror } = await sync(fixture, pool, AUDIT_LIMIT);
  const heads = new Heads(pool, mirror.recent);
  const random = new Prng(4);
  const actions = new Actions(fixture, sender, market, people, 4);
  let audited = 0;
  let reorgs = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 1) {
        const depth = Math.floor(random.logBetween(1, 60));
        await rpc(sender.url, 'anvil_rollback', [depth]);
        // NOTE: a chain that became shorter says nothing until it grows beyond where it was.
        for (let i = 0; i < depth - 3; i++) await rpc(sender.url, 'evm_mine');
        reorgs++;
      }
      const reports: BlockReport[] = [];
      for (let block = 0; block < 5; block++) {
        await actions.some(12);
        if (block === 2) await actions.govern();
        await sender.mine();
        if (round % 2 === 0) reports.push(...(await look(sender.url, mirror, heads)));
      }
      reports.push(...(await look(sender.url, mirror, heads)));
      for (const { mismatches, failures } of reports) expect([...mismatches, ...failures]).toEqual([]);
      audited += reports.reduce((sum, report) => sum + report.audited, 0);
    }
    expect(reorgs).toBe(ROUNDS / 2);
    expect(audited).toBeGreaterThan(500);
    const fresh = await sync(fixture, pool, AUDIT_LIMIT);
    expect(plain(market.state, true)).toEqual(plain(fresh.market.state, true));
    // More than the forty borrowers and the lender.
    expect(market.state.accounts.length).toBeGreaterThan(41);
  } finally {
    heads.close();
  }
});

type Change = { what: string; from(): Address; to(): Address; signature: string; args(): Promise<readonly unknown[]> };

const changes: Change[] = [
  {
    what: 'a new price source',
    from: () => fixture.chain.deployer.address,
    to: () => fixture.market.aave.oracle,
    signature: 'function setAssetSources(address[] assets, address[] sources)',
    args: async () => [[fixture.market.tokens['LINK']], [fixture.market.sources['SNX']]],
  },
  {
    what: 'another price oracle',
    from: () => fixture.chain.deployer.address,
    to: () => fixture.market.aave.poolAddressesProvider,
    signature: 'function setPriceOracle(address newPriceOracle)',
    args: async () => [fixture.market.aave.oracle],
  },
  {
    what: 'an upgrade of the pool',
    from: () => fixture.market.aave.poolAddressesProvider,
    to: () => fixture.market.aave.pool,
    signature: 'function upgradeTo(address newImplementation)',
    args: async () => [await implementation()],
  },
];

test.each(changes)('$what is followed by a new anchor', async ({ from, to, signature, args }) => {
  await bury(sender.url);
  const { market, feeds, mirror } = await sync(fixture, pool, AUDIT_LIMIT);
  const heads = new Heads(pool, mirror.recent);
  const abi = parseAbi([signature]) as Abi;
  const { name } = abi[0] as AbiFunction;
  try {
    await rpc(sender.url, 'anvil_setBalance', [from(), '0xffffffffffffffff']);
    await sender.call(from(), to(), abi, name, await args());
    expect((await sender.mine()).done.get(name)).toBe(1);
    const reports = await look(sender.url, mirror, heads);
    expect(reports.flatMap(({ failures }) => failures.map(({ id, during }) => `${id} ${during}`))).toEqual([`${market.id} apply`]);
    expect(mirror.live(market.id)).toBe(false);
    await bury(sender.url);
    const later = await look(sender.url, mirror, heads);
    expect(later.flatMap(({ anchored }) => anchored)).toEqual([market.id]);
    expect(later.flatMap(({ mismatches, failures }) => [...mismatches, ...failures])).toEqual([]);
    const fresh = await sync(fixture, pool, AUDIT_LIMIT);
    expect(plain(market.state, true)).toEqual(plain(fresh.market.state, true));
    expect(market.feeds()).toEqual(fresh.market.feeds());
    for (const feed of market.feeds()) expect(feeds.answer(feed)).toEqual(fresh.feeds.answer(feed));
  } finally {
    heads.close();
  }
});

/** The pool's present implementation, by the slot of ERC-1967. */
async function implementation(): Promise<Address> {
  const slot = `0x${(BigInt(keccak256(toHex('eip1967.proxy.implementation'))) - 1n).toString(16)}`;
  const word = await rpc<Hex>(sender.url, 'eth_getStorageAt', [fixture.market.aave.pool, slot, 'latest']);
  return `0x${word.slice(-40)}`;
}

/** A market whose history crosses releases: 3.0 with debts at fixed rates, upgraded to 3.6 while it is followed. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { Heads } from '../../../src/chain/heads.ts';
import { RpcPool } from '../../../src/chain/rpc.ts';
import { SecretUrl } from '../../../src/lib/secret.ts';
import type { BlockReport } from '../../../src/mirror/reports.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import { Actions } from './actions.ts';
import { plain } from './plain.ts';
import { type LegacyScene, legacyScene, type Scene } from './scene.ts';
import { Sender } from './sender.ts';
import { bury, look, type Synced, sync } from './synced.ts';
import { upgrade } from './upgrade.ts';

/** More than there are accounts, prices and indexes: every block is compared as a whole. */
const AUDIT_LIMIT = 400;
const BLOCKS = 8;

let scene: LegacyScene;
let upgraded: Scene;
let pool: RpcPool;
let people: readonly Address[];
let followed: Synced;
let heads: Heads;
/** The last block of 3.0. */
let lastOld: number;
let before: string;
let atUpgrade: readonly BlockReport[];

beforeAll(async () => {
  scene = await legacyScene({ positions: 40, seed: 21 });
  const sender = new Sender(scene);
  await sender.open();
  people = scene.market.borrowers.slice(0, 16).map(({ address }) => address);
  for (const person of people) await sender.enrich(person);
  await sender.mine();
  await bury(sender.url);
  pool = await RpcPool.open([new SecretUrl(scene.anvil.wsUrl)]);
  followed = await sync(scene, pool, AUDIT_LIMIT);
  heads = new Heads(pool, followed.mirror.recent);
  expect((await act(scene, 1)).troubles).toEqual([]);
  expect(followed.market.state.accounts.all().some(({ fixed }) => fixed.size > 0)).toBe(true);

  // Debts at fixed rates end before there are none.
  const { market } = followed;
  for (const { address, fixed } of market.state.accounts.all())
    for (const id of fixed.keys()) await sender.pool(address, 'swapBorrowRateMode', [market.state.reserves.get(id)!.asset, 1n]);
  await sender.mine();
  before = market.state.rules.release;
  lastOld = await scene.chain.blockNumber();
  upgraded = await upgrade(scene);
  atUpgrade = await look(sender.url, followed.mirror, heads);
}, 120_000);
afterAll(async () => {
  heads?.close();
  pool?.close();
  await scene?.stop();
});

/** Some blocks of random actions, followed to their end; what went through, and every difference and failure on the way. */
async function act(of: Scene, seed: number) {
  const sender = new Sender(of);
  const actions = new Actions(of, sender, followed.market, people, seed);
  const done = new Set<string>();
  const troubles: unknown[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    await actions.some(25);
    if (block % 2 === 0) await actions.govern();
    if (block === BLOCKS - 2) await actions.liquidate(8, momentOf(followed.market.state.head, followed.feeds));
    for (const label of (await sender.mine()).done.keys()) done.add(label);
    troubles.push(...(await look(sender.url, followed.mirror, heads)).flatMap(troublesOf));
  }
  return { done, troubles };
}

const stateOf = ({ market }: Synced) => plain(market.state, true);
const troublesOf = ({ mismatches, failures }: BlockReport) => [...mismatches, ...failures];

test('is read anew at the block after it, under the rules of the new release', async () => {
  const { market, mirror } = followed;
  expect(before).toBe('3.0');
  expect(atUpgrade.flatMap(({ failures }) => failures.map(({ id, during }) => `${id} ${during}`))).toEqual([`${market.id} apply`]);
  await rpc(scene.anvil.rpcUrl, 'evm_mine');
  const [report] = await look(scene.anvil.rpcUrl, mirror, heads);
  expect(report!.anchored).toEqual([market.id]);
  expect(market.state.rules.release).toBe('3.6');
  expect(market.state.accounts.all().every(({ fixed }) => fixed.size === 0)).toBe(true);
  expect(market.state.accounts.all().filter(({ owed }) => owed.size > 0).length).toBeGreaterThan(35);
});

test('a sync that begins below the upgrade arrives at the same state', async () => {
  const fresh = await sync(upgraded, pool, AUDIT_LIMIT);
  expect(fresh.mirror.recent[0]!.number).toBeLessThan(lastOld);
  expect(stateOf(fresh)).toEqual(stateOf(followed));
});

test('goes on without a difference, liquidations included', async () => {
  await scene.setPrice('ETH / USD', 2_500_00000000n);
  const { done, troubles } = await act(upgraded, 2);
  expect(troubles).toEqual([]);
  for (const kind of ['supply', 'withdraw', 'borrow', 'repay', 'transfer', 'liquidationCall']) expect(done).toContain(kind);
  expect(stateOf(followed)).toEqual(stateOf(await sync(upgraded, pool, AUDIT_LIMIT)));
});

test('an upgrade that a reorg takes back is forgotten', async () => {
  const { url } = new Sender(scene);
  const depth = (await scene.chain.blockNumber()) - lastOld + 1;
  await rpc(url, 'anvil_rollback', [depth]);
  // NOTE: a chain that became shorter says nothing until it grows beyond where it was.
  for (let i = 0; i < depth + 1; i++) await rpc(url, 'evm_mine');
  const reports = await look(url, followed.mirror, heads);
  expect(reports.flatMap(troublesOf)).toEqual([]);
  expect(followed.market.state.rules.release).toBe('3.0');
  expect(stateOf(followed)).toEqual(stateOf(await sync(scene, pool, AUDIT_LIMIT)));
});

/** A market in the sync engine's hands: blocks, reorgs, debt that moves without a word, and what only a new anchor can follow. */
import type { Address } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { Heads } from '../../../src/chain/heads.ts';
import { RpcPool } from '../../../src/chain/rpc.ts';
import { SecretUrl } from '../../../src/lib/secret.ts';
import type { Hex } from '../../../src/lib/types.ts';
import { Mirror } from '../../../src/mirror/mirror.ts';
import type { BlockReport } from '../../../src/mirror/reports.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import { WatchCheck } from '../../support/watch-check.ts';
import { Actions } from './actions.ts';
import { plain } from './plain.ts';
import { CometWorld } from './world.ts';

const ROUNDS = 8;
const NEWCOMERS = 10;

let world: CometWorld;
let pool: RpcPool;
let people: readonly Address[];

beforeAll(async () => {
  world = await CometWorld.open({ positions: 24, seed: 12 });
  const newcomers = Array.from({ length: NEWCOMERS }, (_, i): Address => `0x${(0xbee0_0000 + i).toString(16).padStart(40, '0')}`);
  people = [...world.borrowers.slice(0, 8).map(({ address }) => address), ...newcomers];
  for (const person of people) await world.enrich(person);
  await world.sender.mine();
  await bury();
  pool = await RpcPool.open([new SecretUrl(world.fixture.anvil.wsUrl)]);
});
afterAll(async () => {
  pool?.close();
  await world?.close();
});

/** Mines until all of it is below the block that a sync anchors at: the finalised one, 64 deep on this chain. */
async function bury(): Promise<void> {
  for (let i = 0; i < 70; i++) await rpc(world.url, 'evm_mine');
}

async function sync() {
  const { protocol, feeds } = world.another();
  const mirror = await Mirror.sync(pool, [protocol], { multicall3: world.multicall3, auditLimit: 24 });
  await mirror.add([feeds]);
  return { protocol, mirror, feeds };
}

/** Follows to the newest block; returns what every block on the way did. */
async function look(mirror: Mirror, heads: Heads): Promise<BlockReport[]> {
  const { hash } = await rpc<{ hash: Hex }>(world.url, 'eth_getBlockByNumber', ['latest', false]);
  const reports: BlockReport[] = [];
  while (mirror.head.hash !== hash) {
    const event = await heads.next(mirror.head);
    if (event === null) throw new Error('closed');
    const update = await mirror.onHeads(event);
    expect([update.resynced, update.stalled]).toEqual([false, null]);
    reports.push(...update.blocks);
  }
  return reports;
}

test('blocks and reorgs end in the state of a fresh sync, no audit differs on the way, and the watchlist misses nobody', async () => {
  const { protocol, mirror, feeds } = await sync();
  const watch = new WatchCheck(protocol);
  const heads = new Heads(pool, mirror.recent);
  const actions = new Actions(world, people, 4);
  let audited = 0;
  const done = new Map<string, number>();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 1) {
        const depth = 1 + ((round * 17) % 60);
        await rpc(world.url, 'anvil_rollback', [depth]);
        // NOTE: a chain that became shorter says nothing until it grows beyond where it was.
        for (let i = 0; i < depth - 3; i++) await rpc(world.url, 'evm_mine');
      }
      const reports: BlockReport[] = [];
      for (let block = 0; block < 5; block++) {
        await actions.some(14);
        if (block === 2) await actions.govern();
        for (const [label, count] of (await world.sender.mine()).done) done.set(label, (done.get(label) ?? 0) + count);
        // Down and up, so that there is always somebody to absorb, and somebody who may borrow.
        if (block === 1 || block === 3) await world.fixture.setPrice('BTC / USD', block === 1 ? 70_000_00000000n : 95_000_00000000n);
        if (round % 2 === 0) reports.push(...(await look(mirror, heads)));
        watch.look(momentOf(mirror.head, feeds));
      }
      reports.push(...(await look(mirror, heads)));
      watch.look(momentOf(mirror.head, feeds));
      for (const { mismatches, failures } of reports) expect([...mismatches, ...failures]).toEqual([]);
      audited += reports.reduce((sum, report) => sum + report.audited, 0);
    }
    expect(audited).toBeGreaterThan(500);
    expect(watch.candidates).toBeGreaterThan(300);
    expect(watch.judged).toBeLessThan(watch.positions * 0.7);
    for (const kind of [
      'supply',
      'supplyTo',
      'withdraw',
      'withdrawTo',
      'transferAsset',
      'absorb',
      'buyCollateral',
      'pause',
      'withdrawReserves',
    ])
      expect([kind, done.get(kind) ?? 0]).not.toEqual([kind, 0]);
    // Two blocks more: by then everybody has had their turn to be read.
    for (let i = 0; i < 2; i++) await rpc(world.url, 'evm_mine');
    await look(mirror, heads);
    expect(plain(protocol.state)).toEqual(plain((await sync()).protocol.state));
  } finally {
    heads.close();
  }
});

test('another configuration behind the proxy is followed by a new anchor', async () => {
  await bury();
  const { protocol, mirror } = await sync();
  const heads = new Heads(pool, mirror.recent);
  const { chain } = world.fixture;
  const { artifacts, config, comet } = world.market;
  try {
    await chain.prepare();
    const other = { ...config, targetReserves: 7n, storeFrontPriceFactor: 3n * 10n ** 17n };
    const implementation = chain.deploy('another', artifacts.comet, [other]);
    chain.call(comet, artifacts.proxy.abi, 'upgradeTo', [implementation]);
    await chain.mine();
    const reports = await look(mirror, heads);
    expect(reports.flatMap(({ failures }) => failures.map(({ id, during }) => `${id} ${during}`))).toEqual([`${protocol.id} apply`]);
    await bury();
    const later = await look(mirror, heads);
    expect(later.flatMap(({ anchored }) => anchored)).toEqual([protocol.id]);
    expect(protocol.state.config).toMatchObject({ targetReserves: 7n, storeFrontPriceFactor: 3n * 10n ** 17n });
    expect(plain(protocol.state)).toEqual(plain((await sync()).protocol.state));
  } finally {
    heads.close();
  }
});

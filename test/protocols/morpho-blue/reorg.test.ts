/** A deployment in the sync engine's hands: blocks, reorgs, and what only a new anchor can follow. */
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
import { openContracts } from './pre-world.ts';
import { MorphoWorld } from './world.ts';

const ROUNDS = 8;
const NEWCOMERS = 10;

let world: MorphoWorld;
let pool: RpcPool;
let people: readonly Address[];

beforeAll(async () => {
  world = await MorphoWorld.open({ positions: 24, seed: 12 });
  const newcomers = Array.from({ length: NEWCOMERS }, (_, i): Address => `0x${(0xbee0_0000 + i).toString(16).padStart(40, '0')}`);
  people = [...world.borrowers.slice(0, 8).map(({ address }) => address), ...newcomers];
  for (const person of people) await world.enrich(person);
  await world.sender.mine();
  await openContracts(world, 3, 5);
  await bury();
  pool = await RpcPool.open([new SecretUrl(world.fixture.anvil.wsUrl)]);
});
afterAll(async () => {
  pool?.close();
  await world?.fixture.stop();
});

/** Mines until all of it is below the block that a sync anchors at: the finalised one, 64 deep on this chain. */
async function bury(): Promise<void> {
  for (let i = 0; i < 70; i++) await rpc(world.sender.url, 'evm_mine');
}

async function sync() {
  const { protocol, feeds } = world.another('realise');
  const mirror = await Mirror.sync(pool, [protocol], { multicall3: world.fixture.market.multicall3, auditLimit: 24 });
  await mirror.add([feeds]);
  return { protocol, mirror, feeds };
}

/** Follows to the newest block; returns what every block on the way did. */
async function look(mirror: Mirror, heads: Heads): Promise<BlockReport[]> {
  const { hash } = await rpc<{ hash: Hex }>(world.sender.url, 'eth_getBlockByNumber', ['latest', false]);
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
        await rpc(world.sender.url, 'anvil_rollback', [depth]);
        // NOTE: a chain that became shorter says nothing until it grows beyond where it was.
        for (let i = 0; i < depth - 3; i++) await rpc(world.sender.url, 'evm_mine');
      }
      const reports: BlockReport[] = [];
      for (let block = 0; block < 5; block++) {
        await actions.some(16);
        if (block === 2) await actions.govern();
        for (const [label, count] of (await world.sender.mine()).done) done.set(label, (done.get(label) ?? 0) + count);
        // Up and down, so that there is always somebody to liquidate, and somebody who may borrow.
        if (block === 1 || block === 3) await world.fixture.setPrice('BTC / USD', block === 1 ? 95_000_00000000n : 70_000_00000000n);
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
      'withdraw',
      'borrow',
      'repay',
      'withdrawCollateral',
      'liquidate',
      'setFee',
      'createMarket',
      'setAuthorization',
      'createPreLiquidation',
      'preLiquidate',
    ])
      expect([kind, done.get(kind) ?? 0]).not.toEqual([kind, 0]);
    expect(plain(protocol.state)).toEqual(plain((await sync()).protocol.state));
    expect(protocol.state.markets.size).toBeGreaterThan(world.morpho.markets.length);
  } finally {
    heads.close();
  }
});

test('an IRM that is enabled later is followed by a new anchor', async () => {
  await bury();
  const { protocol, mirror } = await sync();
  const heads = new Heads(pool, mirror.recent);
  try {
    await world.call(world.fixture.chain.deployer.address, 'enableIrm', [people[0]!]);
    expect((await world.sender.mine()).done.get('enableIrm')).toBe(1);
    const reports = await look(mirror, heads);
    expect(reports.flatMap(({ failures }) => failures.map(({ id, during }) => `${id} ${during}`))).toEqual([`${protocol.id} apply`]);
    await bury();
    const later = await look(mirror, heads);
    expect(later.flatMap(({ anchored }) => anchored)).toEqual([protocol.id]);
    expect(plain(protocol.state)).toEqual(plain((await sync()).protocol.state));
  } finally {
    heads.close();
  }
});

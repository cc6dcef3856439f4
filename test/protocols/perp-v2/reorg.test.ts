/** A deployment in the sync engine's hands: blocks and reorganisations end in the state of a fresh sync. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prng } from '../../../scripts/devnet/prng.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import { Heads } from '../../../src/chain/heads.ts';
import { RpcPool } from '../../../src/chain/rpc.ts';
import { SecretUrl } from '../../../src/lib/secret.ts';
import type { Hex } from '../../../src/lib/types.ts';
import { Mirror } from '../../../src/mirror/mirror.ts';
import type { BlockReport } from '../../../src/mirror/reports.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { PerpV2 } from '../../../src/protocols/perp-v2/perp-v2.ts';
import { dollarFor, figures } from './followed.ts';
import { PerpWorld, populate } from './world.ts';

const ROUNDS = 6;
/** A sync anchors at the finalised block, 64 deep on this chain. */
const FINALISED = 70;
const DEEPEST = 40;

let world: PerpWorld;
let pool: RpcPool;

beforeAll(async () => {
  world = await PerpWorld.open({ traders: 12 });
  await populate(world, 8, [1, 6]);
  for (let i = 0; i < FINALISED; i++) await rpc(world.anvil.rpcUrl, 'evm_mine');
  pool = await RpcPool.open([new SecretUrl(world.anvil.wsUrl)]);
});
afterAll(async () => {
  pool?.close();
  await world?.stop();
});

async function sync() {
  const { clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock, settlement } = world.perp;
  const addresses = { clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry };
  const feeds = new Feeds();
  const protocol = new PerpV2({ name: 'perp', fromBlock, ...addresses }, feeds, dollarFor(settlement), undefined);
  const mirror = await Mirror.sync(pool, [protocol], { multicall3: world.multicall3, auditLimit: 24 });
  await mirror.add([feeds]);
  return { protocol, mirror };
}

/** Follows to the newest block; returns what every block on the way did. */
async function look(mirror: Mirror, heads: Heads): Promise<BlockReport[]> {
  const { hash } = await rpc<{ hash: Hex }>(world.anvil.rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
  const reports: BlockReport[] = [];
  while (mirror.head.hash !== hash) {
    const event = await heads.next(mirror.head);
    if (event === null) throw new Error('closed');
    reports.push(...(await mirror.onHeads(event)).blocks);
  }
  return reports;
}

async function trade(prng: Prng): Promise<void> {
  const [trader, { base }] = [prng.pick(world.traders), prng.pick(world.perp.markets)];
  if (prng.next() < 0.2) await world.deposit(trader, 50_000_000n);
  else await world.trade(trader, base, prng.next() < 0.5 ? 'long' : 'short', prng.logBetween(20, 1_000));
}

test('blocks and reorgs end in the state of a fresh sync, and no audit differs on the way', async () => {
  const { protocol, mirror } = await sync();
  const heads = new Heads(pool, mirror.recent);
  const prng = new Prng(2);
  let audited = 0;
  let done = 0;
  try {
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 1) {
        const depth = 1 + ((round * 13) % DEEPEST);
        await rpc(world.anvil.rpcUrl, 'anvil_rollback', [depth]);
        // NOTE: a chain that became shorter says nothing until it grows beyond where it was.
        for (let i = 0; i < depth - 3; i++) await rpc(world.anvil.rpcUrl, 'evm_mine');
      }
      const reports: BlockReport[] = [];
      for (let block = 0; block < 5; block++) {
        for (let i = 0; i < 3; i++) await trade(prng);
        if (block === 2) await world.price('ETH', prng.between(1_950, 2_050));
        for (const { done: count } of (await world.mine()).values()) done += count;
        if (round % 2 === 0) reports.push(...(await look(mirror, heads)));
      }
      reports.push(...(await look(mirror, heads)));
      for (const { mismatches, failures } of reports) expect([...mismatches, ...failures]).toEqual([]);
      audited += reports.reduce((sum, report) => sum + report.audited, 0);
    }
    expect(audited).toBeGreaterThan(300);
    expect(done).toBeGreaterThan(60);
    expect(figures(protocol.state)).toEqual(figures((await sync()).protocol.state));
  } finally {
    heads.close();
  }
});

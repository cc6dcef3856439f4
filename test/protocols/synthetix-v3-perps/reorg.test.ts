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
import { SynthetixV3Perps } from '../../../src/protocols/synthetix-v3-perps/synthetix-v3-perps.ts';
import { figures } from './followed.ts';
import { BTC, ETH, ids, populate, S_ETH, SNX_USD, SynthetixWorld, wad } from './world.ts';

const ACCOUNTS = ids(30);
/** Every second one takes blocks back first. */
const ROUNDS = 4;
/** A sync anchors at the finalised block, 64 deep on this chain. */
const FINALISED = 70;
const DEEPEST = 40;

let world: SynthetixWorld;
let pool: RpcPool;
let reorgs = 0;

beforeAll(async () => {
  world = await SynthetixWorld.open();
  await populate(world, 5, ACCOUNTS);
  await blocks(FINALISED);
  pool = await RpcPool.open([new SecretUrl(world.anvil.wsUrl)]);
});
afterAll(async () => {
  pool?.close();
  await world?.stop();
});

function blocks(count: number): Promise<unknown> {
  return rpc(world.anvil.rpcUrl, 'anvil_mine', [`0x${count.toString(16)}`]);
}

async function sync() {
  const { perpsMarket, fromBlock, usd: token } = world.snx;
  const usd = { usd8: (asset: string) => (asset === token ? { priceUsd8: 100_000_000n, decimals: 18 } : undefined) };
  const feeds = new Feeds();
  const protocol = new SynthetixV3Perps({ name: 'snx', perpsMarket, fromBlock }, feeds, usd, undefined);
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
    if (event.kind === 'reorg') reorgs++;
    reports.push(...(await mirror.onHeads(event)).blocks);
  }
  return reports;
}

/** One of the things that happen. Each mines a block or some. */
async function step(prng: Prng, kind: number): Promise<void> {
  const orders = [...new Set(Array.from({ length: 6 }, () => prng.pick(ACCOUNTS)))].map((account) => {
    const market = prng.pick([ETH, BTC]);
    const size = wad(prng.logBetween(50, 5_000) / world.usd(market));
    return { account, market, size: prng.next() < 0.5 ? size : -size };
  });
  switch (kind % 4) {
    case 0:
      return world.setPrices({ eth: world.price.ETH * prng.between(0.96, 1.02), btc: world.price.BTC * prng.between(0.96, 1.02) });
    case 1:
      return world.trade(orders);
    case 2: {
      const liquidatable = await Promise.all(ACCOUNTS.map((id) => world.read<boolean>('LiquidationModule', 'canLiquidate', [id])));
      const found = ACCOUNTS.filter((_, index) => liquidatable[index]);
      for (const id of found.slice(0, 3)) world.call(world.snx.perpsMarket, 'LiquidationModule', 'liquidate', [id]);
      world.call(world.snx.perpsMarket, 'LiquidationModule', 'liquidateFlagged', [2n]);
      return world.chain.mine();
    }
    default:
      return world.deposit([
        { account: prng.pick(ACCOUNTS), collateral: S_ETH, amount: wad(0.2) },
        { account: prng.pick(ACCOUNTS), collateral: SNX_USD, amount: wad(40) },
      ]);
  }
}

test('blocks and reorgs end in the state of a fresh sync, and no audit differs on the way', async () => {
  const { protocol, mirror } = await sync();
  const heads = new Heads(pool, mirror.recent);
  const prng = new Prng(4);
  let audited = 0;
  const seen = new Set<string>();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      if (round % 2 === 1) {
        const depth = 1 + ((round * 13) % DEEPEST);
        await rpc(world.anvil.rpcUrl, 'anvil_rollback', [depth]);
        // Takes note of its nonce as it is now.
        await world.chain.fund([world.chain.deployer.address], 10n ** 26n);
        // NOTE: a chain that became shorter says nothing until it grows beyond where it was.
        if (depth > 3) await blocks(depth - 3);
      }
      const reports: BlockReport[] = [];
      for (let kind = 0; kind < 4; kind++) {
        await step(prng, kind);
        if (round % 2 === 0) reports.push(...(await look(mirror, heads)));
      }
      reports.push(...(await look(mirror, heads)));
      for (const { mismatches, failures } of reports) expect([...mismatches, ...failures]).toEqual([]);
      audited += reports.reduce((sum, report) => sum + report.audited, 0);
      seen.add(JSON.stringify(figures({ protocol }).accounts, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
    }
    expect([reorgs, seen.size]).toEqual([ROUNDS / 2, ROUNDS]);
    expect(audited).toBeGreaterThan(100);
    expect(figures({ protocol })).toEqual(figures(await sync()));
  } finally {
    heads.close();
  }
});

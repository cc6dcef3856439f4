/** The market in the sync engine's hands, for tests that let the chain go on under it. */
import { expect } from 'vitest';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { Heads } from '../../../src/chain/heads.ts';
import type { RpcPool } from '../../../src/chain/rpc.ts';
import type { Address, Hex } from '../../../src/lib/types.ts';
import { Mirror } from '../../../src/mirror/mirror.ts';
import type { BlockReport } from '../../../src/mirror/reports.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { AaveV3Market } from '../../../src/protocols/aave-v3/market.ts';
import type { Scene } from './scene.ts';

export type Synced = { readonly market: AaveV3Market; readonly feeds: Feeds; readonly mirror: Mirror };

/** Mines until all of it is below the block that a sync anchors at: the finalised one, 64 deep on this chain. */
export async function bury(url: string): Promise<void> {
  for (let i = 0; i < 70; i++) await rpc(url, 'evm_mine');
}

export async function sync({ market: { aave, multicall3 } }: Scene, pool: RpcPool, auditLimit: number): Promise<Synced> {
  const feeds = new Feeds();
  const poolAddressesProvider = aave.poolAddressesProvider.toLowerCase() as Address;
  const market = new AaveV3Market({ name: 'core', poolAddressesProvider, fromBlock: aave.fromBlock }, feeds);
  const mirror = await Mirror.sync(pool, [market], { multicall3, auditLimit });
  await mirror.add([feeds]);
  return { market, feeds, mirror };
}

/** Follows to the newest block; returns what every block on the way did. */
export async function look(url: string, mirror: Mirror, heads: Heads): Promise<BlockReport[]> {
  const { hash } = await rpc<{ hash: Hex }>(url, 'eth_getBlockByNumber', ['latest', false]);
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

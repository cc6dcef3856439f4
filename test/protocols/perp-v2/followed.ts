/** A Perp v2 world and the keeper's mirror of it. */
import type { Address, Head } from '../../../src/lib/types.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import type { Moment, UsdPrices } from '../../../src/oracles/types.ts';
import { PerpV2 } from '../../../src/protocols/perp-v2/perp-v2.ts';
import { ChainFollower } from '../../support/chain-follower.ts';
import type { PerpWorld } from './world.ts';

export type Followed = { readonly protocol: PerpV2; readonly feeds: Feeds; readonly follower: ChainFollower };

/** A dollar for the settlement token; nothing else is priced. */
export function dollarFor(settlement: Address): UsdPrices {
  return { usd8: (token) => (token === settlement ? { priceUsd8: 100_000_000n, decimals: 6 } : undefined) };
}

/** Anchored at the latest block. */
export async function follow(world: PerpWorld, executor?: Address): Promise<Followed> {
  const usd = dollarFor(world.perp.settlement);
  const feeds = new Feeds();
  const { clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry, fromBlock } = world.perp;
  const addresses = { clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry };
  const protocol = new PerpV2({ name: 'perp', fromBlock, ...addresses }, feeds, usd, executor);
  const follower = new ChainFollower(world.anvil.rpcUrl, world.multicall3, [protocol, feeds]);
  await follower.anchor();
  return { protocol, feeds, follower };
}

/** So many seconds after the mirrored block. */
export function later({ follower, feeds }: Followed, seconds: number): Moment {
  const head: Head = follower.head;
  return { ...momentOf(head, feeds), number: head.number + 1, timestamp: head.timestamp + seconds };
}

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

/** What of a state does not depend on the way it came about. */
export function figures({ accounts, markets, fund, head }: PerpV2['state']) {
  const places = accounts.flatMap(({ address, places: all }) =>
    [...all.values()].map(({ market, sizeWad, openNotionalWad, orders }) =>
      [address, market.symbol, sizeWad, openNotionalWad, ...[...orders.values()].flatMap((order) => Object.values(order))].join(' '),
    ),
  );
  const balances = accounts
    .filter(({ balanceRaw, collateral }) => balanceRaw !== 0n || collateral.size > 0)
    .map(({ address, balanceRaw, owedPnlWad, collateral }) => [address, balanceRaw, owedPnlWad, ...collateral].join(' '));
  const prices = [...markets.values()].map(({ growthX96, lastSettledAt, lastTick, lastTickAt, firstTradedAt, pool, index }) =>
    [
      growthX96,
      lastSettledAt,
      lastTick,
      lastTickAt,
      firstTradedAt,
      pool.curve.sqrtPriceX96,
      pool.curve.liquidity,
      index?.lastValidPrice,
    ].join(),
  );
  return { places: places.sort(), balances: balances.sort(), prices, fund: fund.capacityRaw, head: head.hash };
}

/** A Synthetix world and the keeper's mirror of it. */

import { rpcBatch } from '../../../scripts/devnet/rpc.ts';
import { decodeAggregate3, encodeAggregate3 } from '../../../src/chain/multicall.ts';
import type { Address, Hex, ViewAnswer, ViewCall } from '../../../src/lib/types.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import type { FeedAnswer, FeedId, Moment, UsdPrices } from '../../../src/oracles/types.ts';
import { SynthetixV3Perps } from '../../../src/protocols/synthetix-v3-perps/synthetix-v3-perps.ts';
import { ChainFollower } from '../../support/chain-follower.ts';
import type { SynthetixWorld } from './world.ts';

export type Followed = {
  readonly protocol: SynthetixV3Perps;
  readonly feeds: Feeds;
  readonly follower: ChainFollower;
  readonly usd: UsdPrices;
};

const DOLLAR = { priceUsd8: 100_000_000n, decimals: 18 };
const PER_CALL = 60;

/** Anchored at the latest block; with the prices that it wants. */
export async function follow(world: SynthetixWorld, executor?: Address): Promise<Followed> {
  const { perpsMarket, fromBlock, usd: token } = world.snx;
  const usd: UsdPrices = { usd8: (asset) => (asset === token ? DOLLAR : undefined) };
  const feeds = new Feeds();
  const protocol = new SynthetixV3Perps({ name: 'snx', perpsMarket, fromBlock }, feeds, usd, executor);
  const follower = new ChainFollower(world.anvil.rpcUrl, world.multicall3, [protocol, feeds]);
  await follower.anchor();
  return { protocol, feeds, follower, usd };
}

export function mirrored({ follower, feeds }: Followed): Moment {
  return momentOf(follower.head, feeds);
}

/** So many seconds after the mirrored block, with what would be written by then. */
export function later(followed: Followed, seconds: number, pending?: ReadonlyMap<FeedId, FeedAnswer>): Moment {
  const { follower, feeds } = followed;
  const { number, timestamp } = follower.head;
  return {
    ...mirrored(followed),
    number: number + 1,
    timestamp: timestamp + seconds,
    answer: (feed) => pending?.get(feed) ?? feeds.answer(feed),
  };
}

/** Views at the latest block, one answer each; with a timestamp, as of a block that has it. */
export async function views(world: SynthetixWorld, calls: readonly ViewCall[], timestamp?: number): Promise<ViewAnswer[]> {
  const chunks: ViewCall[][] = [];
  for (let from = 0; from < calls.length; from += PER_CALL) chunks.push(calls.slice(from, from + PER_CALL));
  const overrides = timestamp === undefined ? [] : [{}, { time: `0x${timestamp.toString(16)}` }];
  const answers = await rpcBatch<Hex>(
    world.anvil.rpcUrl,
    chunks.map((chunk) => ({
      method: 'eth_call',
      params: [{ to: world.multicall3, data: encodeAggregate3(chunk), gas: '0x11e1a300' }, 'latest', ...overrides],
    })),
  );
  return chunks.flatMap((chunk, place) => decodeAggregate3(answers[place]!, chunk.length));
}

/** What of the state does not depend on the way it came about. */
export function figures({ protocol }: Pick<Followed, 'protocol'>) {
  const { accounts, markets, interest, head } = protocol.state;
  return {
    head: head.hash,
    interest: { ...interest },
    markets: [...markets.values()].map(({ id, funding, price }) => ({ id, ...funding, read: price.read })),
    accounts: accounts
      .filter(({ collateral, positions, debt }) => collateral.size > 0 || positions.size > 0 || debt > 0n)
      .map(({ id, collateral, positions, debt, flagged }) =>
        [
          ...[id, debt, flagged, ...[...collateral].sort().flat()],
          ...[...positions.values()]
            .map(({ market, size, price, funding, interest: from }) => [market.id, size, price, funding, from].join(' '))
            .sort(),
        ].join(),
      )
      .sort(),
  };
}

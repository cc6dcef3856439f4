/** Follows a fixture's market and the feeds that it needs. */
import type { Address } from '../../../src/lib/types.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import type { Moment } from '../../../src/oracles/types.ts';
import { AaveV3Market } from '../../../src/protocols/aave-v3/market.ts';
import { ChainFollower } from '../../support/chain-follower.ts';
import type { Scene } from './scene.ts';

export class Follower extends ChainFollower {
  readonly feeds: Feeds;
  readonly market: AaveV3Market;

  constructor(scene: Scene) {
    const { aave, multicall3 } = scene.market;
    const feeds = new Feeds();
    const poolAddressesProvider = aave.poolAddressesProvider.toLowerCase() as Address;
    const market = new AaveV3Market({ name: 'core', poolAddressesProvider, fromBlock: aave.fromBlock }, feeds);
    super(scene.anvil.rpcUrl, multicall3, [market, feeds]);
    this.feeds = feeds;
    this.market = market;
  }

  moment(): Moment {
    return momentOf(this.head, this.feeds);
  }
}

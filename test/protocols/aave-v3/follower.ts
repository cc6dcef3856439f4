/** Follows a fixture's market and the feeds that it needs. */
import type { Fixture } from '../../../scripts/devnet/fixture.ts';
import type { Address } from '../../../src/lib/types.ts';
import { Feeds } from '../../../src/oracles/feeds.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import type { Moment } from '../../../src/oracles/types.ts';
import { AaveV3Market } from '../../../src/protocols/aave-v3/market.ts';
import { ChainFollower } from '../../support/chain-follower.ts';

export class Follower extends ChainFollower {
  readonly feeds: Feeds;
  readonly market: AaveV3Market;

  constructor(fixture: Fixture) {
    const { aave, multicall3 } = fixture.market;
    const feeds = new Feeds();
    const poolAddressesProvider = aave.poolAddressesProvider.toLowerCase() as Address;
    const market = new AaveV3Market({ name: 'core', poolAddressesProvider, fromBlock: aave.fromBlock }, feeds);
    super(fixture.anvil.rpcUrl, multicall3, [market, feeds]);
    this.feeds = feeds;
    this.market = market;
  }

  moment(): Moment {
    return momentOf(this.head, this.feeds);
  }
}

import type { Family } from '../registry.ts';
import { AaveV3Flash } from './flash.ts';
import { AaveV3Market } from './market.ts';
import { marketPrices } from './prices.ts';
import { calls } from './reads.ts';

export type { AaveV3Deployment } from './market.ts';

/** Aave v3: each deployment is a market, and its pool lends. */
export const aaveV3: Family = {
  name: 'aave-v3',
  deployed: (book, feeds, usd) =>
    book['aave-v3'].map((deployment) => {
      const protocol = new AaveV3Market(deployment, feeds, usd);
      return { protocol, flashes: [new AaveV3Flash(protocol)] };
    }),
  contracts: (book) =>
    book['aave-v3'].map(({ name, poolAddressesProvider: address }) => ({
      what: `aave-v3/${name} poolAddressesProvider`,
      address,
      probe: calls.pool(address),
    })),
  prices: (book) =>
    book['aave-v3'].map(({ name, poolAddressesProvider }) => ({
      market: `aave-v3/${name}`,
      read: (block) => marketPrices(poolAddressesProvider, block),
    })),
};

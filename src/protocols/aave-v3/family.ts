import type { Family } from '../registry.ts';
import { builtIn } from './deployments.ts';
import { refusals } from './errors.ts';
import { AaveV3Flash } from './flash.ts';
import { AaveV3Market } from './market.ts';
import { marketPrices } from './prices.ts';

export type { AaveV3Deployment } from './market.ts';

/** Aave v3: each deployment is a market, and its pool lends. */
export const aaveV3: Family = {
  name: 'aave-v3',
  builtIn,
  refusals,
  deployed: (book, feeds, usd) =>
    book['aave-v3'].map((deployment) => {
      const protocol = new AaveV3Market(deployment, feeds, usd);
      return { protocol, flashes: [new AaveV3Flash(protocol)] };
    }),
  contracts: (book) =>
    book['aave-v3'].map(({ name, poolAddressesProvider: address }) => ({
      ...{ market: name, field: 'poolAddressesProvider', address },
      views: [
        { view: 'getPool()', answers: 'contract', whose: [{ view: 'ADDRESSES_PROVIDER()', answers: { is: address } }] },
        { view: 'getPriceOracle()', answers: 'contract', whose: [{ view: 'BASE_CURRENCY_UNIT()', answers: 1 }] },
        { view: 'getPoolConfigurator()', answers: 'contract' },
      ],
    })),
  prices: (book) =>
    book['aave-v3'].map(({ name, poolAddressesProvider }) => ({
      market: `aave-v3/${name}`,
      read: (block) => marketPrices(poolAddressesProvider, block),
    })),
};

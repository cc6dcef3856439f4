import type { Family } from '../registry.ts';
import { CompoundV3 } from './compound-v3.ts';
import { builtIn } from './deployments.ts';
import { refusals } from './errors.ts';
import { marketPrices } from './prices.ts';
import { NO_ADDRESS } from './state.ts';

export type { CometDeployment } from './compound-v3.ts';

/** Compound III: each deployment is a market of one base asset. It lends nothing within a transaction. */
export const compoundV3: Family = {
  name: 'compound-v3',
  builtIn,
  refusals,
  deployed: (book, feeds, usd) =>
    book['compound-v3'].map((deployment) => ({ protocol: new CompoundV3(deployment, feeds, usd), flashes: [] })),
  contracts: (book) =>
    book['compound-v3'].map(({ name, comet: address }) => ({
      ...{ market: name, field: 'comet', address },
      views: [
        { view: 'baseToken()', answers: 'address' },
        { view: 'baseTokenPriceFeed()', answers: 'address' },
        { view: 'totalsBasic()', answers: 8 },
        { view: 'userBasic(address)', args: [NO_ADDRESS], answers: 5 },
        { view: 'getAssetInfo(uint8)', args: [0n], answers: 8 },
        { view: 'getReserves()', answers: 1 },
        { view: 'isLiquidatable(address)', args: [NO_ADDRESS], answers: 'bool' },
      ],
    })),
  prices: (book) =>
    book['compound-v3'].map(({ name, comet }) => ({ market: `compound-v3/${name}`, read: (block) => marketPrices(comet, block) })),
};

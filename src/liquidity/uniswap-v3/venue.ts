import type { VenueKind } from '../registry.ts';
import { builtInUniswapV3 } from './deployments.ts';
import { UniswapV3Flash } from './flash.ts';
import { UniswapV3Pools } from './pools.ts';

export type { UniswapV3Deployment } from './deployments.ts';

export const uniswapV3: VenueKind = {
  name: 'uniswap-v3',
  builtIn: (chainId) => ({ 'uniswap-v3': builtInUniswapV3(chainId) }),
  deployed: (book) =>
    book['uniswap-v3'].map((deployment) => {
      const pools = new UniswapV3Pools(deployment);
      return { pools, flash: new UniswapV3Flash(pools) };
    }),
  contracts: (book) => book['uniswap-v3'].map(({ factory }) => ({ field: 'factory', address: factory, views: [] })),
};

import type { Address } from '../../lib/types.ts';
import type { VenueKind } from '../registry.ts';
import { UniswapV2Pairs } from './pairs.ts';

export type UniswapV2Deployment = { readonly factory: Address };

export const uniswapV2: VenueKind = {
  name: 'uniswap-v2',
  builtIn: () => ({}),
  deployed: (book) => book['uniswap-v2'].map(({ factory }) => ({ pools: new UniswapV2Pairs(factory) })),
  contracts: (book) => book['uniswap-v2'].map(({ factory }) => ({ field: 'factory', address: factory, views: [] })),
};

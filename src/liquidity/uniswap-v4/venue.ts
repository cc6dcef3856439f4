import type { VenueKind } from '../registry.ts';
import { builtInUniswapV4 } from './deployments.ts';
import { UniswapV4Pools } from './pools.ts';

export type { UniswapV4Deployment } from './deployments.ts';

export const uniswapV4: VenueKind = {
  name: 'uniswap-v4',
  builtIn: (chainId) => ({ 'uniswap-v4': builtInUniswapV4(chainId) }),
  deployed: (book) => book['uniswap-v4'].map((deployment) => ({ pools: new UniswapV4Pools(deployment, book.wrappedNative) })),
  contracts: (book) => book['uniswap-v4'].map(({ poolManager }) => ({ field: 'poolManager', address: poolManager, views: VIEWS })),
};

/** Storage is read by the one, what is owed within a transaction by the other. */
const VIEWS = ['extsload(bytes32)', 'exttload(bytes32)'].map((view) => ({ view, args: [0n], answers: 1 }));

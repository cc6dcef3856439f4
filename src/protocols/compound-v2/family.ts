import type { Family } from '../registry.ts';
import { CompoundV2 } from './compound-v2.ts';
import { builtIn } from './deployments.ts';
import { refusals } from './errors.ts';
import { NO_ADDRESS } from './state.ts';

export type { CompoundV2Deployment } from './compound-v2.ts';

/** Compound v2 and what was made of it: a comptroller with its markets. Its flash loans are for those whom governance names. */
export const compoundV2: Family = {
  name: 'compound-v2',
  builtIn,
  refusals,
  deployed: (book, feeds) =>
    book['compound-v2'].map((deployment) => ({ protocol: new CompoundV2(deployment, book.wrappedNative, feeds), flashes: [] })),
  contracts: (book) =>
    book['compound-v2'].map(({ name, comptroller: address }) => ({
      ...{ market: name, field: 'comptroller', address },
      views: [
        { view: 'closeFactorMantissa()', answers: 1 },
        { view: 'getAccountLiquidity(address)', args: [NO_ADDRESS], answers: 3 },
        { view: 'oracle()', answers: 'contract' },
        { view: 'getAllMarkets()', answers: 'contracts' },
      ],
    })),
};

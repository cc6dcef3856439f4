import type { Family } from '../registry.ts';
import { MorphoBlueFlash } from './flash.ts';
import { MorphoBlue } from './morpho-blue.ts';
import { calls } from './reads.ts';

export type { BadDebt } from './liquidation.ts';
export type { MorphoBlueDeployment } from './morpho-blue.ts';

/** Morpho Blue: one contract holds every market, and lends what it holds for nothing. */
export const morphoBlue: Family = {
  name: 'morpho-blue',
  deployed: (book, feeds, usd, { morphoBadDebt }) =>
    book['morpho-blue'].map((deployment) => {
      const protocol = new MorphoBlue(deployment, feeds, usd, morphoBadDebt);
      return { protocol, flashes: [new MorphoBlueFlash(protocol)] };
    }),
  contracts: (book) =>
    book['morpho-blue'].map(({ name, morpho: address }) => ({
      what: `morpho-blue/${name} morpho`,
      address,
      probe: calls.feeRecipient(address),
    })),
};

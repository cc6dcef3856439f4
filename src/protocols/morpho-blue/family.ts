import type { Family } from '../registry.ts';
import { builtIn } from './deployments.ts';
import { MorphoBlueFlash } from './flash.ts';
import { MorphoBlue } from './morpho-blue.ts';
import { NO_ADDRESS } from './state.ts';

export type { BadDebt } from './liquidation.ts';
export type { MorphoBlueDeployment } from './morpho-blue.ts';

/** Morpho Blue: one contract holds every market, and lends what it holds for nothing. */
export const morphoBlue: Family = {
  name: 'morpho-blue',
  builtIn,
  /** Texts, which need no names. */
  refusals: { errors: [] },
  deployed: (book, feeds, usd, { morphoBadDebt }) =>
    book['morpho-blue'].map((deployment) => {
      const protocol = new MorphoBlue(deployment, feeds, usd, morphoBadDebt);
      return { protocol, flashes: [new MorphoBlueFlash(protocol)] };
    }),
  contracts: (book) =>
    book['morpho-blue'].map(({ name, morpho: address }) => ({
      ...{ market: name, field: 'morpho', address },
      views: [
        { view: 'feeRecipient()', answers: 'address' },
        { view: 'isIrmEnabled(address)', args: [NO_ADDRESS], answers: 'bool' },
        { view: 'market(bytes32)', args: [0n], answers: 6 },
        { view: 'position(bytes32,address)', args: [0n, NO_ADDRESS], answers: 3 },
      ],
    })),
};

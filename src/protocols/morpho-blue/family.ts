import type { Address } from '../../lib/types.ts';
import type { Family } from '../registry.ts';
import type { ExpectedView, ToldContract } from '../told.ts';
import { builtIn } from './deployments.ts';
import { MorphoBlueFlash } from './flash.ts';
import { MorphoBlue } from './morpho-blue.ts';
import { PRE_LIQUIDATION_ERRORS } from './pre-liquidation.ts';
import { NO_ADDRESS } from './state.ts';

export type { BadDebt } from './liquidation.ts';
export type { MorphoBlueDeployment } from './morpho-blue.ts';

const MORPHO_VIEWS: readonly ExpectedView[] = [
  { view: 'feeRecipient()', answers: 'address' },
  { view: 'isIrmEnabled(address)', args: [NO_ADDRESS], answers: 'bool' },
  { view: 'market(bytes32)', args: [0n], answers: 6 },
  { view: 'position(bytes32,address)', args: [0n, NO_ADDRESS], answers: 3 },
];

const factoryViews = (morpho: Address): readonly ExpectedView[] => [
  { view: 'MORPHO()', answers: { is: morpho } },
  { view: 'isPreLiquidation(address)', args: [NO_ADDRESS], answers: 'bool' },
];

/** Morpho Blue: one contract holds every market, and lends what it holds for nothing. */
export const morphoBlue: Family = {
  name: 'morpho-blue',
  builtIn,
  /** Morpho's own are texts, which need no names. */
  refusals: { errors: PRE_LIQUIDATION_ERRORS },
  deployed: (book, feeds, usd, { morphoBadDebt }) =>
    book['morpho-blue'].map((deployment) => {
      const protocol = new MorphoBlue(deployment, feeds, usd, morphoBadDebt);
      return { protocol, flashes: [new MorphoBlueFlash(protocol)] };
    }),
  contracts: (book) =>
    book['morpho-blue'].flatMap(({ name, morpho, preLiquidationFactory: factory }): ToldContract[] => [
      { market: name, field: 'morpho', address: morpho, views: MORPHO_VIEWS },
      ...(factory === undefined ? [] : [{ market: name, field: 'preLiquidationFactory', address: factory, views: factoryViews(morpho) }]),
    ]),
};

import type { Family } from '../registry.ts';
import { mostOpen } from './interest.ts';
import { SynthetixV3Perps } from './synthetix-v3-perps.ts';

export type { SynthetixDeployment } from './synthetix-v3-perps.ts';

/** Synthetix v3 perps: accounts are flagged and liquidated for a reward in snxUSD. */
export const synthetixV3Perps: Family = {
  name: 'synthetix-v3-perps',
  /** Known from a DEPLOYMENTS_FILE alone. */
  builtIn: () => ({}),
  refusals: {
    errors: [
      'NotEligibleForLiquidation(uint128 accountId)',
      'NotEligibleForMarginLiquidation(uint128 accountId)',
      'AccountHasOpenPositions(uint128 accountId)',
      'FeatureUnavailable(bytes32 which)',
      'OracleDataRequired(address oracleContract, bytes oracleQuery)',
      'StalenessToleranceExceeded(bytes32 parentId, int256 price, uint256 staleTimestamp)',
    ],
  },
  deployed: (book, feeds, usd, { perpExecutor }) =>
    book['synthetix-v3-perps'].map((deployment) => ({
      protocol: new SynthetixV3Perps(deployment, feeds, usd, perpExecutor),
      flashes: [],
    })),
  interest: (book) =>
    book['synthetix-v3-perps'].map(({ name, perpsMarket }) => ({
      market: `synthetix-v3-perps/${name}`,
      mostOpen: () => mostOpen(perpsMarket),
    })),
  contracts: (book) =>
    book['synthetix-v3-perps'].map(({ name: market, perpsMarket: address }) => ({
      ...{ market, field: 'perpsMarket', address },
      views: [
        { view: 'getKeeperRewardGuards()', answers: 4 },
        { view: 'getKeeperCostNodeId()', answers: 1 },
        { view: 'utilizationRate()', answers: 3 },
      ],
    })),
};

import type { Address } from '../../lib/types.ts';
import { addressOf, uintOf, viewCall } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import type { Family } from '../registry.ts';
import { PerpV2 } from './perp-v2.ts';
import { calls } from './reads.ts';

export type { PerpV2Deployment } from './perp-v2.ts';

/** Perp v2 (curie): positions are taken over at the mark price against margin in the vault, and closed at the market's own pool. */
export const perpV2: Family = {
  name: 'perp-v2',
  /** Known from a DEPLOYMENTS_FILE alone. */
  builtIn: () => ({}),
  /** Texts, which need no names. */
  refusals: { errors: [] },
  deployed: (book, feeds, usd, { perpExecutor }) =>
    book['perp-v2'].map((deployment) => {
      const protocol = new PerpV2(deployment, feeds, usd, perpExecutor);
      return { protocol, flashes: [], exchanges: [protocol.exchange] };
    }),
  interest: (book) =>
    book['perp-v2'].map(({ name, vault, clearingHouseConfig }) => ({
      market: `perp-v2/${name}`,
      mostOpen: () => mostOpen(vault, clearingHouseConfig),
    })),
  contracts: (book) =>
    book['perp-v2'].flatMap(({ name: market, clearingHouse, vault, accountBalance, clearingHouseConfig, marketRegistry }) => [
      {
        ...{ market, field: 'clearingHouse', address: clearingHouse },
        views: [
          { view: 'getVault()', answers: { is: vault } },
          { view: 'getAccountBalance()', answers: { is: accountBalance } },
          { view: 'getClearingHouseConfig()', answers: { is: clearingHouseConfig } },
          { view: 'getExchange()', answers: 'contract', whose: [{ view: 'getOrderBook()', answers: 'contract' }] },
          { view: 'getInsuranceFund()', answers: 'contract', whose: [{ view: 'getInsuranceFundCapacity()', answers: 1 }] },
        ],
      },
      {
        ...{ market, field: 'vault', address: vault },
        views: [
          { view: 'getSettlementToken()', answers: 'contract' },
          { view: 'getCollateralManager()', answers: 'contract' },
        ],
      },
      { ...{ market, field: 'accountBalance', address: accountBalance }, views: [{ view: 'getVault()', answers: { is: vault } }] },
      { ...{ market, field: 'clearingHouseConfig', address: clearingHouseConfig }, views: [{ view: 'getMarkPriceConfig()', answers: 2 }] },
      { ...{ market, field: 'marketRegistry', address: marketRegistry }, views: [{ view: 'getQuoteToken()', answers: 'contract' }] },
    ]),
};

const balanceOf = viewCall('function balanceOf(address)');
const PIPS = 1_000_000n;

/** Every position has to be opened with margin in the vault, so what that holds says how much can be open. Collateral beside the settlement token is left out. */
function* mostOpen(vault: Address, config: Address): Reading<bigint> {
  const [settlement, ratio] = yield [calls.settlementToken(vault), calls.imRatio(config)];
  const [token, imPips] = [addressOf(settlement), uintOf(ratio)];
  if (token === undefined || imPips === undefined || imPips === 0n) throw new MirrorError(`${vault} does not answer as a Vault`);
  const [held, decimals] = yield [balanceOf(token, vault), calls.decimals(token)];
  return ((uintOf(held) ?? 0n) * PIPS) / imPips / 10n ** (uintOf(decimals) ?? 0n);
}

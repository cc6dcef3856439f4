/** The calls that tell what logs do not, and what their answers mean. Used at the anchor, and for whatever a block left unread. */
import type { Address, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { addressOf, uintOf, viewCall } from '../../lib/words.ts';
import { MirrorError } from '../../mirror/types.ts';
import { decodeReserveConfig, decodeUserConfig, type ReserveConfig } from './config.ts';
import type { FixedDebt, Indexes } from './interest.ts';
import type { Reserve } from './state.ts';

export const calls = {
  // PoolAddressesProvider
  pool: viewCall('function getPool()'),
  configurator: viewCall('function getPoolConfigurator()'),
  oracle: viewCall('function getPriceOracle()'),
  sentinel: viewCall('function getPriceOracleSentinel()'),
  // Pool
  revision: viewCall('function POOL_REVISION()'),
  reservesList: viewCall('function getReservesList()'),
  flashPremium: viewCall('function FLASHLOAN_PREMIUM_TOTAL()'),
  reserveData: viewCall('function getReserveData(address)'),
  virtualBalance: viewCall('function getVirtualUnderlyingBalance(address)'),
  gracePeriod: viewCall('function getLiquidationGracePeriod(address)'),
  userConfig: viewCall('function getUserConfiguration(address)'),
  userEMode: viewCall('function getUserEMode(address)'),
  userAccountData: viewCall('function getUserAccountData(address)'),
  modeData: viewCall('function getEModeCategoryData(uint8)'),
  modeConfig: viewCall('function getEModeCategoryCollateralConfig(uint8)'),
  modeBitmap: viewCall('function getEModeCategoryCollateralBitmap(uint8)'),
  normalizedIncome: viewCall('function getReserveNormalizedIncome(address)'),
  normalizedDebt: viewCall('function getReserveNormalizedVariableDebt(address)'),
  // AaveOracle
  assetPrice: viewCall('function getAssetPrice(address)'),
  // tokens
  scaledBalance: viewCall('function scaledBalanceOf(address)'),
  balance: viewCall('function balanceOf(address)'),
  fixedPrincipal: viewCall('function principalBalanceOf(address)'),
  fixedRate: viewCall('function getUserStableRate(address)'),
  fixedSince: viewCall('function getUserLastUpdated(address)'),
  symbol: viewCall('function symbol()'),
  // PriceOracleSentinel
  liquidationAllowed: viewCall('function isLiquidationAllowed()'),
};

export function mustUint(answer: ViewAnswer | undefined, what: string, index = 0): bigint {
  const word = uintOf(answer, index);
  if (word === undefined) throw new MirrorError(`${what} does not answer`);
  return word;
}

export function mustAddress(answer: ViewAnswer | undefined, what: string, index = 0): Address {
  const address = addressOf(answer, index);
  if (address === undefined) throw new MirrorError(`${what} does not answer with an address`);
  return address;
}

/** What a reserve is, and what of it changes with its own transactions. */
export type ReserveRead = {
  readonly id: number;
  readonly aToken: Address;
  readonly fixedDebtToken: Address;
  readonly debtToken: Address;
  readonly config: ReserveConfig;
  readonly indexes: Indexes;
};

/** Pool.getReserveData answers DataTypes.ReserveDataLegacy (ReserveData before 3.1): fifteen words, in every release the same. */
export function readReserve(asset: Address, data: ViewAnswer | undefined): ReserveRead {
  const what = `reserve ${asset}`;
  const word = (index: number) => mustUint(data, what, index);
  return {
    config: decodeReserveConfig(word(0)),
    indexes: {
      liquidityIndexRay: word(1),
      liquidityRateRay: word(2),
      borrowIndexRay: word(3),
      borrowRateRay: word(4),
      updatedAt: Number(word(6)),
    },
    id: Number(word(7)),
    aToken: mustAddress(data, what, 8),
    fixedDebtToken: mustAddress(data, what, 9),
    debtToken: mustAddress(data, what, 10),
  };
}

/** The end of a reserve's grace period; 0 where the release has none. */
export function readGrace(asset: Address, [grace]: readonly ViewAnswer[]): number {
  return grace === undefined ? 0 : Number(mustUint(grace, `reserve ${asset}`));
}

/** Nothing to ask where the release has no such debts. */
export function fixedDebtCalls({ fixedDebtToken }: Reserve, account: Address): readonly ViewCall[] {
  if (fixedDebtToken === undefined) return [];
  return [calls.fixedPrincipal, calls.fixedRate, calls.fixedSince].map((call) => call(fixedDebtToken, account));
}

/** Undefined when nothing is owed. */
export function readFixedDebt(account: Address, answers: readonly ViewAnswer[]): FixedDebt | undefined {
  if (answers.length === 0) return undefined;
  const [principalRaw, rateRay, updatedAt] = answers.map((answer) => mustUint(answer, `fixed debt of ${account}`));
  return principalRaw === 0n ? undefined : { principalRaw: principalRaw!, rateRay: rateRay!, updatedAt: Number(updatedAt) };
}

export function accountCalls(pool: Address, account: Address): readonly ViewCall[] {
  return [calls.userConfig(pool, account), calls.userEMode(pool, account)];
}

export function readAccount(account: Address, [config, eMode]: readonly ViewAnswer[]) {
  const what = `account ${account}`;
  return { ...decodeUserConfig(mustUint(config, what)), eMode: Number(mustUint(eMode, what)) };
}

/** The answers of one batch by the askers whose calls it was made of. */
export function shareOut(answers: readonly ViewAnswer[], asked: readonly (readonly ViewCall[])[]): readonly ViewAnswer[][] {
  let from = 0;
  return asked.map(({ length }) => {
    from += length;
    return answers.slice(from - length, from);
  });
}

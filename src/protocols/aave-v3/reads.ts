/** The calls that tell what logs do not, and what their answers mean. Used at the anchor, and for whatever a block left unread. */
import type { Address, ViewAnswer, ViewCall } from '../../lib/types.ts';
import { addressOf, uintOf, viewCall } from '../../lib/words.ts';
import { MirrorError } from '../../mirror/types.ts';
import { decodeReserveConfig, decodeUserConfig, type ReserveConfig } from './config.ts';
import type { Indexes } from './interest.ts';
import type { EModeCategory } from './state.ts';

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
  modeConfig: viewCall('function getEModeCategoryCollateralConfig(uint8)'),
  modeBitmap: viewCall('function getEModeCategoryCollateralBitmap(uint8)'),
  normalizedIncome: viewCall('function getReserveNormalizedIncome(address)'),
  normalizedDebt: viewCall('function getReserveNormalizedVariableDebt(address)'),
  // AaveOracle
  assetPrice: viewCall('function getAssetPrice(address)'),
  // tokens
  scaledBalance: viewCall('function scaledBalanceOf(address)'),
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

/** What changes of a reserve, and the identity that does not. */
export type ReserveRead = {
  readonly id: number;
  readonly aToken: Address;
  readonly debtToken: Address;
  readonly config: ReserveConfig;
  readonly indexes: Indexes;
  readonly virtualBalanceRaw: bigint;
  readonly graceUntil: number;
};

export function reserveCalls(pool: Address, asset: Address): readonly ViewCall[] {
  return [calls.reserveData(pool, asset), calls.virtualBalance(pool, asset), calls.gracePeriod(pool, asset)];
}

/** Pool.getReserveData answers DataTypes.ReserveDataLegacy: fifteen words. */
export function readReserve(asset: Address, [data, virtualBalance, grace]: readonly ViewAnswer[]): ReserveRead {
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
    debtToken: mustAddress(data, what, 10),
    virtualBalanceRaw: mustUint(virtualBalance, what),
    graceUntil: Number(mustUint(grace, what)),
  };
}

export function modeCalls(pool: Address, id: number): readonly ViewCall[] {
  return [calls.modeConfig(pool, id), calls.modeBitmap(pool, id)];
}

/** Pool.getEModeCategoryCollateralConfig answers (ltv, liquidationThreshold, liquidationBonus). */
export function readMode(id: number, [config, bitmap]: readonly ViewAnswer[]): EModeCategory {
  const what = `efficiency mode ${id}`;
  return {
    id,
    liquidationThresholdBps: mustUint(config, what, 1),
    liquidationBonusBps: mustUint(config, what, 2),
    collateralBitmap: mustUint(bitmap, what),
  };
}

export function accountCalls(pool: Address, account: Address): readonly ViewCall[] {
  return [calls.userConfig(pool, account), calls.userEMode(pool, account)];
}

export function readAccount(account: Address, [config, eMode]: readonly ViewAnswer[]) {
  const what = `account ${account}`;
  return { ...decodeUserConfig(mustUint(config, what)), eMode: Number(mustUint(eMode, what)) };
}

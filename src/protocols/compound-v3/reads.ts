/** The calls that tell what logs do not, and what their answers mean. */
import type { Address, ViewAnswer } from '../../lib/types.ts';
import { addressOf, intOf, uintOf, viewCall } from '../../lib/words.ts';
import type { Account, Held, Totals } from './state.ts';

export const calls = {
  // Comet
  baseToken: viewCall('function baseToken()'),
  baseTokenPriceFeed: viewCall('function baseTokenPriceFeed()'),
  baseScale: viewCall('function baseScale()'),
  supplyKink: viewCall('function supplyKink()'),
  supplySlopeLow: viewCall('function supplyPerSecondInterestRateSlopeLow()'),
  supplySlopeHigh: viewCall('function supplyPerSecondInterestRateSlopeHigh()'),
  supplyBase: viewCall('function supplyPerSecondInterestRateBase()'),
  borrowKink: viewCall('function borrowKink()'),
  borrowSlopeLow: viewCall('function borrowPerSecondInterestRateSlopeLow()'),
  borrowSlopeHigh: viewCall('function borrowPerSecondInterestRateSlopeHigh()'),
  borrowBase: viewCall('function borrowPerSecondInterestRateBase()'),
  storeFrontPriceFactor: viewCall('function storeFrontPriceFactor()'),
  targetReserves: viewCall('function targetReserves()'),
  numAssets: viewCall('function numAssets()'),
  assetInfo: viewCall('function getAssetInfo(uint8)'),
  totalsBasic: viewCall('function totalsBasic()'),
  totalsCollateral: viewCall('function totalsCollateral(address)'),
  userBasic: viewCall('function userBasic(address)'),
  userCollateral: viewCall('function userCollateral(address,address)'),
  price: viewCall('function getPrice(address)'),
  // what the audit asks
  borrowBalance: viewCall('function borrowBalanceOf(address)'),
  isLiquidatable: viewCall('function isLiquidatable(address)'),
  reserves: viewCall('function getReserves()'),
  collateralReserves: viewCall('function getCollateralReserves(address)'),
  quote: viewCall('function quoteCollateral(address,uint256)'),
  // tokens
  symbol: viewCall('function symbol()'),
  decimals: viewCall('function decimals()'),
  balanceOf: viewCall('function balanceOf(address)'),
};

/** CometCore.PAUSE_ABSORB_OFFSET and PAUSE_BUY_OFFSET. */
const ABSORB_PAUSED = 1n << 3n;
const BUY_PAUSED = 1n << 4n;
/** CometStorage.UserBasic: `assetsIn` has 16 bits, `_reserved` the next eight. */
const ASSETS_IN_BITS = 16;

/** `totalsBasic()`; its tracking indices, for rewards, are passed over. */
export function readTotals(answer: ViewAnswer | undefined): Totals | undefined {
  const [supplyIndex, borrowIndex, , , supplied, borrowed, accrued, flags] = Array.from({ length: 8 }, (_, i) => uintOf(answer, i));
  if (supplyIndex === undefined || supplyIndex === 0n || borrowIndex === undefined || borrowIndex === 0n || flags === undefined)
    return undefined;
  return {
    ...{ baseSupplyIndex: supplyIndex, baseBorrowIndex: borrowIndex, totalSupplyBase: supplied!, totalBorrowBase: borrowed! },
    ...{ lastAccrualTime: Number(accrued!), absorbPaused: (flags & ABSORB_PAUSED) !== 0n, buyPaused: (flags & BUY_PAUSED) !== 0n },
  };
}

/** `userBasic(account)` answers principal, two words for rewards, and the bits of its assets. */
export function readUser(answer: ViewAnswer | undefined): Pick<Account, 'principal' | 'assetsIn'> | undefined {
  const [principal, low, high] = [intOf(answer, 0), uintOf(answer, 3), uintOf(answer, 4)];
  if (principal === undefined || low === undefined || high === undefined) return undefined;
  return { principal, assetsIn: Number(low & 0xffffn) | (Number(high & 0xffn) << ASSETS_IN_BITS) };
}

/** `totalsCollateral(asset)` and the asset's `balanceOf(comet)`. */
export function readHeld(totals: ViewAnswer | undefined, balance: ViewAnswer | undefined): Held | undefined {
  const [suppliedRaw, balanceRaw] = [uintOf(totals), uintOf(balance)];
  return suppliedRaw === undefined || balanceRaw === undefined ? undefined : { suppliedRaw, balanceRaw };
}

/** `getAssetInfo(i)`: offset, asset, price feed, scale, three factors, supply cap. */
export function readAsset(answer: ViewAnswer | undefined) {
  const [address, priceFeed] = [addressOf(answer, 1), addressOf(answer, 2)] as const;
  const [scale, liquidateCollateralFactor, liquidationFactor] = [uintOf(answer, 3), uintOf(answer, 5), uintOf(answer, 6)];
  if (address === undefined || priceFeed === undefined || scale === undefined || scale === 0n) return undefined;
  if (liquidateCollateralFactor === undefined || liquidationFactor === undefined) return undefined;
  return { address, priceFeed, scale, liquidateCollateralFactor, liquidationFactor };
}

/** Both are asked for what Comet has. */
export function heldCalls(comet: Address, asset: Address) {
  return [calls.totalsCollateral(comet, asset), calls.balanceOf(asset, comet)];
}

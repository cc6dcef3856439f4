/** The calls that tell what logs do not, and the storage where no view does. */
import { encodeAbiParameters, keccak256, numberToHex } from 'viem';
import type { Address, ViewCall } from '../../lib/types.ts';
import { viewCall } from '../../lib/words.ts';

export const calls = {
  // ClearingHouse
  vaultOf: viewCall('function getVault()'),
  exchange: viewCall('function getExchange()'),
  orderBook: viewCall('function getOrderBook()'),
  insuranceFund: viewCall('function getInsuranceFund()'),
  quote: viewCall('function getQuoteToken()'),
  accountValue: viewCall('function getAccountValue(address)'),
  // ClearingHouseConfig
  imRatio: viewCall('function getImRatio()'),
  mmRatio: viewCall('function getMmRatio()'),
  penaltyRatio: viewCall('function getLiquidationPenaltyRatio()'),
  maxFundingRate: viewCall('function getMaxFundingRate()'),
  twapInterval: viewCall('function getTwapInterval()'),
  markPriceConfig: viewCall('function getMarkPriceConfig()'),
  // Vault, InsuranceFund, CollateralManager
  settlementToken: viewCall('function getSettlementToken()'),
  collateralManager: viewCall('function getCollateralManager()'),
  balance: viewCall('function getBalance(address)'),
  collateralTokens: viewCall('function getCollateralTokens(address)'),
  balanceByToken: viewCall('function getBalanceByToken(address,address)'),
  capacity: viewCall('function getInsuranceFundCapacity()'),
  collateralConfig: viewCall('function getCollateralConfig(address)'),
  collateralPrice: viewCall('function getPrice(address,uint256)'),
  collateralPriceDecimals: viewCall('function getPriceFeedDecimals(address)'),
  mmRatioBuffer: viewCall('function getMmRatioBuffer()'),
  debtRatio: viewCall('function getDebtNonSettlementTokenValueRatio()'),
  liquidationRatio: viewCall('function getLiquidationRatio()'),
  fundFeeRatio: viewCall('function getCLInsuranceFundFeeRatio()'),
  debtThreshold: viewCall('function getDebtThreshold()'),
  collateralDust: viewCall('function getCollateralValueDust()'),
  // AccountBalance
  baseTokens: viewCall('function getBaseTokens(address)'),
  accountInfo: viewCall('function getAccountInfo(address,address)'),
  pnl: viewCall('function getPnlAndPendingFee(address)'),
  requirement: viewCall('function getMarginRequirementForLiquidation(address)'),
  markPrice: viewCall('function getMarkPrice(address)'),
  // MarketRegistry, Exchange, OrderBook
  marketInfo: viewCall('function getMarketInfoByTrader(address,address)'),
  maxTickCrossed: viewCall('function getMaxTickCrossedWithinBlock(address)'),
  openOrderIds: viewCall('function getOpenOrderIds(address,address)'),
  openOrder: viewCall('function getOpenOrderById(bytes32)'),
  // Executor
  meters: viewCall('function meters(address)'),
  lossAllowance: viewCall('function lossAllowance(address)'),
  // tokens
  isOpen: viewCall('function isOpen()'),
  indexPrice: viewCall('function getIndexPrice(uint256)'),
  symbol: viewCall('function symbol()'),
  decimals: viewCall('function decimals()'),
};

/** Vault._COLLATERAL_TWAP_INTERVAL. */
export const COLLATERAL_TWAP_SECONDS = 900;

/** The first slots of Exchange's mappings by base token (ExchangeStorageV2, behind the gaps of what it inherits). No view tells what they hold. */
const EXCHANGE_SLOTS = { lastTick: 208, firstTradedAt: 209, lastSettledAt: 210, growth: 211, lastTickAt: 214 } as const;

/** In the order of `EXCHANGE_SLOTS`. */
export function exchangeWords(exchange: Address, base: Address): readonly ViewCall[] {
  return Object.values(EXCHANGE_SLOTS).map((slot) => {
    const place = keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [base, BigInt(slot)]));
    return { to: exchange, data: numberToHex(BigInt(place), { size: 32 }), storage: true };
  });
}

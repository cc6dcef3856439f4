/** The calls that tell what logs do not. A fork leaves out what it does not know of: such a call fails, and that is an answer. */
import type { ViewAnswer } from '../../lib/types.ts';
import { uintOf, viewCall } from '../../lib/words.ts';
import type { Terms, Words } from './state.ts';

export const calls = {
  // comptroller
  oracle: viewCall('function oracle()'),
  allMarkets: viewCall('function getAllMarkets()'),
  closeFactor: viewCall('function closeFactorMantissa()'),
  incentive: viewCall('function liquidationIncentiveMantissa()'),
  terms: viewCall('function markets(address)'),
  assetsIn: viewCall('function getAssetsIn(address)'),
  liquidity: viewCall('function getAccountLiquidity(address)'),
  deprecated: viewCall('function isDeprecated(address)'),
  seizePaused: viewCall('function seizeGuardianPaused()'),
  // comptroller: Venus
  paused: viewCall('function protocolPaused()'),
  actionPaused: viewCall('function actionPaused(address,uint8)'),
  redeemFee: viewCall('function treasuryPercent()'),
  gate: viewCall('function liquidatorContract()'),
  forced: viewCall('function isForcedLiquidationEnabled(address)'),
  lastPool: viewCall('function lastPoolId()'),
  pool: viewCall('function pools(uint96)'),
  poolTerms: viewCall('function poolMarkets(uint96,address)'),
  poolOf: viewCall('function userPoolId(address)'),
  vaiController: viewCall('function vaiController()'),
  mintedVai: viewCall('function mintedVAIs(address)'),
  // markets
  underlying: viewCall('function underlying()'),
  symbol: viewCall('function symbol()'),
  decimals: viewCall('function decimals()'),
  initialRate: viewCall('function initialExchangeRateMantissa()'),
  seizeShare: viewCall('function protocolSeizeShareMantissa()'),
  reserveDelay: viewCall('function reduceReservesBlockDelta()'),
  borrowIndex: viewCall('function borrowIndex()'),
  totalBorrows: viewCall('function totalBorrows()'),
  totalReserves: viewCall('function totalReserves()'),
  totalSupply: viewCall('function totalSupply()'),
  reserveFactor: viewCall('function reserveFactorMantissa()'),
  accrualBlock: viewCall('function accrualBlockNumber()'),
  accrualTimestamp: viewCall('function accrualBlockTimestamp()'),
  ratePerBlock: viewCall('function borrowRatePerBlock()'),
  ratePerTimestamp: viewCall('function borrowRatePerTimestamp()'),
  cash: viewCall('function getCash()'),
  exchangeRate: viewCall('function exchangeRateStored()'),
  snapshot: viewCall('function getAccountSnapshot(address)'),
  // oracle
  price: viewCall('function getUnderlyingPrice(address)'),
  // Venus' liquidator contract
  treasuryShare: viewCall('function treasuryPercentMantissa()'),
  vaiFirst: viewCall('function forceVAILiquidate()'),
  leastVai: viewCall('function minLiquidatableVAI()'),
  // VAIController
  vaiIndex: viewCall('function vaiMintIndex()'),
  vaiRate: viewCall('function getVAIRepayRatePerBlock()'),
  accrueVai: viewCall('function accrueVAIInterest()'),
  vaiMinterIndex: viewCall('function getVAIMinterInterestIndex(address)'),
  pastVaiInterest: viewCall('function pastVAIInterest(address)'),
};

/** ComptrollerInterface.Action of Venus. */
export const ACTIONS = { redeem: 1, repay: 3, seize: 4, liquidate: 5, transfer: 6 } as const;

/** Undefined where any of them is missing. `clock` is the answer of the one of two that the market has. */
export function wordsOf(answers: readonly ViewAnswer[]): Words | undefined {
  const [borrowIndex, totalBorrows, totalReserves, totalSupply, reserveFactorWad, accruedAt] = answers.map((answer) => uintOf(answer));
  if (borrowIndex === undefined || totalBorrows === undefined || totalReserves === undefined || totalSupply === undefined) return undefined;
  if (reserveFactorWad === undefined || accruedAt === undefined) return undefined;
  return { borrowIndex, totalBorrows, totalReserves, totalSupply, reserveFactorWad, accruedAt };
}

/**
 * `markets(address)` and `poolMarkets(uint96,address)`: listed, collateral factor, and with Venus' newer comptroller the threshold and the incentive of the
 * market as the fourth and fifth word. Elsewhere positions are liquidated from the collateral factor on, at one incentive for all.
 */
export function readTerms(answer: ViewAnswer | undefined, incentiveWad: bigint | undefined): Terms | undefined {
  const [listed, factorWad, , thresholdWad, ownIncentiveWad] = Array.from({ length: 5 }, (_, place) => uintOf(answer, place));
  const incentive = ownIncentiveWad ?? incentiveWad;
  if (listed === undefined || factorWad === undefined || incentive === undefined) return undefined;
  return { listed: listed !== 0n, thresholdWad: thresholdWad ?? factorWad, incentiveWad: incentive };
}

/** CToken.getAccountSnapshot: error, market tokens, debt, exchange rate. */
export function readSnapshot(answer: ViewAnswer | undefined): { readonly tokens: bigint; readonly owedRaw: bigint } | undefined {
  const [error, tokens, owedRaw] = [uintOf(answer, 0), uintOf(answer, 1), uintOf(answer, 2)];
  return error !== 0n || tokens === undefined || owedRaw === undefined ? undefined : { tokens, owedRaw };
}

/** A market's averages and the growth of its funding premium: Exchange._getFundingGrowthGlobalAndTwaps, for markets that are open. */
import { sqrtPriceAtTick } from '../../liquidity/concentrated/tick-math.ts';
import type { Moment } from '../../oracles/types.ts';
import { mulPipsToZero, priceX96Of, x96OfWad } from './math.ts';
import type { PerpMarket, Rules } from './state.ts';

/** UniswapV3Broker.getSqrtMarketTwapX96: shorter averages are the current price. */
const SHORTEST_AVERAGE_SECONDS = 10;

/** The square root of the pool's average price over the last so many seconds; undefined where the pool does not remember so long. */
export function sqrtTwapX96(market: PerpMarket, timestamp: number, seconds: number): bigint | undefined {
  if (seconds < SHORTEST_AVERAGE_SECONDS) return market.pool.curve.sqrtPriceX96;
  const { observations, pool } = market;
  const [from, to] = [observations.cumulativeAt(timestamp - seconds, pool.tick), observations.cumulativeAt(timestamp, pool.tick)];
  if (from === undefined || to === undefined) return undefined;
  return sqrtPriceAtTick(Math.trunc((to - from) / seconds));
}

/** Over how long the funding premium is averaged: less than usual for a market whose first trade is not as long ago. */
function fundingSeconds({ firstTradedAt }: PerpMarket, { twapSeconds }: Rules, timestamp: number): number {
  return firstTradedAt === 0 ? 0 : Math.min(twapSeconds, timestamp - firstTradedAt);
}

/** The average market price that a settlement at this time is made with. */
export function settledTwapX96(market: PerpMarket, rules: Rules, timestamp: number): bigint | undefined {
  const sqrt = sqrtTwapX96(market, timestamp, fundingSeconds(market, rules, timestamp));
  return sqrt === undefined ? undefined : priceX96Of(sqrt);
}

export type Averages = { readonly twapX96: bigint; readonly indexTwapWad: bigint; readonly timestamp: number };

/** The premium's growth, settled at a time with these averages. */
export function premiumGrowthX96(
  { growthX96, lastSettledAt }: PerpMarket,
  rules: Rules,
  { twapX96, indexTwapWad, timestamp }: Averages,
): bigint {
  if (timestamp === lastSettledAt || lastSettledAt === 0) return growthX96;
  return growthX96 + cappedPremiumX96(twapX96, x96OfWad(indexTwapWad), rules) * BigInt(timestamp - lastSettledAt);
}

/** Exchange._getDeltaTwapX96. */
function cappedPremiumX96(twapX96: bigint, indexX96: bigint, { maxFundingPips }: Rules): bigint {
  const most = mulPipsToZero(indexX96, maxFundingPips);
  const premium = twapX96 - indexX96;
  if (premium > most) return most;
  return premium < -most ? -most : premium;
}

/** The premium's growth as of a moment; undefined where it is not known. */
export function growthAt(
  market: PerpMarket,
  rules: Rules,
  at: Moment,
  indexTwap: (seconds: number) => bigint | undefined,
): bigint | undefined {
  const { timestamp } = at;
  if (timestamp === market.lastSettledAt || market.lastSettledAt === 0) return market.growthX96;
  const twapX96 = settledTwapX96(market, rules, timestamp);
  const indexTwapWad = indexTwap(fundingSeconds(market, rules, timestamp));
  if (twapX96 === undefined || indexTwapWad === undefined) return undefined;
  return premiumGrowthX96(market, rules, { twapX96, indexTwapWad, timestamp });
}

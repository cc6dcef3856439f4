/** What closing a position at the market's pool comes to: Exchange._swap with the protocol's own fees, to the wei. */
import { mulDivUp } from '../../lib/math.ts';
import { amount0Down, amount1Down, amount1Up } from '../../liquidity/concentrated/sqrt-price-math.ts';
import { type Curve, type Swap, swapExactIn, swapExactOut } from '../../liquidity/concentrated/swap.ts';
import { sqrtPriceAtTick } from '../../liquidity/concentrated/tick-math.ts';
import { UniswapV3Pool } from '../../liquidity/uniswap-v3/pool.ts';
import { PRICE_LIMIT_SECONDS } from './fold.ts';
import type { MarketNow } from './lens.ts';
import { mulDivToZero, PIPS, priceX96Of, wadOfX96 } from './math.ts';
import type { Order, PerpMarket } from './state.ts';

export type Close = {
  readonly ok: true;
  /** Quote received for base sold, or paid for base bought, fees taken off or added. */
  readonly quoteWad: bigint;
  readonly feeWad: bigint;
  readonly before: UniswapV3Pool;
  readonly after: UniswapV3Pool;
  readonly crossed: number;
};
/** `paused`: EX_MIP. `price-limit`: EX_OPLAS, or less than all would be closed. `price-band`: EX_OPB. */
export type NoClose = { readonly ok: false; readonly reason: 'too-thin' | 'paused' | 'price-limit' | 'price-band' };

/**
 * Closes all of a position, above zero for a long one, at a pool that may differ from the mirrored one by what is planned before. A close that the market's limits
 * would leave half done is none.
 */
export function closeAt(now: MarketNow, timestamp: number, pool: UniswapV3Pool, sizeWad: bigint): Close | NoClose {
  const { market } = now;
  if (market.maxTickCrossed === 0) return { ok: false, reason: 'paused' };
  const made = sizeWad > 0n ? sell(market, pool, sizeWad) : buy(market, pool, -sizeWad);
  if (made === undefined || made.swap.amountInRaw === 0n || made.swap.amountOutRaw === 0n) return { ok: false, reason: 'too-thin' };
  const { swap, quoteWad, feeWad } = made;
  const after = new UniswapV3Pool(pool.identity, swap.end, pool.ladder, pool.balances);
  if (!withinTicks(market, timestamp, after, sizeWad)) return { ok: false, reason: 'price-limit' };
  if (!withinBand(now, pool.curve, after.curve)) return { ok: false, reason: 'price-band' };
  return { ok: true, quoteWad, feeWad, before: pool, after, crossed: swap.crossed + swap.paused };
}

/** The same as far as the pool goes, whatever the market's limits say. Undefined where the pool runs out. */
export function quoteClose({ market }: MarketNow, pool: UniswapV3Pool, sizeWad: bigint): Pick<Close, 'quoteWad' | 'after'> | undefined {
  const made = sizeWad > 0n ? sell(market, pool, sizeWad) : buy(market, pool, -sizeWad);
  return made && { quoteWad: made.quoteWad, after: new UniswapV3Pool(pool.identity, made.swap.end, pool.ladder, pool.balances) };
}

type Made = { readonly swap: Swap; readonly quoteWad: bigint; readonly feeWad: bigint };

/** Exact base in: the pool's own fee is put on top and comes off again, the protocol's comes off the quote, step by step. */
function sell({ exchangeFeePips }: PerpMarket, pool: UniswapV3Pool, baseWad: bigint): Made | undefined {
  const poolFeePips = BigInt(pool.identity.feePips);
  let feeWad = 0n;
  const swap = swapExactIn(
    pool.curve,
    pool.tick,
    pool.ladder,
    poolFeePips,
    true,
    mulDivUp(baseWad, PIPS, PIPS - poolFeePips),
    (from, to, liquidity) => {
      feeWad += mulDivUp(amount1Down(to, from, liquidity), exchangeFeePips, PIPS);
    },
  );
  return swap && { swap, quoteWad: swap.amountOutRaw - feeWad, feeWad };
}

/** Exact base out: of what the pool takes its own fee is left out, and the protocol's added, step by step. */
function buy({ exchangeFeePips }: PerpMarket, pool: UniswapV3Pool, baseWad: bigint): Made | undefined {
  const poolFeePips = BigInt(pool.identity.feePips);
  let feeWad = 0n;
  const swap = swapExactOut(pool.curve, pool.tick, pool.ladder, poolFeePips, false, baseWad, (from, to, liquidity) => {
    feeWad += mulDivUp(amount1Up(from, to, liquidity), exchangeFeePips, PIPS - exchangeFeePips);
  });
  return swap && { swap, quoteWad: (swap.amountInRaw * (PIPS - poolFeePips)) / PIPS + feeWad, feeWad };
}

/** Exchange._getSqrtPriceLimitForClosingPosition and _isOverPriceLimitWithTick: short of the limit, or the close would be partial. */
function withinTicks(market: PerpMarket, timestamp: number, { curve, tick }: UniswapV3Pool, sizeWad: bigint): boolean {
  const { low, high } = tickLimits(market, timestamp);
  return sizeWad > 0n
    ? curve.sqrtPriceX96 > sqrtPriceAtTick(low) && tick >= low
    : curve.sqrtPriceX96 < sqrtPriceAtTick(high) && tick <= high;
}

/** NOTE: the tick that limits are told from is taken anew before whatever we do, if the last one is old enough. */
function tickLimits({ lastTick, lastTickAt, maxTickCrossed, pool }: PerpMarket, timestamp: number): { low: number; high: number } {
  const from = timestamp >= lastTickAt + PRICE_LIMIT_SECONDS ? pool.tick : lastTick;
  return { low: from - maxTickCrossed, high: from + maxTickCrossed };
}

/** Exchange._swap: afterwards the pool's price must be within the band around the index, or nearer to it than before. */
function withinBand({ market: { maxSpreadPips }, indexWad }: MarketNow, before: Curve, after: Curve): boolean {
  const spread = ({ sqrtPriceX96 }: Curve) => mulDivToZero(wadOfX96(priceX96Of(sqrtPriceX96)) - indexWad, PIPS, indexWad);
  const [was, is] = [spread(before), spread(after)];
  const lowest = was < -maxSpreadPips ? was : -maxSpreadPips;
  const highest = was > maxSpreadPips ? was : maxSpreadPips;
  return lowest <= is && is <= highest;
}

/** The pool when these orders are cancelled. */
export function withoutOrders(pool: UniswapV3Pool, orders: Iterable<Order>): UniswapV3Pool {
  let { curve, ladder } = pool;
  for (const { lower, upper, liquidity } of orders) {
    if (lower <= pool.tick && pool.tick < upper) curve = { ...curve, liquidity: curve.liquidity - liquidity };
    ladder = ladder.withLiquidity(lower, upper, -liquidity);
  }
  return new UniswapV3Pool(pool.identity, curve, ladder, pool.balances);
}

/** What cancelling an order adds to its maker's position (OrderBook._removeLiquidity): the base that comes out less the base that is owed for it. */
export function baseOfOrder({ curve, tick }: UniswapV3Pool, { lower, upper, liquidity, baseDebtWad }: Order): bigint {
  if (tick >= upper) return -baseDebtWad;
  const low = tick < lower ? sqrtPriceAtTick(lower) : curve.sqrtPriceX96;
  return amount0Down(low, sqrtPriceAtTick(upper), liquidity) - baseDebtWad;
}

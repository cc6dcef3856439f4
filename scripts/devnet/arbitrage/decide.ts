/** Which pools to push towards the oracle's prices, and how far. Pure. */
import { assetOf } from '../assets.ts';
import type { Prng } from '../prng.ts';
import { sqrtPriceX96At } from '../uniswap/price.ts';

export type PoolState = { token0: string; token1: string /** Hundredths of a basis point. */; fee: number; sqrtPriceX96: bigint };

export type Trade = {
  tokenIn: string;
  tokenOut: string;
  fee: number;
  /** Raw units that may be spent; the swap ends earlier at the price. */
  amountIn: bigint;
  /** Where the pool's price is left. */
  sqrtPriceLimitX96: bigint;
};

export type Limits = {
  /** Dollars that all trades of one block may spend, and one pool's trade. */
  maxUsdPerBlock: number;
  maxUsdPerPool: number;
  /** A pool is left alone while its price is nearer than this (a fraction) and its fee. */
  threshold: number;
  /** How often (0 to 1) a pool that is off is overlooked for a block. */
  idle: number;
};

export const LIMITS: Limits = { maxUsdPerBlock: 12e6, maxUsdPerPool: 3e6, threshold: 0.002, idle: 0.15 };

/**
 * `pricesUsd8` by symbol. The pool that is furthest off is served first. A pool is moved to where another dollar would no longer pay its fee,
 * or not quite: up to another threshold away, as the random numbers have it.
 */
export function decide(pools: readonly PoolState[], pricesUsd8: Readonly<Record<string, bigint>>, random: Prng, limits: Limits): Trade[] {
  const trades: Trade[] = [];
  let leftUsd = limits.maxUsdPerBlock;
  for (const { pool, off, fair } of byDistance(pools, pricesUsd8)) {
    const [overlooked, slack] = [random.next() < limits.idle, random.next() * limits.threshold];
    const fee = pool.fee / 1e6;
    if (Math.abs(off) <= fee + limits.threshold || overlooked || leftUsd <= 0) continue;
    const usd = Math.min(leftUsd, limits.maxUsdPerPool);
    leftUsd -= usd;
    // Too dear a token0 is sold to the pool, too cheap a one is bought from it.
    const [tokenIn, tokenOut] = off > 0 ? [pool.token0, pool.token1] : [pool.token1, pool.token0];
    const rest = 1 + Math.sign(off) * (fee + slack);
    trades.push({
      tokenIn,
      tokenOut,
      fee: pool.fee,
      amountIn: amountFor(tokenIn, usd, pricesUsd8[tokenIn]!),
      sqrtPriceLimitX96: (fair * BigInt(Math.round(Math.sqrt(rest) * 1e9))) / 1_000_000_000n,
    });
  }
  return trades;
}

function byDistance(pools: readonly PoolState[], pricesUsd8: Readonly<Record<string, bigint>>) {
  const priced = (symbol: string) => ({ decimals: assetOf(symbol).decimals, priceUsd8: pricesUsd8[symbol]! });
  return pools
    .map((pool) => {
      const fair = sqrtPriceX96At(priced(pool.token0), priced(pool.token1));
      return { pool, fair, off: (Number(pool.sqrtPriceX96) / Number(fair)) ** 2 - 1 };
    })
    .sort((a, b) => Math.abs(b.off) - Math.abs(a.off));
}

/** Rounded down. */
export function amountFor(symbol: string, usd: number, priceUsd8: bigint): bigint {
  return (BigInt(Math.floor(usd)) * 10n ** BigInt(assetOf(symbol).decimals + 8)) / priceUsd8;
}

import { type Asset, startPriceUsd8 } from '../assets.ts';

/** The widest tick that a pool knows (TickMath.MAX_TICK). */
const MAX_TICK = 887_272;
const SPACING: Readonly<Record<number, number>> = { 100: 1, 500: 10, 3000: 60, 10000: 200 };

/** sqrt(token1 per token0, in raw units) * 2^96, rounded down, at the starting prices. */
export function startSqrtPriceX96(token0: Asset, token1: Asset): bigint {
  return sqrtPriceX96At(
    { decimals: token0.decimals, priceUsd8: startPriceUsd8(token0) },
    { decimals: token1.decimals, priceUsd8: startPriceUsd8(token1) },
  );
}

type Priced = { decimals: number; priceUsd8: bigint };

/** The same at any prices. */
export function sqrtPriceX96At(token0: Priced, token1: Priced): bigint {
  const numerator = token0.priceUsd8 * 10n ** BigInt(token1.decimals);
  const denominator = token1.priceUsd8 * 10n ** BigInt(token0.decimals);
  return integerSqrt((numerator << 192n) / denominator);
}

/** Ticks, multiples of the fee tier's spacing, that lie `width` (0.1: 10%) below and above the price; a spacing at the least. */
export function ticksAround(sqrtPriceX96: bigint, width: number, fee: number): { tickLower: number; tickUpper: number } {
  const spacing = SPACING[fee]!;
  const tick = (2 * Math.log(Number(sqrtPriceX96) / 2 ** 96)) / Math.log(1.0001);
  const reach = -Math.log(1 - width) / Math.log(1.0001);
  const limit = Math.floor(MAX_TICK / spacing) * spacing;
  const tickLower = Math.max(-limit, Math.floor((tick - reach) / spacing) * spacing);
  const tickUpper = Math.min(limit, Math.ceil((tick + reach) / spacing) * spacing);
  return { tickLower, tickUpper };
}

function integerSqrt(value: bigint): bigint {
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (let next = (root + value / root) >> 1n; next < root; next = (root + value / root) >> 1n) root = next;
  return root;
}

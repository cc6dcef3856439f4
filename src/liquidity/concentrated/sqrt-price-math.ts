/** Amounts between prices, and prices after amounts: v3-core `SqrtPriceMath`, rounded as it rounds. */
import { divUp, mulDivUp } from '../../lib/math.ts';

const Q96 = 96n;
const UINT256 = 1n << 256n;

/** Token0 between two prices, `low <= high`, for what the pool takes (`getAmount0Delta`, roundUp). */
export function amount0Up(low: bigint, high: bigint, liquidity: bigint): bigint {
  return divUp(mulDivUp(liquidity << Q96, high - low, high), low);
}

/** Token0 between two prices, `low <= high`, for what the pool gives (`getAmount0Delta`, not roundUp). */
export function amount0Down(low: bigint, high: bigint, liquidity: bigint): bigint {
  return ((liquidity << Q96) * (high - low)) / high / low;
}

const Q96_LOW = (1n << Q96) - 1n;

/** Token1 between two prices, `low <= high`, for what the pool takes (`getAmount1Delta`, roundUp). */
export function amount1Up(low: bigint, high: bigint, liquidity: bigint): bigint {
  return (liquidity * (high - low) + Q96_LOW) >> Q96;
}

/** Token1 between two prices, `low <= high`, for what the pool gives (`getAmount1Delta`, not roundUp). */
export function amount1Down(low: bigint, high: bigint, liquidity: bigint): bigint {
  return (liquidity * (high - low)) >> Q96;
}

/**
 * The price after token0 came in (`getNextSqrtPriceFromAmount0RoundingUp`, add). NOTE: where the contract's product or sum would pass
 * 256 bits it falls back to a less precise formula, which gives another price; so does this.
 */
export function priceAfterToken0In(price: bigint, liquidity: bigint, amountIn: bigint): bigint {
  if (amountIn === 0n) return price;
  const scaled = liquidity << Q96;
  const product = amountIn * price;
  const denominator = scaled + product;
  if (product < UINT256 && denominator < UINT256) return mulDivUp(scaled, price, denominator);
  return divUp(scaled, scaled / price + amountIn);
}

/** The price after token0 went out (`getNextSqrtPriceFromAmount0RoundingUp`, not add). Assumes that there is more token0 than that. */
export function priceAfterToken0Out(price: bigint, liquidity: bigint, amountOut: bigint): bigint {
  const scaled = liquidity << Q96;
  return mulDivUp(scaled, price, scaled - amountOut * price);
}

/** The price after token1 came in (`getNextSqrtPriceFromAmount1RoundingDown`, add). */
export function priceAfterToken1In(price: bigint, liquidity: bigint, amountIn: bigint): bigint {
  return price + (amountIn << Q96) / liquidity;
}

/** The price after token1 went out (`getNextSqrtPriceFromAmount1RoundingDown`, not add). Assumes that there is more token1 than that. */
export function priceAfterToken1Out(price: bigint, liquidity: bigint, amountOut: bigint): bigint {
  return price - divUp(amountOut << Q96, liquidity);
}

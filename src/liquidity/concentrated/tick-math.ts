/** Prices at ticks: v3-core `TickMath`, bit for bit. A sqrt price is sqrt(token1 per token0, raw units) * 2^96. */

export const MIN_TICK = -887_272;
export const MAX_TICK = 887_272;
/** The sqrt prices at the outermost ticks. A pool's price stays at or above the first and below the second. */
export const MIN_SQRT_PRICE_X96 = 4_295_128_739n;
export const MAX_SQRT_PRICE_X96 = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342n;

const MAX_UINT256 = (1n << 256n) - 1n;
const LOW_32_BITS = (1n << 32n) - 1n;

/** sqrt(1.0001^-(2^i)) * 2^128 for i = 0…19. */
const FACTORS_X128: readonly bigint[] = [
  0xfffcb933bd6fad37aa2d162d1a594001n,
  0xfff97272373d413259a46990580e213an,
  0xfff2e50f5f656932ef12357cf3c7fdccn,
  0xffe5caca7e10e4e61c3624eaa0941cd0n,
  0xffcb9843d60f6159c9db58835c926644n,
  0xff973b41fa98c081472e6896dfb254c0n,
  0xff2ea16466c96a3843ec78b326b52861n,
  0xfe5dee046a99a2a811c461f1969c3053n,
  0xfcbe86c7900a88aedcffc83b479aa3a4n,
  0xf987a7253ac413176f2b074cf7815e54n,
  0xf3392b0822b70005940c7a398e4b70f3n,
  0xe7159475a2c29b7443b29c7fa6e889d9n,
  0xd097f3bdfd2022b8845ad8f792aa5825n,
  0xa9f746462d870fdf8a65dc1f90e061e5n,
  0x70d869a156d2a1b890bb3df62baf32f7n,
  0x31be135f97d08fd981231505542fcfa6n,
  0x9aa508b5b7a84e1c677de54f3e99bc9n,
  0x5d6af8dedb81196699c329225ee604n,
  0x2216e584f5fa1ea926041bedfe98n,
  0x48a170391f7dc42444e8fa2n,
];

/** `TickMath.getSqrtRatioAtTick`. Throws a RangeError outside the ticks that pools know. */
export function sqrtPriceAtTick(tick: number): bigint {
  const distance = Math.abs(tick);
  if (!Number.isInteger(tick) || distance > MAX_TICK) throw new RangeError(`no price at tick ${tick}`);
  let ratioX128 = 1n << 128n;
  for (let bit = 0; distance >> bit !== 0; bit++) {
    if ((distance >> bit) & 1) ratioX128 = (ratioX128 * FACTORS_X128[bit]!) >> 128n;
  }
  if (tick > 0) ratioX128 = MAX_UINT256 / ratioX128;
  return (ratioX128 >> 32n) + ((ratioX128 & LOW_32_BITS) === 0n ? 0n : 1n);
}

const HALF_LOG_BASE = Math.log(1.0001) / 2;

/**
 * The greatest tick whose price is at or below `sqrtPriceX96`: what `TickMath.getTickAtSqrtRatio` returns. A float estimate (off by far
 * less than one tick) is settled by exact prices. Throws a RangeError for a price that no pool can have.
 */
export function tickAtSqrtPrice(sqrtPriceX96: bigint): number {
  if (sqrtPriceX96 < MIN_SQRT_PRICE_X96 || sqrtPriceX96 >= MAX_SQRT_PRICE_X96) throw new RangeError(`no tick at price ${sqrtPriceX96}`);
  let tick = Math.floor(Math.log(Number(sqrtPriceX96) / 2 ** 96) / HALF_LOG_BASE);
  tick = Math.min(Math.max(tick, MIN_TICK), MAX_TICK - 1);
  while (sqrtPriceAtTick(tick) > sqrtPriceX96) tick--;
  while (sqrtPriceAtTick(tick + 1) <= sqrtPriceX96) tick++;
  return tick;
}

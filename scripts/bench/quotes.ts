/** How many Uniswap v3 quotes a second the mirror's pools give, by the number of tick segments that a swap passes. */
import { Ladder } from '../../src/liquidity/concentrated/ladder.ts';
import { sqrtPriceAtTick } from '../../src/liquidity/concentrated/tick-math.ts';
import { UniswapV3Pool } from '../../src/liquidity/uniswap-v3/pool.ts';
import type { Bench } from './result.ts';

const SPACING = 10;
const POSITIONS = 400;
const SEGMENTS = [1, 2, 5] as const;
const MEASURED_MS = 1_000;
const WARM_UP = 20_000;
const Q = 10n ** 18n;

/** A pool like a busy one: every tick near the price initialised, amounts of 18 decimals, a price off its tick. */
function busyPool(): UniswapV3Pool {
  let ladder = new Ladder(SPACING, undefined, [], [], []);
  let active = 0n;
  const add = (lower: number, upper: number, liquidity: bigint) => {
    ladder = ladder.withLiquidity(lower, upper, liquidity);
    if (lower <= 0 && upper > 0) active += liquidity;
  };
  add(-887_270, 887_270, 1_234_567n * Q);
  for (let index = 1; index <= POSITIONS; index++) add(-index * SPACING, index * SPACING, BigInt(index) * 7_919n * Q);
  const identity = { address: '0x01', token0: '0x02', token1: '0x03', feePips: 500 } as const;
  const curve = { sqrtPriceX96: sqrtPriceAtTick(0) + 98_765_432_123_456_789n, tick: 0, liquidity: active };
  return new UniswapV3Pool(identity, curve, ladder, { balance0Raw: 0n, balance1Raw: 0n });
}

/** An amount whose sale ends in the middle of the wanted segment. */
function amountFor(pool: UniswapV3Pool, zeroForOne: boolean, segments: number): bigint {
  const target = sqrtPriceAtTick((zeroForOne ? -1 : 1) * (segments - 1) * SPACING + (zeroForOne ? -SPACING / 2 : SPACING / 2));
  let low = 1n;
  let high = 1n << 120n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    const end = (pool.sell(zeroForOne, middle)?.after as UniswapV3Pool | undefined)?.curve.sqrtPriceX96;
    const beyond = end === undefined || (zeroForOne ? end < target : end > target);
    if (beyond) high = middle;
    else low = middle;
  }
  return low;
}

async function run() {
  const pool = busyPool();
  return SEGMENTS.map((segments) => {
    const sales = [true, false].map((zeroForOne) => ({ zeroForOne, amount: amountFor(pool, zeroForOne, segments) }));
    const purchases = sales.map(({ zeroForOne, amount }) => ({ zeroForOne, amount: pool.sell(zeroForOne, amount)!.amountOutRaw }));
    let salt = 0n;
    const round = () => {
      salt = (salt + 1n) & 1_023n;
      for (const { zeroForOne, amount } of sales) pool.sell(zeroForOne, amount - salt);
      for (const { zeroForOne, amount } of purchases) pool.buy(zeroForOne, amount - salt);
    };
    for (let index = 0; index < WARM_UP; index++) round();
    const started = performance.now();
    let rounds = 0;
    for (; performance.now() - started < MEASURED_MS; rounds += 100) for (let index = 0; index < 100; index++) round();
    const perSecond = (rounds * 4 * 1_000) / (performance.now() - started);
    return {
      name: `Uniswap v3 quotes, ${segments} tick segment${segments === 1 ? '' : 's'}`,
      ours: Math.round(perSecond),
      unit: 'quotes/s',
      notes: 'one pool, half exact input and half exact output, both directions, 801 initialised ticks; no peer installed',
    };
  });
}

export const quotes: Bench = { name: 'quotes', about: 'quotes of a mirrored Uniswap v3 pool', run };

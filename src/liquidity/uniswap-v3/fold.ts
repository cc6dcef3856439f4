import type { RawLog } from '../../lib/types.ts';
import { dataWord } from '../../lib/words.ts';
import { TOPIC } from './abi.ts';
import { UniswapV3Pool } from './pool.ts';

/** The logs of a pool that change its state. What the protocol's fee is set to changes none of it (see `UniswapV3Pool`). */
export const POOL_TOPICS = [
  TOPIC.initialize,
  TOPIC.mint,
  TOPIC.burn,
  TOPIC.collect,
  TOPIC.swap,
  TOPIC.flash,
  TOPIC.collectProtocol,
] as const;

/** The pool after one of its logs; the same pool for a log that changes nothing. Throws a RangeError for a log that this state cannot have. */
export function fold(pool: UniswapV3Pool, log: RawLog): UniswapV3Pool {
  switch (log.topics[0]) {
    case TOPIC.initialize:
      return withCurve(pool, dataWord(log, 0), Number(signed(log, 1)), 0n);
    case TOPIC.mint:
      return paid(liquidityChanged(pool, log, dataWord(log, 1)), dataWord(log, 2), dataWord(log, 3));
    // What a burn frees stays in the pool until it is collected.
    case TOPIC.burn:
      return liquidityChanged(pool, log, -dataWord(log, 0));
    case TOPIC.collect:
      return paid(pool, -dataWord(log, 1), -dataWord(log, 2));
    case TOPIC.swap:
      return paid(withCurve(pool, dataWord(log, 2), Number(signed(log, 4)), dataWord(log, 3)), signed(log, 0), signed(log, 1));
    case TOPIC.flash:
      return paid(pool, dataWord(log, 2), dataWord(log, 3));
    case TOPIC.collectProtocol:
      return paid(pool, -dataWord(log, 0), -dataWord(log, 1));
    default:
      return pool;
  }
}

function withCurve(pool: UniswapV3Pool, sqrtPriceX96: bigint, tick: number, liquidity: bigint): UniswapV3Pool {
  return new UniswapV3Pool(pool.identity, { sqrtPriceX96, tick, liquidity }, pool.ladder, pool.balances);
}

/** `UniswapV3Pool._modifyPosition`. */
function liquidityChanged(pool: UniswapV3Pool, log: RawLog, delta: bigint): UniswapV3Pool {
  const { curve, ladder } = pool.ticks.withLiquidity(tickTopic(log, 2), tickTopic(log, 3), delta);
  return new UniswapV3Pool(pool.identity, curve, ladder, pool.balances);
}

/** NOTE: what is sent to a pool without a call is in no log, so a balance is at least this. It is never put below 0. */
function paid(pool: UniswapV3Pool, delta0Raw: bigint, delta1Raw: bigint): UniswapV3Pool {
  const balance0Raw = pool.balances.balance0Raw + delta0Raw;
  const balance1Raw = pool.balances.balance1Raw + delta1Raw;
  const balances = { balance0Raw: balance0Raw > 0n ? balance0Raw : 0n, balance1Raw: balance1Raw > 0n ? balance1Raw : 0n };
  return new UniswapV3Pool(pool.identity, pool.curve, pool.ladder, balances);
}

function signed(log: RawLog, index: number): bigint {
  return BigInt.asIntN(256, dataWord(log, index));
}

function tickTopic(log: RawLog, index: number): number {
  const topic = log.topics[index];
  if (topic === undefined) throw new RangeError(`log ${log.logIndex} of ${log.address} in block ${log.blockNumber} lacks topic ${index}`);
  return Number(BigInt.asIntN(256, BigInt(topic)));
}

import type { RawLog } from '../../lib/types.ts';
import { dataWord } from '../../lib/words.ts';
import { TOPIC } from './abi.ts';
import type { UniswapV4Pool } from './pool.ts';
import { feesOf } from './state.ts';

/** The manager's logs that tell of a pool's state. Donations go to liquidity providers and move nothing. */
export const POOL_TOPICS = [TOPIC.modifyLiquidity, TOPIC.swap, TOPIC.protocolFeeUpdated] as const;

/** The pool after one of its logs; the same for a log that changes nothing. Throws a RangeError for a log that this state cannot have. */
export function fold(pool: UniswapV4Pool, log: RawLog): UniswapV4Pool {
  const { ticks } = pool;
  switch (log.topics[0]) {
    case TOPIC.modifyLiquidity:
      return pool.with(ticks.withLiquidity(Number(signedWord(log, 0)), Number(signedWord(log, 1)), signedWord(log, 2)));
    case TOPIC.swap:
      return pool.with(ticks.at({ sqrtPriceX96: dataWord(log, 2), liquidity: dataWord(log, 3), tick: Number(signedWord(log, 4)) }));
    case TOPIC.protocolFeeUpdated:
      return pool.with(ticks.withFees(feesOf(pool.identity.feePips, Number(dataWord(log, 0)))));
    default:
      return pool;
  }
}

export function signedWord(log: RawLog, index: number): bigint {
  return BigInt.asIntN(256, dataWord(log, index));
}

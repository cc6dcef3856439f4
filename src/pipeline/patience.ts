import type { Recovery } from '../risk/recovery.ts';
import type { Patience } from '../strategy/patience.ts';
import { type RivalBook, staysChance } from '../strategy/rivals.ts';

/** What pools and rivals have taught so far, for deciding what is left for later blocks. */
export function patienceOf(recovery: Recovery, rivals: RivalBook): Patience {
  return {
    stays: (surplusUsd) => staysChance(rivals, surplusUsd),
    recovers: (pool, zeroForOne) => recovery.share(pool, zeroForOne),
    moveOf: (pool) => recovery.moveOf(pool),
  };
}

import type { Address } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import type { ViewCheck } from '../../mirror/types.ts';
import { VIEW } from './abi.ts';
import { slotsOf } from './key.ts';
import type { UniswapV4Pool } from './pool.ts';
import { unpackSlot0, unpackTick } from './state.ts';

/** Comparisons of one pool with the manager's storage. `pick` chooses which of its ticks is compared. */
export function checksOf(manager: Address, pool: UniswapV4Pool, pick: number): readonly ViewCheck[] {
  const { address } = pool.identity;
  const { curve, ladder, feesPips, tick } = pool.ticks;
  const slots = slotsOf(address);
  const check = (subject: string, slot: bigint, ours: string, read: (word: bigint) => string): ViewCheck => ({
    subject: `pool ${address} ${subject}`,
    call: VIEW.extsload(manager, slot),
    compare: (answer) => {
      const word = uintOf(answer);
      const theirs = word === undefined ? 'nothing' : read(word);
      return theirs === ours ? null : { ours, theirs };
    },
  });
  const priced = `${curve.sqrtPriceX96} ${tick} ${feesPips.zeroForOne} ${feesPips.oneForZero}`;
  const checks = [
    check('price, tick and fees', slots.slot0, priced, (word) => {
      const { sqrtPriceX96, tick, fees } = unpackSlot0(word);
      return `${sqrtPriceX96} ${tick} ${fees.zeroForOne} ${fees.oneForZero}`;
    }),
    check('liquidity', slots.liquidity, `${curve.liquidity}`, String),
  ];
  if (ladder.ticks.length === 0) return checks;
  const at = pick % ladder.ticks.length;
  const ours = `${ladder.grosses[at]} ${ladder.nets[at]}`;
  const inTick = check(`tick ${ladder.ticks[at]}`, slots.tick(ladder.ticks[at]!), ours, (word) => {
    const { gross, net } = unpackTick(word);
    return `${gross} ${net}`;
  });
  return [...checks, inTick];
}

import type { ViewAnswer } from '../../lib/types.ts';
import { intOf, uintOf } from '../../lib/words.ts';
import type { ViewCheck } from '../../mirror/types.ts';
import { signedWord, VIEW } from './abi.ts';
import type { UniswapV3Pool } from './pool.ts';

/** Comparisons of one pool with its own views. `pick` chooses which of its ticks is compared. */
export function checksOf(pool: UniswapV3Pool, pick: number): readonly ViewCheck[] {
  const { address } = pool.identity;
  const { curve, ladder } = pool;
  const checks = [
    check(`pool ${address} price and tick`, VIEW.slot0(address), `${curve.sqrtPriceX96} ${pool.initialized ? pool.tick : 0}`, (answer) => [
      uintOf(answer, 0),
      intOf(answer, 1),
    ]),
    check(`pool ${address} liquidity`, VIEW.liquidity(address), `${curve.liquidity}`, (answer) => [uintOf(answer)]),
  ];
  if (ladder.ticks.length === 0) return checks;
  const at = pick % ladder.ticks.length;
  const tick = ladder.ticks[at]!;
  const ours = `${ladder.grosses[at]} ${ladder.nets[at]}`;
  return [
    ...checks,
    check(`pool ${address} tick ${tick}`, VIEW.ticks(address, signedWord(tick)), ours, (answer) => [uintOf(answer, 0), intOf(answer, 1)]),
  ];
}

function check(
  subject: string,
  call: ViewCheck['call'],
  ours: string,
  read: (answer: ViewAnswer) => readonly (bigint | undefined)[],
): ViewCheck {
  return {
    subject,
    call,
    compare: (answer) => {
      const theirs = read(answer).map(String).join(' ');
      return theirs === ours ? null : { ours, theirs };
    },
  };
}

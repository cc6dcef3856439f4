/** How much is open in a deployment: what there could ever be to liquidate. */
import type { Address } from '../../lib/types.ts';
import { uintOf } from '../../lib/words.ts';
import { MirrorError, type Reading } from '../../mirror/types.ts';
import { listOf } from './anchor.ts';
import { mulWadToZero, WAD } from './math.ts';
import { calls } from './reads.ts';

/** In whole snxUSD, over all markets, both sides together; a market whose price does not answer counts for nothing. */
export function* mostOpen(perps: Address): Reading<bigint> {
  const [listed] = yield [calls.markets(perps)];
  const ids = listOf(listed);
  if (ids === undefined) throw new MirrorError(`no Synthetix perps market at ${perps}`);
  const answers = yield ids.flatMap((id) => [calls.size(perps, id), calls.indexPrice(perps, id)]);
  let openWad = 0n;
  for (let place = 0; place < answers.length; place += 2)
    openWad += mulWadToZero(uintOf(answers[place]) ?? 0n, uintOf(answers[place + 1]) ?? 0n);
  return openWad / WAD;
}

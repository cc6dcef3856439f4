/** How much of a position to liquidate at once: the keeper's own way, and two simpler ones that share all the rest with it. */
import { min } from '../../src/lib/math.ts';
import type { Option, Regime } from '../../src/protocols/types.ts';

export const POLICIES = ['close factor', 'largest', 'ours'] as const;
export type Policy = (typeof POLICIES)[number];

/** The option with the amounts that a policy looks at. @param owedRaw all of the debt */
export function narrowed(option: Option, owedRaw: bigint, policy: Policy): Option {
  if (policy === 'ours') return option;
  const most = option.regimes.at(-1)!.maxRaw;
  const amountRaw = policy === 'largest' ? most : nearest(option.regimes, min(owedRaw / 2n, most));
  return { ...option, regimes: [{ minRaw: amountRaw, maxRaw: amountRaw }] };
}

/** The largest amount that is allowed and no more than this; the least of all where each is more. */
function nearest(regimes: readonly Regime[], amountRaw: bigint): bigint {
  const below = regimes.filter(({ minRaw }) => minRaw <= amountRaw).at(-1);
  return below === undefined ? regimes[0]!.minRaw : min(below.maxRaw, amountRaw);
}

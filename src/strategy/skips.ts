import { usdText, weiToUsd8Floor } from '../lib/usd.ts';
import type { Candidate } from '../risk/types.ts';
import type { Terms } from './terms.ts';
import type { Decision, SkipReason } from './types.ts';

export type Skip = Extract<Decision, { kind: 'skip' }>;

export function skipOf(candidate: Candidate, reason: SkipReason['reason'], figures: Record<string, string> = {}): Skip {
  return { kind: 'skip', candidate, skip: { reason, figures } };
}

/** More than a slot leaves time for, as earlier ones have shown. */
export function noTime(candidate: Candidate): Skip {
  return skipOf(candidate, 'cooling-down', { cause: 'an earlier block was over before as many were sent' });
}

type Making = {
  readonly grossWei: bigint;
  readonly gasWei: bigint;
  readonly bidWei: bigint;
  readonly valueWei: bigint;
  readonly pair: string;
  readonly toxic?: boolean;
};

/** Why it is not worth it. */
export function tooLittle(
  candidate: Candidate,
  { grossWei, gasWei, bidWei, valueWei, pair, toxic = false }: Making,
  { numeraireUsd8, minProfitUsd8 }: Terms,
  more: Record<string, string> = {},
): Skip {
  const usd = (wei: bigint) => usdText(weiToUsd8Floor(wei, numeraireUsd8));
  const enough = grossWei > 0n && weiToUsd8Floor(grossWei, numeraireUsd8) >= minProfitUsd8;
  const tooDear = enough && valueWei <= 0n;
  const reason = toxic && valueWei > 0n ? 'toxic' : tooDear ? 'gas-too-high' : 'below-min-profit';
  return skipOf(candidate, reason, {
    ...{ profitUsd: usd(valueWei - bidWei), minProfitUsd: usdText(minProfitUsd8), grossUsd: usd(grossWei) },
    ...{ gasUsd: usd(gasWei), bidUsd: usd(bidWei), pair, ...more },
  });
}

import { weiToUsd8Floor } from '../lib/usd.ts';

/**
 * Median of bid / gross bonus over 1,800 liquidations won in Chainlink SVR auctions on Ethereum (July 2025 - July 2026), by size of the
 * gross bonus. What `BID_SHARE=auto` offers.
 */
const MEDIAN_WINNING_BPS = [
  { belowUsd8: 10_000n * 10n ** 8n, bps: 8_700 },
  { belowUsd8: 100_000n * 10n ** 8n, bps: 8_000 },
] as const;
const MEDIAN_ABOVE_BPS = 4_700;

/** The share to offer for a liquidation of this gross profit. `share` is the operator's fixed one in basis points, or `auto`. */
export function bidBps(share: number | 'auto', grossWei: bigint, numeraireUsd8: bigint): number {
  if (share !== 'auto') return share;
  const grossUsd8 = weiToUsd8Floor(grossWei, numeraireUsd8);
  return MEDIAN_WINNING_BPS.find((step) => grossUsd8 < step.belowUsd8)?.bps ?? MEDIAN_ABOVE_BPS;
}

import type { Candidate } from '../../risk/types.ts';
import { bestShareBps } from './belief.ts';
import { type BidBook, missedBps, nameOf } from './book.ts';

/** The operator's `BID_SHARE`: basis points of (gross - gas), or `auto`. */
export type BidShare = number | 'auto';

/** What one transaction would make, and so what its bid is a share of. */
export type Lot = {
  /** Gross profit less gas, of all its liquidations. */
  readonly surplusWei: bigint;
  /** The same of the liquidation that has the least: it too must keep the minimum profit. */
  readonly leastSurplusWei: bigint;
  readonly gasUnits: bigint;
  readonly candidates: readonly Candidate[];
};

/** The share of a lot's surplus that is offered to the builder, in basis points. Pure. */
export type BidPolicy = (lot: Lot) => number;

const BPS = 10_000n;
const WEI = 1e18;
const USD8 = 1e8;
/** A builder puts nothing in for less a unit of gas: about the least tip that blocks take (0.1 gwei). */
const LEAST_PER_GAS_WEI = 100_000_000n;

/** @param shareBps the operator's own; not above 10,000 */
export function fixedBid(shareBps: number): BidPolicy {
  return () => shareBps;
}

/**
 * Maximises P(win | share, size) x what is left, by the book's belief of rivals. Never so much that a liquidation keeps less than the minimum profit, and
 * never less than inclusion costs: where both cannot be, less than the minimum is left, and planning drops the candidate.
 *
 * @param minProfitWei of one liquidation, after gas and bid
 */
export function autoBid(book: BidBook, numeraireUsd8: bigint, minProfitWei: bigint): BidPolicy {
  return ({ surplusWei, leastSurplusWei, gasUnits, candidates }) => {
    if (surplusWei <= 0n || leastSurplusWei <= 0n) return 0;
    const surplusUsd = (Number(surplusWei) / WEI) * (Number(numeraireUsd8) / USD8);
    const best = bestShareBps(book.belief, surplusUsd, missedBps(book, candidates.map(nameOf)));
    const left = leastSurplusWei - minProfitWei;
    const most = left > 0n ? Number((left * BPS) / leastSurplusWei) : 0;
    const least = (gasUnits * LEAST_PER_GAS_WEI * BPS + surplusWei - 1n) / surplusWei;
    return Math.max(Math.min(best, most), least > BPS ? Number(BPS) : Number(least));
  };
}

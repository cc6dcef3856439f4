import { type Belief, learn, priorBelief } from './belief.ts';

/** A bid of ours whose block is over. One for each transaction: the Executor pays one share of all that its groups make. */
export type OwnBid = {
  readonly block: number;
  /** What it would have liquidated, by `nameOf`. */
  readonly liquidations: readonly string[];
  /** Gross profit less gas, USD. */
  readonly surplusUsd: number;
  readonly shareBps: number;
  readonly won: boolean;
};

/** What our own bids have taught so far, and those that missed and may be tried again. */
export type BidBook = { readonly belief: Belief; readonly missed: readonly OwnBid[] };

/** A miss that is not tried again for so many blocks was somebody else's win. */
const RETRIED_WITHIN = 5;
/** Bounds the misses kept in mind; older ones are learned from early. */
const MOST_MISSED = 256;

export function emptyBook(): BidBook {
  return { belief: priorBelief(), missed: [] };
}

/**
 * The book after a bid. A miss is no evidence yet: while the position is still there no rival has taken it, and the bid that follows says more. Only the last
 * of a row counts, as a win or, once nobody tries again, as a loss: so a relay that is down for a while teaches nothing wrong.
 */
export function record(book: BidBook, bid: OwnBid): BidBook {
  const due = advance(book, bid.block);
  const missed = due.missed.filter((earlier) => !overlap(earlier.liquidations, bid.liquidations));
  if (bid.won) return { belief: learn(due.belief, bid), missed };
  const shareBps = missedBps(due, bid.liquidations) ?? bid.shareBps;
  const kept = [...missed, { ...bid, shareBps: Math.max(shareBps, bid.shareBps) }];
  const [first] = kept;
  return kept.length > MOST_MISSED && first !== undefined
    ? { belief: learn(due.belief, first), missed: kept.slice(1) }
    : { belief: due.belief, missed: kept };
}

/** The book at the end of a block: what missed long enough ago is lost. */
export function advance({ belief, missed }: BidBook, block: number): BidBook {
  const lost = missed.filter((bid) => bid.block + RETRIED_WITHIN < block);
  if (lost.length === 0) return { belief, missed };
  return { belief: lost.reduce(learn, belief), missed: missed.filter((bid) => !lost.includes(bid)) };
}

/** The highest share at which at least half of these have missed lately, or undefined. */
export function missedBps({ missed }: BidBook, liquidations: readonly string[]): number | undefined {
  if (missed.length === 0) return undefined;
  const shares = liquidations
    .map((name) => Math.max(-1, ...missed.filter((bid) => bid.liquidations.includes(name)).map((bid) => bid.shareBps)))
    .toSorted((a, b) => b - a);
  const shareBps = shares[Math.ceil(shares.length / 2) - 1] ?? -1;
  return shareBps < 0 ? undefined : shareBps;
}

function overlap(some: readonly string[], others: readonly string[]): boolean {
  return some.some((name) => others.includes(name));
}

/** What a liquidation is called in the book. */
export function nameOf({
  protocol,
  market,
  account,
}: {
  readonly protocol: string;
  readonly market: string;
  readonly account: string;
}): string {
  return `${protocol}/${market}/${account}`;
}

import type { Address } from '../lib/types.ts';

/** A price feed is known by the contract that emits its answers' proxy: the address that consumers read. */
export type FeedId = Address;

export type FeedAnswer = { readonly answer: bigint; readonly updatedAt: number; readonly roundId: bigint };

/** What the mirror knows of a feed beside its answer: whether that answer can be believed is for guards to say. */
export type FeedState = {
  /** As mirrored; undefined while the feed does not answer. */
  readonly answer: FeedAnswer | undefined;
  /** The round before it, as far as it was seen or can be asked for. */
  readonly before: FeedAnswer | undefined;
  /** The round that the answer was made in: an earlier one where rounds go by without an answer. */
  readonly answeredInRound: bigint | undefined;
  readonly decimals: bigint | undefined;
  /** When the feed was first read. Whoever computes with its answers relies on these. */
  readonly firstDecimals: bigint | undefined;
};

/** The block that judges: the one that will include us, pending price updates applied. */
export type Moment = {
  readonly number: number;
  readonly timestamp: number;
  readonly baseFeeWei: bigint;
  /** The feed's answer at this moment, or undefined when none is known. */
  answer(feed: FeedId): FeedAnswer | undefined;
};

/** A price in the base currency of the oracle that asked, in its units (Aave: USD, 8 decimals). */
export type Price =
  | { readonly ok: true; readonly price: bigint; readonly updatedAt: number }
  | { readonly ok: false; readonly reason: string };

/**
 * What a source was found to be. `ratio`: a feed times a token's own ratio; `cross`: two feeds multiplied or divided; `capped`: a feed up to a cap; `discount`: a
 * feed less what is missing to maturity; `fixed`: a price that is set; `opaque`: nobody knows, it is read and never moved.
 */
export type SourceKind = 'feed' | 'ratio' | 'cross' | 'capped' | 'discount' | 'fixed' | 'opaque';

/** Prices one asset. Pure: the same moment gives the same price. */
export interface PriceSource {
  readonly kind: SourceKind;
  /** The contract that the protocol asks. */
  readonly address: Address;
  /** Feeds whose update moves this price. */
  readonly feeds: readonly FeedId[];
  price(at: Moment): Price;
}

/** USD worth of tokens for limits, profit and reports; 8 decimals a whole token. */
export interface UsdPrices {
  /** USD price of one whole token, 8 decimals, and the token's decimals; undefined when no source exists. */
  usd8(token: Address, at: Moment): { readonly priceUsd8: bigint; readonly decimals: number } | undefined;
}

import type { OracleBounds } from '../guard/oracle.ts';
import type { Limits } from '../guard/types.ts';
import type { Address } from '../lib/types.ts';
import type { BidShare } from '../strategy/bids/policy.ts';

/** What the operator decided, as the pipeline needs it. */
export type Settings = {
  /** Undefined only while watching without a deployed Executor: plans are then made and not rehearsed. */
  readonly executor: Address | undefined;
  /** Who signs, or who would: an operator of the Executor. */
  readonly sender: Address | undefined;
  /** The Executor that keeps what was seized and not sold yet. */
  readonly inventory?: Address | undefined;
  /** Executors, lanes and treasury: whose balances make the profit. */
  readonly own: ReadonlySet<Address>;
  readonly wrappedNative: Address;
  readonly minProfitUsd8: bigint;
  /** Share of (gross - gas) for the builder; zero where nobody takes bids. */
  readonly bidShare: BidShare;
  readonly limits: Limits;
  readonly oracle: OracleBounds;
};

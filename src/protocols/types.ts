import type { Step } from '../lib/steps.ts';
import type { Address } from '../lib/types.ts';
import type { Mirrored } from '../mirror/types.ts';
import type { FeedId, Moment, PriceSource } from '../oracles/types.ts';
import type { Bounds } from './bounds.ts';

export type ProtocolName = 'aave-v3' | 'morpho-blue' | 'compound-v2' | 'compound-v3' | 'perp-v2' | 'synthetix-v3-perps';

/** A position's place in its protocol's storage. */
export type Slot = number;

export type Verdict =
  | { readonly kind: 'healthy'; readonly healthFactorWad: bigint }
  | { readonly kind: 'liquidatable'; readonly healthFactorWad: bigint }
  /** No judgement possible: a price is missing, the market is suspended. Never acted on. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Amounts that the protocol accepts: every raw amount from `minRaw` to `maxRaw`, both included. */
export type Regime = { readonly minRaw: bigint; readonly maxRaw: bigint };

/** What one unit of action changes: `deltaRaw` below zero is paid in, above is received. */
export type Flow = { readonly asset: Address; readonly deltaRaw: bigint };

/** One way to liquidate one position: one pair of debt and collateral. Pure; valid at the moment that made it. */
export interface Option {
  readonly label: string;
  readonly debtAsset: Address;
  readonly collateralAsset: Address;
  /** Disjoint, ascending. Never empty. */
  readonly regimes: readonly Regime[];
  /** Gas of the protocol's own part, for planning; simulation has the last word. */
  readonly gasUnits: bigint;
  /** What its steps pay away beside gas, for the update of a price, out of wrapped native that is left in the Executor. Absent: nothing. */
  readonly feeWei?: bigint;
  readonly financing: Financing;
  /** Exact to the raw unit, in the protocol's own rounding. */
  flow(amountRaw: bigint): readonly Flow[];
  /**
   * The liquidation, with `exchange`, which turns what is received into what is paid in, at its place: after it, or in the protocol's callback.
   *
   * @param executor in whose name the steps run: who is to receive, where a protocol wants to be told
   */
  steps(amountRaw: bigint, exchange: readonly Step[], executor: Address): readonly Step[];
}

/** How the paid-in asset comes into the Executor's hands. */
export type Financing =
  /** It has to be there beforehand: a flash loan brings it. */
  | { readonly kind: 'loan' }
  /** The protocol gives first, calls back, and takes its payment after that: no loan is needed. */
  | {
      readonly kind: 'callback';
      /** Most that it may take for the amount while the plan can still be included: interest goes on meanwhile. */
      owedRaw(amountRaw: bigint): bigint;
    };

/** What people see of a position. Raw amounts with decimals; values in USD with 8 decimals. */
export type PositionView = {
  readonly account: Address;
  readonly collateral: readonly Holding[];
  readonly debt: readonly Holding[];
  readonly collateralUsd8: bigint;
  readonly debtUsd8: bigint;
};
export type Holding = {
  readonly asset: Address;
  readonly symbol: string;
  readonly decimals: number;
  readonly amountRaw: bigint;
  readonly valueUsd8: bigint;
};

/** A price that a position's judgement rests on. */
export type PriceUse = {
  readonly asset: Address;
  readonly side: 'collateral' | 'debt';
  /** Of the asset: a price is that of one whole token. */
  readonly decimals: number;
  readonly source: PriceSource;
};

export interface Protocol extends Mirrored {
  readonly name: ProtocolName;
  /** The deployment's name in the address book: `core`. */
  readonly market: string;
  /** Slots that can come to be acted on: those that carry debt now, and what the protocol itself has on offer. */
  slots(): Iterable<Slot>;
  count(): number;
  accountOf(slot: Slot): Address;
  /** The position's market, as people and logs name it: the deployment's name, with more where one deployment holds several markets. */
  marketOf(slot: Slot): string;
  /** What else an operator may know that market by (`DENY_MARKETS`): addresses, ids, the deployment's name. Lower case. */
  aliasesOf(slot: Slot): readonly string[];
  judge(slot: Slot, at: Moment): Verdict;
  /**
   * What lets most positions be left alone while prices move; another one after everything was read anew. Undefined or left out: every position is judged
   * at every moment.
   */
  readonly bounds?: Bounds | undefined;
  options(slot: Slot, at: Moment): readonly Option[];
  view(slot: Slot, at: Moment): PositionView;
  /** The prices that the position's judgement rests on, all in one currency. */
  prices(slot: Slot): readonly PriceUse[];
  /** Tokens that liquidations here can pay in or receive. */
  tokens(): readonly Address[];
  /** The token's symbol where the protocol knows it. */
  symbolOf(token: Address): string | undefined;
  /** Feeds whose update can move a judgement here. */
  feeds(): readonly FeedId[];
}

import type { Step } from '../lib/steps.ts';
import type { Address } from '../lib/types.ts';
import type { Margin, Refusal } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import type { Outlook } from './outlook.ts';

/** A liquidation worth sending: one group of an Executor sequence. Amounts in wei are of wrapped native, or of what profit on margin is worth in it. */
export type Plan = {
  readonly candidate: Candidate;
  readonly option: string;
  readonly debtAsset: Address;
  readonly collateralAsset: Address;
  readonly repayRaw: bigint;
  readonly seizedRaw: bigint;
  readonly route: string;
  /** Pools that it exchanges at. */
  readonly pools: readonly Address[];
  /** The lender, or `none` where the protocol waits for its money. */
  readonly flash: string;
  readonly flashFeeRaw: bigint;
  readonly steps: readonly Step[];
  /** The capital that it works with; undefined where it needs none of ours, and profit is wrapped native in the Executor of all such plans. */
  readonly margin: Margin | undefined;
  /** Expected of what is left for later blocks on purpose, USD. Absent: nothing is. */
  readonly laterUsd8?: bigint;
  /** What its protocol tells of it beside (`Option.told`). */
  readonly told?: Readonly<Record<string, string>>;
  /** Set for one leg of two. Absent: it makes its profit by itself, or reverts. */
  readonly leg?: Leg;
  /** Tokens that may be left over in raw units and are swept. */
  readonly sweep: readonly Address[];
  readonly grossWei: bigint;
  readonly gasUnits: bigint;
  readonly gasWei: bigint;
  readonly bidWei: bigint;
  /** gross - gas - bid. */
  readonly profitWei: bigint;
  readonly profitUsd8: bigint;
  readonly repayUsd8: bigint;
  /** What its risk is told from; undefined where nothing is at the pools' mercy. */
  readonly outlook?: Outlook;
};

/** `second`: it closes what is held, which no limit holds back. `leastRaw`: what the venue's meter must rise by; below zero, the most that it may fall. */
export type Leg = { readonly kind: 'first' | 'second'; readonly leastRaw: bigint };

export function closesPosition({ leg }: Plan): boolean {
  return leg?.kind === 'second';
}

/** Why nothing is sent for a candidate, with its figures as decimal strings. */
export type SkipReason = { readonly reason: SkipCode; readonly figures: Readonly<Record<string, string>> };
export type SkipCode =
  | Refusal['reason']
  | 'healthy'
  | 'no-option'
  | 'no-route'
  | 'odd-token'
  | 'no-usd-price'
  | 'no-flash-loan'
  | 'below-min-profit'
  /** The best that can be made is too little, and would leave the position with less health than before. */
  | 'toxic'
  | 'gas-too-high'
  /** Nobody else is expected, and pools are to recover first. */
  | 'better-later'
  | 'no-gas'
  | 'no-update-fee'
  | 'position-too-large'
  | 'token-denied'
  | 'market-denied'
  | 'limit-reached'
  | 'breaker-open'
  | 'paused'
  | 'killed'
  | 'simulation-reverted'
  | 'simulation-unavailable'
  | 'ledger-unavailable'
  | 'block-full'
  | 'cooling-down'
  | 'suspended'
  | 'oracle-stale'
  | 'oracle-frozen'
  | 'oracle-not-positive'
  | 'oracle-jump'
  | 'oracle-changed'
  | 'oracle-off-pool'
  | 'sequencer-down'
  | 'unknown-health'
  | 'in-flight'
  | 'keeps-reverting';

export type Decision =
  | { readonly kind: 'plan'; readonly plan: Plan }
  | { readonly kind: 'skip'; readonly candidate: Candidate; readonly skip: SkipReason };

import type { Step } from '../lib/steps.ts';
import type { Address, RawLog } from '../lib/types.ts';
import type { Depth } from '../liquidity/types.ts';
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
  /** What people may want to know of it beside what every liquidation tells, at an amount that leaves so much of the numeraire. USD as plain decimals. */
  told?(amountRaw: bigint, grossRaw: bigint): Readonly<Record<string, string>>;
  /**
   * Whether an amount is toxic: the position is left with less health than before, since what is seized counts for more than what is repaid. Undefined for
   * amounts that are not. Absent: none is.
   */
  lowersHealth?(amountRaw: bigint): Lowering | undefined;
  /**
   * What can still be taken in a later block once so much is taken in all, at today's prices, in further calls on the same pair; none where the position would be
   * healthy. Absent: nobody knows.
   */
  rest?(takenRaw: bigint): readonly Regime[];
  /** The ways on other pairs that the position leaves then. Absent: there are none. */
  others?(takenRaw: bigint): readonly Option[];
  /** What its steps do to pools before the exchange. Absent: nothing. */
  prepared?(depth: Depth): Depth;
  /** Exact to the raw unit, in the protocol's own rounding. */
  flow(amountRaw: bigint): readonly Flow[];
  /**
   * The liquidation, with `exchange`, which turns what is received into what is paid in, at its place: after it, or in the protocol's callback.
   *
   * @param executor in whose name the steps run: who is to receive, where a protocol wants to be told
   */
  steps(amountRaw: bigint, exchange: readonly Step[], executor: Address): readonly Step[];
}

/** The health factor before and after. */
export type Lowering = { readonly beforeWad: bigint; readonly afterWad: bigint };

/** How the paid-in asset comes into the Executor's hands. */
export type Financing =
  /** It has to be there beforehand: a flash loan brings it. */
  | { readonly kind: 'loan' }
  /** The protocol gives first, calls back, and takes its payment after that: no loan is needed. */
  | {
      readonly kind: 'callback';
      /** Most that it may take for the amount while the plan can still be included: interest goes on meanwhile. */
      owedRaw(amountRaw: bigint): bigint;
    }
  /** Nothing is paid in: what comes in is a reward, all of it profit. */
  | { readonly kind: 'reward' }
  /** Nothing is paid in: what is taken over is an asset and a debt at a venue, against margin that is there already. What is left of both, exchanged, is the profit. */
  | { readonly kind: 'margin'; readonly margin: Margin; readonly debtUsd8: bigint };

/** Capital at a venue. `debtUsd8` of the financing: USD of a whole debt asset (18 decimals), 8 decimals. */
export type Margin = {
  /** The Executor whose margin it is. */
  readonly executor: Address;
  /** The venue's own unit of account, with 18 decimals: what profit comes out in. */
  readonly credit: Address;
  /** USD of a whole one, 8 decimals. */
  readonly creditUsd8: bigint;
  /** The token that the venue pays credit out in, which that Executor counts in; and the credit that one of its raw units stands for. */
  readonly settlement: Address;
  readonly unitWad: bigint;
  /** Steps that take so much of the settlement token out. */
  release(amountRaw: bigint): readonly Step[];
};

/** A position of our own in one market of a venue, above zero for a long one. */
export type OwnPosition = { readonly market: Address; readonly symbol: string; readonly sizeRaw: bigint; readonly valueUsd8: bigint };

/** What is to be closed of one. */
export type ReduceOrder = {
  readonly market: Address;
  readonly amountRaw: bigint;
  /** All there is: as much of it as the venue takes, rather than nothing. */
  readonly whole: boolean;
  readonly atAnyPrice: boolean;
  /** Credit, 18 decimals, that stays at the venue when all is closed; what is more is taken out. Undefined: nothing is taken out. */
  readonly keepWad: bigint | undefined;
};

export type Reduction = {
  readonly ok: true;
  readonly label: string;
  readonly amountRaw: bigint;
  readonly valueUsd8: bigint;
  readonly pools: readonly Address[];
  readonly gasUnits: bigint;
  readonly margin: Margin;
  readonly steps: readonly Step[];
};
export type NoReduction = { readonly ok: false; readonly reason: string };

/** The first of two legs: a position is taken over, to be closed in later blocks. Credit has 18 decimals. */
export type FirstLeg = {
  readonly label: string;
  readonly market: Address;
  readonly amountRaw: bigint;
  readonly valueUsd8: bigint;
  /** Of both legs as quoted, gas aside, what the risk between them has to earn taken off. */
  readonly profitWad: bigint;
  /** Our credit before it. */
  readonly keepWad: bigint;
  /** Most that the Executor's meter may fall, in the settlement token. */
  readonly mostLossRaw: bigint;
  readonly gasUnits: bigint;
  /** Of the second leg, in as many orders as it may take. */
  readonly laterGasUnits: bigint;
  readonly margin: Margin;
  readonly pools: readonly Address[];
  readonly steps: readonly Step[];
};
export type FirstLegLimits = { readonly roomUsd8: bigint };

/** Our own account at a venue, and the positions in it. */
export interface OwnAccount {
  readonly executor: Address;
  /** What it has there as tokens, in raw units of the settlement token; positions count at what they have realised. Undefined where nobody knows. */
  capitalRaw(): { readonly token: Address; readonly amountRaw: bigint } | undefined;
  positions(at: Moment): readonly OwnPosition[];
  reduce(order: ReduceOrder, at: Moment): Reduction | NoReduction;
  /** How somebody's position could be taken over that no single transaction would close. */
  firstLeg(slot: Slot, limits: FirstLegLimits, at: Moment): FirstLeg | undefined;
  /** What a transaction, by its logs, made of the capital there. */
  changedBy(logs: readonly RawLog[]): { readonly token: Address; readonly deltaRaw: bigint } | undefined;
}

/** Why a position that is liquidatable cannot be acted on, with its figures as decimal strings. */
export type Refusal = {
  readonly reason:
    | ('no-margin' | 'margin-in-use' | 'insurance-fund-short')
    | ('not-admitted' | 'liquidation-paused' | 'no-cash')
    /** A price has to be written before the protocol acts on it, and nothing newer is at hand; and a protocol that lets no more go for the time being. */
    | ('price-too-old' | 'window-used');
  readonly figures: Readonly<Record<string, string>>;
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
  /**
   * Feeds whose answer is too old for the protocol to act on, though it is judged by it: whoever can write a newer one makes an option of it. Left out where any
   * age will do.
   */
  tooOld?(slot: Slot, at: Moment): readonly FeedId[];
  /** Why there is no option; undefined where nothing more can be said. Left out by protocols that never have more to say. */
  refusal?(slot: Slot, at: Moment): Refusal | undefined;
  /** Ours, where we have one and it has been read. Left out by protocols that need none. */
  own?(): OwnAccount | undefined;
  view(slot: Slot, at: Moment): PositionView;
  /** The prices that the position's judgement rests on, all in one currency: at any moment, or at this one alone. */
  prices(slot: Slot, at?: Moment): readonly PriceUse[];
  /** Tokens that liquidations here can pay in or receive. */
  tokens(): readonly Address[];
  /** The token's symbol where the protocol knows it. */
  symbolOf(token: Address): string | undefined;
  /** Feeds whose update can move a judgement here. */
  feeds(): readonly FeedId[];
}

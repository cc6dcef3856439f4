import type { Step } from '../lib/steps.ts';
import type { Address } from '../lib/types.ts';
import type { Mirrored } from '../mirror/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Frontier } from './frontier.ts';
import type { Outline } from './outline.ts';
import type { Pool } from './pool.ts';
import type { MoveOf } from './replay.ts';

export type NoFill =
  | { readonly ok: false; readonly reason: 'no-route' | 'too-thin' | 'not-synced' }
  /** A token at an end of the way does not move as it is told to: no pool's quote for it would hold. */
  | { readonly ok: false; readonly reason: 'odd-token'; readonly token: Address; readonly cause: string };

/** Pools as they will be after the fills already planned for the same block. Immutable. */
export interface Depth {
  after(fill: Fill): Depth;
  /** The same with prices of these pools moved, by their logarithm, as far as they can be. Left out where there are none. */
  moved?(pools: readonly Address[], moveOf: MoveOf): Depth;
}

/** An exchange that the venue promises at a depth, exact to the raw unit while the pools stay as mirrored. */
export type Fill = {
  readonly ok: true;
  readonly venue: string;
  readonly tokenIn: Address;
  readonly tokenOut: Address;
  readonly amountInRaw: bigint;
  readonly amountOutRaw: bigint;
  /** Every token on the way, the first one first and the last one last. */
  readonly path: readonly Address[];
  /** Pools touched, so that a flash source can be told to stay away from them. */
  readonly pools: readonly Address[];
  readonly gasUnits: bigint;
  /** What the last raw unit in has brought, about; absent where that is not known. */
  readonly margin?: number | undefined;
  /** For people: `WBTC -0.05%-> WETH`. */
  readonly label: string;
};

/** How the Executor learns a swap's input: the planned amount, or its whole gain of the input token at that point. */
export type InputAmount = 'planned' | 'gain';

/** One pool, from or to a token. */
export type Curve = { readonly other: Address; readonly outline: Outline };

/** Where assets are exchanged. Quotes need no call. */
export interface Exchange {
  readonly name: string;
  /** A depth with nothing planned yet, at the mirrored state; where time matters to an exchange, for the moment `at`. */
  depth(at: Moment): Depth;
  /** Raw units out for a raw unit in that no amount exceeds, for bounds only; 0 where nothing is exchanged, undefined where no such bound is known. */
  spot(tokenIn: Address, tokenOut: Address, at: Depth): number | undefined;
  /**
   * For bounds only: all pools through which a token can leave (`out of` it) or come (`into`) on a way that has `ends` at its other end or on it, each with the
   * token on its other side. Left out where there are no pools.
   */
  curves?(token: Address, side: 'out of' | 'into', ends: readonly Address[], at: Depth): readonly Curve[];
  /** For bounds only: what no exchange of an amount at both tokens' pools beats. Undefined where that is not known. */
  frontier?(tokenIn: Address, tokenOut: Address, exact: 'in' | 'out', at: Depth): Frontier | undefined;
  /** Best fill for exactly `amountInRaw`. */
  quoteIn(tokenIn: Address, tokenOut: Address, amountInRaw: bigint, at: Depth, avoid?: readonly Address[]): Fill | NoFill;
  /** Best fill that yields exactly `amountOutRaw`. */
  quoteOut(tokenIn: Address, tokenOut: Address, amountOutRaw: bigint, at: Depth, avoid?: readonly Address[]): Fill | NoFill;
  /** The same over paths of a single hop, where there is such a thing: no swap of theirs waits for another's amount. */
  readonly direct?: Exchange | undefined;
  /**
   * Steps that perform the fill. With `gain` the first hop sells the Executor's whole gain of the input token.
   *
   * @param executor that runs them, where it is not the one that the exchange knows
   */
  steps(fill: Fill, input: InputAmount, executor?: Address): readonly Step[];
}

/** An exchange for any tokens, with the pools that it finds and mirrors for them. */
export interface Venue extends Exchange, Mirrored {
  /** Tells the venue which tokens will be exchanged; it finds and mirrors their pools. Returns true when this adds pools to mirror. */
  want(tokens: readonly Address[]): boolean;
  /** All mirrored pools. */
  pools(): Iterable<Pool>;
}

/** Lends within one transaction. */
export interface FlashSource {
  readonly name: string;
  /** The fee for borrowing `amountRaw` now, rounded as the lender rounds, or undefined when it cannot lend that much. */
  feeRaw(
    token: Address,
    amountRaw: bigint,
    avoid: readonly Address[],
  ): { readonly feeRaw: bigint; readonly gasUnits: bigint; readonly lender: Address } | undefined;
  /** Borrows, runs `inner` with the loan in hand, and repays `amountRaw` + `feeRaw` from what the Executor then holds. */
  steps(
    loan: { readonly token: Address; readonly amountRaw: bigint; readonly feeRaw: bigint; readonly lender: Address },
    inner: readonly Step[],
    executor: Address,
  ): readonly Step[];
}

/** What the mirror keeps of one deployment. Plain data; every change after the anchor goes through the journal. */
import type { Address, Head } from '../../lib/types.ts';
import type { Slot } from '../types.ts';
import type { DecodedPrice } from './oracle.ts';

/** Interest goes on by the block, or by the second: which of the two the market's own contract stores. */
export type Clock = 'block' | 'second';

/** What a market stores (CTokenStorage); `accruedAt` by its clock. */
export type Words = {
  borrowIndex: bigint;
  totalBorrows: bigint;
  totalReserves: bigint;
  totalSupply: bigint;
  reserveFactorWad: bigint;
  accruedAt: bigint;
};

export type Market = Words & {
  /** The contract, whose tokens are the collateral. */
  readonly address: Address;
  /** What it lends; the chain's wrapped native token for a market that lends the native one. */
  readonly underlying: Address;
  readonly native: boolean;
  /** Of the underlying token. */
  readonly symbol: string;
  readonly decimals: number;
  readonly clock: Clock;
  /** Its exchange rate while it has no supply. */
  readonly initialRateWad: bigint;
  /** Of what is seized, the part that becomes reserves. */
  readonly seizeShareWad: bigint;
  /** May pay its reserves out when it accrues interest. */
  readonly paysReservesOut: boolean;
  /** Read every block: what it holds of the underlying token, and the rate at which it accrues next; undefined where it does not answer. */
  cash: bigint | undefined;
  rateWad: bigint | undefined;
  /** `getUnderlyingPrice`, read every block. */
  answer: bigint | undefined;
  /** How that answer comes about, where it is known. */
  readonly decoded: DecodedPrice | undefined;
};

/** Wad, of one market, in one pool. */
export type Terms = { readonly listed: boolean; readonly thresholdWad: bigint; readonly incentiveWad: bigint };

/** A pool with terms of its own (Venus), for the accounts that chose it; 0 is everybody's. */
export type Pool = { readonly active: boolean; readonly fallsBack: boolean; readonly terms: ReadonlyMap<Address, Terms> };

/** What may not be done in a market now, and what has to be allowed there whatever the borrower's health. */
export type Switches = {
  readonly noLiquidation: boolean;
  readonly noRepayment: boolean;
  readonly noSeizure: boolean;
  readonly noRedemption: boolean;
  readonly noTransfer: boolean;
  readonly forced: boolean;
};

/** The contract that alone may liquidate, where there is one. */
export type Gate =
  | {
      readonly kind: 'venus';
      readonly address: Address;
      /** Of the bonus, what it keeps. */
      readonly treasuryWad: bigint;
      /** From this debt in VAI on, nothing else may be liquidated; undefined: it may. */
      readonly mostVaiRaw: bigint | undefined;
    }
  | { readonly kind: 'unknown'; readonly address: Address };

/** What governance decides; read as a whole whenever a log tells of a change. */
export type Rules = {
  readonly paused: boolean;
  readonly closeFactorWad: bigint;
  /** Of what is redeemed, what the treasury keeps. */
  readonly redeemFeeWad: bigint;
  readonly gate: Gate | undefined;
  readonly pools: readonly Pool[];
  readonly switches: ReadonlyMap<Address, Switches>;
};

/** What an account has in a market that it entered. Its debt is `principal` times the market's index over `index`. */
export type Holding = { readonly market: Market; tokens: bigint; principal: bigint; index: bigint };

/** A debt in VAI, which is no market's: it counts, and nobody here repays it. */
export type VaiDebt = { readonly minted: bigint; readonly pastInterest: bigint; readonly index: bigint };

export type Account = {
  readonly address: Address;
  /** By market. */
  holdings: ReadonlyMap<Address, Holding>;
  pool: number;
  vai: VaiDebt | undefined;
  /** What it holds was read; a stranger who borrows is read in the same block. */
  known: boolean;
};

/** VAIController: what all debts in VAI share. */
export type VaiIndex = { readonly address: Address; index: bigint; rateWad: bigint; accruedAt: bigint };

export type CompoundState = {
  readonly comptroller: Address;
  readonly oracle: Address;
  readonly markets: ReadonlyMap<Address, Market>;
  readonly vai: VaiIndex | undefined;
  rules: Rules;
  /** By slot. */
  readonly accounts: Account[];
  readonly slots: Map<Address, Slot>;
  /** `borrower market`: whom governance lets be liquidated in a market whatever their health. */
  readonly forcedFor: Set<string>;
  /** Whom the gate lets nobody liquidate. */
  readonly shielded: Set<Address>;
  /** The mirrored block. */
  head: Head;
};

export const NO_ADDRESS: Address = `0x${'0'.repeat(40)}`;

export function forcedKey(borrower: Address, market: Address): string {
  return `${borrower} ${market}`;
}

export function inDebt({ holdings }: Account): boolean {
  for (const { principal } of holdings.values()) if (principal > 0n) return true;
  return false;
}

/** PolicyFacet and MarketFacet.getLiquidationParams: a pool's own terms, or everybody's. Undefined for a market that is not listed at all. */
export function termsOf(market: Market, pool: number, { pools }: Rules): Terms | undefined {
  const core = pools[0]?.terms.get(market.address);
  const own = pool === 0 ? undefined : pools[pool];
  if (own === undefined || !own.active) return core;
  const terms = own.terms.get(market.address);
  return terms === undefined || (!terms.listed && own.fallsBack) ? core : terms;
}

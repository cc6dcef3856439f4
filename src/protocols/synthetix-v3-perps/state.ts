/** What the mirror keeps of a deployment. Plain data; every change after the anchor goes through the journal. Amounts and ratios have 18 decimals. */
import type { Address, Head, Hex } from '../../lib/types.ts';
import type { Slot } from '../types.ts';
import type { NodePrice } from './nodes.ts';

export type Contracts = {
  readonly perpsMarket: Address;
  readonly oracleManager: Address;
  readonly spotMarket: Address;
  /** snxUSD: what rewards are paid in. */
  readonly usd: Address;
};

/** GlobalPerpsMarketConfiguration and KeeperCosts. */
export type Rules = {
  readonly minRewardUsd: bigint;
  readonly minProfitRatio: bigint;
  readonly maxRewardUsd: bigint;
  readonly maxScalingRatio: bigint;
  readonly collateralRewardRatio: bigint;
  readonly costNode: Hex;
};

/** PerpsMarketConfiguration. */
export type MarketRules = {
  readonly feesRatio: bigint;
  readonly skewScale: bigint;
  readonly maxFundingVelocity: bigint;
  readonly initialMarginRatio: bigint;
  readonly minimumInitialMarginRatio: bigint;
  readonly maintenanceMarginScalar: bigint;
  readonly flagRewardRatio: bigint;
  readonly minimumPositionMargin: bigint;
  readonly lockedOiRatio: bigint;
  readonly windowMultiplier: bigint;
  readonly windowSeconds: bigint;
  /** Of the skew to its scale: below it a further window opens in the next block. */
  readonly maxLiquidationPd: bigint;
};

/** PerpsMarket, as stored at its last change. */
export type Funding = {
  readonly skew: bigint;
  readonly size: bigint;
  readonly rate: bigint;
  readonly value: bigint;
  readonly time: bigint;
};

/** What was liquidated in one block. */
export type Liquidated = { readonly amount: bigint; readonly timestamp: bigint };

export type PerpMarket = {
  readonly id: bigint;
  readonly symbol: string;
  readonly rules: MarketRules;
  readonly price: NodePrice;
  /** PerpsPrice.strictStalenessTolerance. */
  readonly strictSeconds: bigint;
  funding: Funding;
  /** Of the last window at least, the oldest first. */
  liquidated: readonly Liquidated[];
};

export type Collateral = {
  readonly id: bigint;
  readonly token: Address;
  readonly symbol: string;
  readonly price: NodePrice;
  readonly strictSeconds: bigint;
  readonly upperDiscount: bigint;
  readonly lowerDiscount: bigint;
  readonly discountScalar: bigint;
  skewScale: bigint;
};

/** Position.Data: as of its last change. */
export type Position = {
  readonly market: PerpMarket;
  size: bigint;
  price: bigint;
  funding: bigint;
  interest: bigint;
};

export type Account = {
  readonly id: bigint;
  /** By collateral; snxUSD is number 0. */
  readonly collateral: Map<bigint, bigint>;
  readonly positions: Map<bigint, Position>;
  debt: bigint;
  /** Its collateral is gone, and whatever is left of its positions may be liquidated as windows allow. */
  flagged: boolean;
};

export type SynthetixState = {
  readonly contracts: Contracts;
  readonly rules: Rules;
  readonly markets: ReadonlyMap<bigint, PerpMarket>;
  /** Without snxUSD. */
  readonly collateral: ReadonlyMap<bigint, Collateral>;
  readonly accounts: Account[];
  readonly slots: Map<bigint, Slot>;
  /** InterestRate.Data. */
  readonly interest: { accrued: bigint; rate: bigint; time: bigint };
  /** What the protocol takes a keeper's gas to cost, in snxUSD; of flagging by the number of prices that an account rests on. */
  readonly costs: { liquidate: bigint | undefined; flag: ReadonlyMap<number, bigint> };
  /** Where rewards can stay: an Executor that counts snxUSD. */
  readonly desk: { readonly executor: Address | undefined; counts: boolean };
  readonly gate: { paused: boolean };
  head: Head;
};

export const SNX_USD = 0n;
const ADDRESS_DIGITS = 40;

/** Accounts have numbers; to everybody else here they are the addresses with these numbers. */
export function addressOfId(id: bigint): Address {
  return `0x${id.toString(16).padStart(ADDRESS_DIGITS, '0')}`;
}

export function accountOf(id: bigint): Account {
  return { id, collateral: new Map(), positions: new Map(), debt: 0n, flagged: false };
}

/** KeeperCosts.getFlagKeeperCosts counts them: of collateral and of positions. */
export function pricesBehind({ collateral, positions }: Account): number {
  return collateral.size - (collateral.has(SNX_USD) ? 1 : 0) + positions.size;
}

/** Has it anything that could be liquidated? */
export function isExposed({ positions, debt, flagged }: Account): boolean {
  return positions.size > 0 || debt > 0n || flagged;
}

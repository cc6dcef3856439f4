/** What the mirror keeps of one Perp v2 deployment. Plain data; every change after the anchor goes through the journal. */
import type { Address, Head } from '../../lib/types.ts';
import type { Observations } from '../../liquidity/uniswap-v3/observations.ts';
import type { UniswapV3Pool } from '../../liquidity/uniswap-v3/pool.ts';
import type { Slot } from '../types.ts';
import type { CollateralRules } from './collateral.ts';
import type { IndexFeed } from './index-price.ts';

/** Every contract of a deployment. */
export type Contracts = {
  readonly clearingHouse: Address;
  readonly vault: Address;
  readonly accountBalance: Address;
  readonly config: Address;
  readonly registry: Address;
  readonly exchange: Address;
  readonly orderBook: Address;
  readonly insuranceFund: Address;
  readonly collateralManager: Address;
  readonly quote: Address;
  readonly settlement: Address;
};

/** ClearingHouseConfig; ratios in pips, intervals in seconds. */
export type Rules = {
  readonly imPips: bigint;
  readonly mmPips: bigint;
  penaltyPips: bigint;
  maxFundingPips: bigint;
  twapSeconds: number;
  markTwapSeconds: number;
  premiumSeconds: number;
};

export type PerpMarket = {
  readonly base: Address;
  readonly symbol: string;
  /** False: paused or closed. Nothing is worked out for it then, and nothing can be liquidated there. */
  readonly open: boolean;
  /** Undefined: an index of unknown make. Nothing can be worked out either. */
  readonly index: IndexFeed | undefined;
  /** Of the protocol, as our own account pays it. */
  readonly exchangeFeePips: bigint;
  insurancePips: bigint;
  maxSpreadPips: bigint;
  maxTickCrossed: number;
  pool: UniswapV3Pool;
  observations: Observations;
  /** Exchange: when funding was last settled, and the premiums' growth as of then. */
  lastSettledAt: number;
  growthX96: bigint;
  /** Exchange: of the first trade; 0 before it. */
  firstTradedAt: number;
  /** Exchange: what the price limit is told from. */
  lastTick: number;
  lastTickAt: number;
  /** `getIndexPrice` at the mirrored block: of now, and over `premiumSeconds`. */
  readIndex: { readonly spot: bigint | undefined; readonly average: bigint | undefined };
};

/** An account in one market (AccountMarket.Info), and its orders there. */
export type Place = {
  readonly market: PerpMarket;
  sizeWad: bigint;
  openNotionalWad: bigint;
  lastGrowthX96: bigint;
  /** By `LOWER:UPPER`. */
  orders: ReadonlyMap<string, Order>;
};
/** `baseDebtWad`: what of the base the maker owes for it. */
export type Order = { readonly lower: number; readonly upper: number; readonly liquidity: bigint; readonly baseDebtWad: bigint };

export type Account = {
  readonly address: Address;
  /** Of settlement tokens in the vault, in their units; below zero for a debt. */
  balanceRaw: bigint;
  owedPnlWad: bigint;
  /** By base token. */
  readonly places: Map<Address, Place>;
  /** Other tokens in the vault, in their units. */
  readonly collateral: Map<Address, bigint>;
  /** Of accounts that nothing is worked out for: what the chain's views say at the mirrored block. */
  read: Read | undefined;
};
/** Undefined where the view reverts. */
export type Read = { readonly valueWad: bigint | undefined; readonly requirementWad: bigint | undefined };

/** A token that counts as collateral (CollateralManager); the price, over 15 minutes, as of the mirrored block. */
export type Collateral = {
  readonly token: Address;
  readonly symbol: string;
  readonly decimals: number;
  readonly ratioPips: bigint;
  readonly discountPips: bigint;
  readonly priceUnit: bigint;
  price: bigint | undefined;
};

export type PerpState = {
  readonly contracts: Contracts;
  readonly rules: Rules;
  readonly settlement: { readonly symbol: string; readonly decimals: number; readonly unitWad: bigint };
  readonly markets: ReadonlyMap<Address, PerpMarket>;
  readonly collateral: ReadonlyMap<Address, Collateral>;
  readonly collateralRules: CollateralRules;
  readonly accounts: Account[];
  readonly slots: Map<Address, Slot>;
  /**
   * The Executor whose margin takes positions over, whether it counted that margin as it should at the mirrored block (`expectedMeters`), and what its owner let it
   * lose then.
   */
  readonly desk: { readonly executor: Address | undefined; counts: boolean; lossRaw: bigint };
  /** InsuranceFund.getInsuranceFundCapacity at the mirrored block. */
  readonly fund: { capacityRaw: bigint };
  head: Head;
};

/** AccountBalance._DUST: less than this is no position. */
const DUST_WAD = 10n;

/** AccountBalance.getTakerPositionSize. */
export function positionOf({ sizeWad }: Place): bigint {
  return isDust(sizeWad) ? 0n : sizeWad;
}

export function isDust(amountWad: bigint): boolean {
  return amountWad < DUST_WAD && amountWad > -DUST_WAD;
}

/** Is what the account is worth told by its positions and balances alone? Orders earn fees that no event tells, and a market that is not open is priced otherwise. */
export function isWorkedOut(account: Account): boolean {
  for (const { market, sizeWad, openNotionalWad, orders } of account.places.values()) {
    if (orders.size > 0) return false;
    if ((sizeWad !== 0n || openNotionalWad !== 0n) && (!market.open || market.index === undefined)) return false;
  }
  return true;
}

/** Has it anything that could be liquidated? */
export function isExposed(account: Account): boolean {
  for (const { sizeWad, orders } of account.places.values()) if (sizeWad !== 0n || orders.size > 0) return true;
  return account.collateral.size > 0 && (account.balanceRaw < 0n || account.owedPnlWad < 0n);
}

export function placeOf(market: PerpMarket): Place {
  return { market, sizeWad: 0n, openNotionalWad: 0n, lastGrowthX96: 0n, orders: new Map() };
}

export function accountOf(address: Address): Account {
  return { address, balanceRaw: 0n, owedPnlWad: 0n, places: new Map(), collateral: new Map(), read: undefined };
}

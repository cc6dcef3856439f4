/** What the mirror keeps of one Morpho Blue deployment. Plain data; every change after the anchor goes through the journal. */
import type { Address, Head, Hex } from '../../lib/types.ts';
import type { Journal } from '../../mirror/journal.ts';
import type { Changes } from '../bounds.ts';
import type { Slot } from '../types.ts';
import type { DecodedOracle } from './oracle.ts';

export type MarketId = Hex;

export type MarketParams = {
  readonly loanToken: Address;
  readonly collateralToken: Address;
  readonly oracle: Address;
  readonly irm: Address;
  readonly lltv: bigint;
};

export type BlueMarket = {
  readonly id: MarketId;
  /** What people call it: the deployment's name and the beginning of the id. */
  readonly label: string;
  readonly params: MarketParams;
  totalSupplyAssets: bigint;
  totalSupplyShares: bigint;
  totalBorrowAssets: bigint;
  totalBorrowShares: bigint;
  lastUpdate: number;
  fee: bigint;
  /** Of an adaptive-curve IRM, as of its last update; 0 before that. */
  rateAtTarget: bigint;
  /** Of any other IRM: what it answers at the mirrored block. */
  readRate: bigint | undefined;
  /** Its tokens are known, and what could be found out about its oracle is. */
  settled: boolean;
};

export type Position = { readonly market: BlueMarket; readonly account: Address; borrowShares: bigint; collateral: bigint };

/** A contract that liquidates before the market's limit, for those who authorised it at Morpho. Ratios and factors in WAD. */
export type PreLiquidation = {
  readonly address: Address;
  readonly id: MarketId;
  readonly params: PreParams;
  /** What could be found out about its oracle is known. */
  settled: boolean;
};

/** As its constructor fixes them: close factors and incentive factors at `preLltv`, and at the market's `lltv`. */
export type PreParams = {
  readonly preLltv: bigint;
  readonly preLcf1: bigint;
  readonly preLcf2: bigint;
  readonly preLif1: bigint;
  readonly preLif2: bigint;
  readonly oracle: Address;
};

export type Oracle = {
  readonly address: Address;
  /** `price()` at the mirrored block; undefined when it does not answer. */
  answer: bigint | undefined;
  /** How the answer comes about, where that is known. */
  decoded: DecodedOracle | undefined;
};

export type Token = { readonly symbol: string; readonly decimals: number };

export type BlueState = {
  readonly morpho: Address;
  readonly markets: Map<MarketId, BlueMarket>;
  /** By slot. */
  readonly positions: Position[];
  /** By `slotKey`. */
  readonly slots: Map<string, Slot>;
  /** The slots whose position became another, forwards or backwards. */
  readonly changes: Changes;
  /** By address; of markets that ever had debt since the anchor. */
  readonly oracles: Map<Address, Oracle>;
  readonly tokens: Map<Address, Token>;
  /** By market. */
  readonly preLiquidations: Map<MarketId, PreLiquidation[]>;
  /** By whom an address is authorised to act. Empty where the book names no factory. */
  readonly authorised: Map<Address, Set<Address>>;
  /** IRMs that are the adaptive curve, confirmed by their own answers. Every other one is read. */
  readonly adaptive: ReadonlySet<Address>;
  /** What the contract holds of the tokens that are exchanged here: what it lends for nothing. */
  readonly held: Map<Address, bigint>;
  /** The mirrored block. */
  head: Head;
};

export const NO_ADDRESS: Address = `0x${'0'.repeat(40)}`;

export function slotKey(id: MarketId, account: Address): string {
  return id + account;
}

export function hasDebt(market: BlueMarket): boolean {
  return market.totalBorrowShares > 0n;
}

/** To be called with every change of a position after the anchor. */
export function noteChange({ changes }: BlueState, slot: Slot, journal: Journal): void {
  changes.mark(slot);
  journal.record(() => changes.mark(slot));
}

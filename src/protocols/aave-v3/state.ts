/** What the mirror keeps of one Aave market. Plain data; every change after the anchor goes through the journal. */
import type { Address, Head } from '../../lib/types.ts';
import type { AaveOracle } from '../../oracles/aave.ts';
import type { LiveSource } from '../../oracles/sources.ts';
import type { Slot } from '../types.ts';
import type { ReserveConfig } from './config.ts';
import type { Indexes } from './interest.ts';
import type { Rounding } from './liquidation.ts';

export type Reserve = {
  readonly id: number;
  readonly asset: Address;
  readonly symbol: string;
  readonly aToken: Address;
  readonly debtToken: Address;
  readonly source: LiveSource;
  /** One whole token, raw. */
  readonly unit: bigint;
  config: ReserveConfig;
  indexes: Indexes;
  /** Underlying that the pool may still give out: what can be seized, withdrawn, borrowed or flash-borrowed. */
  virtualBalanceRaw: bigint;
  /** No liquidation touches the reserve up to this timestamp, included. */
  graceUntil: number;
};

/** NOTE: an efficiency mode replaces threshold and bonus only for the collateral in its bitmap (by reserve id). */
export type EModeCategory = {
  readonly id: number;
  readonly liquidationThresholdBps: bigint;
  readonly liquidationBonusBps: bigint;
  readonly collateralBitmap: bigint;
};

export type Account = {
  readonly address: Address;
  /** False between the log that reveals an account and the read of its state at the end of that block. */
  known: boolean;
  eMode: number;
  /** Ids of reserves flagged as collateral. */
  readonly collateral: Set<number>;
  /** Scaled aToken balances by reserve id, of those ever flagged; others are read when they become collateral. */
  readonly supplied: Map<number, bigint>;
  /** Scaled debts by reserve id; none is 0. */
  readonly owed: Map<number, bigint>;
};

export type MarketAddresses = {
  readonly provider: Address;
  readonly pool: Address;
  readonly configurator: Address;
  readonly oracle: Address;
  /** The L2 sequencer's sentinel; undefined where there is none. */
  readonly sentinel: Address | undefined;
};

export type MarketState = {
  readonly rounding: Rounding;
  readonly addresses: MarketAddresses;
  /** What prices are in, and who is asked for them. */
  readonly prices: AaveOracle;
  readonly reserves: Map<number, Reserve>;
  readonly byAsset: Map<Address, Reserve>;
  readonly byAToken: Map<Address, Reserve>;
  readonly byDebtToken: Map<Address, Reserve>;
  readonly categories: Map<number, EModeCategory>;
  /** By slot. */
  readonly accounts: Account[];
  readonly slots: Map<Address, Slot>;
  flashPremiumBps: bigint;
  /** The sentinel's word at the mirrored block; true where there is no sentinel. */
  liquidationAllowed: boolean;
  /** The mirrored block. */
  head: Head;
};

export function newAccount(address: Address): Account {
  return { address, known: false, eMode: 0, collateral: new Set(), supplied: new Map(), owed: new Map() };
}

/** What the mirror keeps of one Aave market. Plain data; every change after the anchor goes through the journal. */
import type { Address, Head } from '../../lib/types.ts';
import type { Journal } from '../../mirror/journal.ts';
import type { AaveOracle } from '../../oracles/aave.ts';
import type { LiveSource } from '../../oracles/sources.ts';
import type { Changes } from '../bounds.ts';
import type { Slot } from '../types.ts';
import type { ReserveConfig } from './config.ts';
import type { FixedDebt, Indexes } from './interest.ts';
import type { Rules } from './rules.ts';

export type Reserve = {
  readonly id: number;
  readonly asset: Address;
  readonly symbol: string;
  readonly aToken: Address;
  readonly debtToken: Address;
  /** Of debts at a fixed rate; undefined where the release has none. */
  readonly fixedDebtToken: Address | undefined;
  readonly source: LiveSource;
  /** One whole token, raw. */
  readonly unit: bigint;
  config: ReserveConfig;
  indexes: Indexes;
  /** Underlying that the pool may still give out: what can be seized, withdrawn, borrowed or flash-borrowed. */
  availableRaw: bigint;
  /** No liquidation touches the reserve up to this timestamp, included. */
  graceUntil: number;
};

/** NOTE: an efficiency mode replaces threshold and bonus only for the collateral that it covers (modes.ts). */
export type EModeCategory = {
  readonly id: number;
  readonly liquidationThresholdBps: bigint;
  readonly liquidationBonusBps: bigint;
  /** By reserve id; 0 where reserves name their category instead. */
  readonly collateralBitmap: bigint;
  /** What the oracle is asked for the one price of all covered reserves; the zero address where they keep their own. */
  readonly priceKey: Address;
  /** The source behind `priceKey`. */
  readonly source: LiveSource | undefined;
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
  /** Debts at a fixed rate by reserve id; no principal is 0. */
  readonly fixed: Map<number, FixedDebt>;
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
  readonly rules: Rules;
  readonly addresses: MarketAddresses;
  /** What prices are in, and who is asked for them. */
  readonly prices: AaveOracle;
  readonly reserves: Map<number, Reserve>;
  readonly byAsset: Map<Address, Reserve>;
  readonly byAToken: Map<Address, Reserve>;
  readonly byDebtToken: Map<Address, Reserve>;
  readonly byFixedDebtToken: Map<Address, Reserve>;
  readonly categories: Map<number, EModeCategory>;
  /** By slot. */
  readonly accounts: Account[];
  readonly slots: Map<Address, Slot>;
  /** The slots whose account became another, forwards or backwards. */
  readonly changes: Changes;
  flashPremiumBps: bigint;
  /** The sentinel's word at the mirrored block; true where there is no sentinel. */
  liquidationAllowed: boolean;
  /** The mirrored block. */
  head: Head;
};

export function newAccount(address: Address): Account {
  return { address, known: false, eMode: 0, collateral: new Set(), supplied: new Map(), owed: new Map(), fixed: new Map() };
}

/** To be called with every change of an account after the anchor. */
export function noteChange({ changes }: MarketState, slot: Slot, journal: Journal): void {
  changes.mark(slot);
  journal.record(() => changes.mark(slot));
}

/** Every price source of the market. */
export function sourcesOf({ reserves, categories }: MarketState): readonly LiveSource[] {
  const own = [...reserves.values()].map(({ source }) => source);
  return [...own, ...[...categories.values()].flatMap(({ source }) => source ?? [])];
}

/** Ids of the reserves that the account owes to. */
export function debtIds({ owed, fixed }: Account): readonly number[] {
  return fixed.size === 0 ? [...owed.keys()] : [...new Set([...owed.keys(), ...fixed.keys()])];
}

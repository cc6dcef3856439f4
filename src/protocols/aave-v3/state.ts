/** What the mirror keeps of one Aave market. Plain data; every change after the anchor goes through the journal. */
import type { Address, Head } from '../../lib/types.ts';
import type { Journal } from '../../mirror/journal.ts';
import type { AaveOracle } from '../../oracles/aave.ts';
import type { LiveSource } from '../../oracles/sources.ts';
import type { Changes } from '../bounds.ts';
import type { Slot } from '../types.ts';
import type { Accounts } from './accounts.ts';
import type { ReserveConfig } from './config.ts';
import type { Indexes } from './interest.ts';
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
  readonly accounts: Accounts;
  /** The slots whose account became another, forwards or backwards. */
  readonly changes: Changes;
  flashPremiumBps: bigint;
  /** The sentinel's word at the mirrored block; true where there is no sentinel. */
  liquidationAllowed: boolean;
  /** The mirrored block. */
  head: Head;
};

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

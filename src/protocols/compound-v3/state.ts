/** What the mirror keeps of one Comet: a market of one base asset and its collateral. Plain data; every change after the anchor goes through the journal. */
import type { Address, Head } from '../../lib/types.ts';
import type { Journal } from '../../mirror/journal.ts';
import type { Changes } from '../bounds.ts';
import type { Slot } from '../types.ts';
import type { CometFeed } from './feed.ts';

export const NO_ADDRESS: Address = `0x${'0'.repeat(40)}`;
/** Comet's UserBasic has a bit for each: `assetsIn` and, for the last eight, `_reserved`. */
export const MAX_ASSETS = 24;

export type Token = { readonly address: Address; readonly symbol: string; readonly decimals: number };

/** Rates are a second's, factors scaled by 1e18. */
export type Curve = { readonly kink: bigint; readonly slopeLow: bigint; readonly slopeHigh: bigint; readonly base: bigint };

export type CometAsset = Token & {
  readonly priceFeed: Address;
  /** One whole token. */
  readonly scale: bigint;
  readonly liquidateCollateralFactor: bigint;
  readonly liquidationFactor: bigint;
};

/** All of it is in the implementation's code: it stays the same until the proxy has another. */
export type CometConfig = {
  readonly base: Token & { readonly priceFeed: Address; readonly scale: bigint };
  readonly supply: Curve;
  readonly borrow: Curve;
  readonly storeFrontPriceFactor: bigint;
  readonly targetReserves: bigint;
  /** By their number at Comet. */
  readonly assets: readonly CometAsset[];
};

/** Comet's `totalsBasic`, as stored: interest since the last accrual is not in it. */
export type Totals = {
  readonly baseSupplyIndex: bigint;
  readonly baseBorrowIndex: bigint;
  /** Principals, like an account's. */
  readonly totalSupplyBase: bigint;
  readonly totalBorrowBase: bigint;
  readonly lastAccrualTime: number;
  readonly absorbPaused: boolean;
  readonly buyPaused: boolean;
};

/** Of one asset: what all accounts supplied as collateral, and what the contract has. The rest is the protocol's, to be sold. */
export type Held = { readonly suppliedRaw: bigint; readonly balanceRaw: bigint };

export type Account = {
  readonly address: Address;
  /** Below zero for debt; times an index it is what is owed or owned. */
  principal: bigint;
  /** A bit for each asset that Comet looks at. */
  assetsIn: number;
  /** By asset. */
  readonly collateralRaw: bigint[];
};

export type CometState = {
  readonly comet: Address;
  readonly config: CometConfig;
  totals: Totals;
  baseBalanceRaw: bigint;
  /** By asset. */
  readonly held: Held[];
  readonly accounts: Account[];
  /** Where each account is in the list. */
  readonly places: Map<Address, number>;
  /** The slots whose account, or whose offer, became another, forwards or backwards. */
  readonly changes: Changes;
  readonly feeds: ReadonlyMap<Address, CometFeed>;
  /** The mirrored block. */
  head: Head;
};

/** A slot is an account, or the protocol's own offer of an asset: those come first. */
export type SlotOf = { readonly kind: 'store'; readonly asset: number } | { readonly kind: 'account'; readonly account: Account };

export function storeSlot(asset: number): Slot {
  return asset;
}

export function accountSlot(place: number): Slot {
  return MAX_ASSETS + place;
}

/** To be called with every change of an account, or of what the protocol holds, after the anchor. */
export function noteChange({ changes }: CometState, slot: Slot, journal: Journal): void {
  changes.mark(slot);
  journal.record(() => changes.mark(slot));
}

export function hasSlot({ accounts, config }: CometState, slot: Slot): boolean {
  return slot < MAX_ASSETS ? slot < config.assets.length : slot - MAX_ASSETS < accounts.length;
}

/** Throws a RangeError for a slot that there is not. */
export function slotOf({ accounts, config }: CometState, slot: Slot): SlotOf {
  if (slot >= 0 && slot < config.assets.length) return { kind: 'store', asset: slot };
  const account = accounts[slot - MAX_ASSETS];
  if (account === undefined) throw new RangeError(`no slot ${slot}`);
  return { kind: 'account', account };
}

/** The assets of an account that Comet looks at. */
export function assetsOf({ assetsIn }: Account, { assets }: CometConfig): number[] {
  return [...assets.keys()].filter((place) => (assetsIn & (1 << place)) !== 0);
}

/** What the protocol itself holds of an asset (Comet.getCollateralReserves). */
export function reserveOf({ held }: CometState, asset: number): bigint {
  const { balanceRaw, suppliedRaw } = held[asset]!;
  return balanceRaw > suppliedRaw ? balanceRaw - suppliedRaw : 0n;
}

/** A Comet as of one moment: interest and prices, each worked out once however many positions ask. */
import { MAX_UINT256, mulDivDown, WAD } from '../../lib/math.ts';
import type { Address } from '../../lib/types.ts';
import type { Moment } from '../../oracles/types.ts';
import { priceAt } from './feed.ts';
import { forSale, type Indices, indicesAt, mulFactorDown, presentValue, reservesOf } from './math.ts';
import { type Account, assetsOf, type CometAsset, type CometState } from './state.ts';

export type Standing =
  | { readonly ok: true; readonly healthFactorWad: bigint; readonly borrowedRaw: bigint }
  | { readonly ok: false; readonly reason: string };

export class Lens {
  readonly state: CometState;
  readonly at: Moment;
  readonly indices: Indices;
  /** Of the base asset, as buyCollateral would find them. */
  readonly reserves: bigint;
  readonly #now: Moment;
  readonly #prices = new Map<Address, bigint | undefined>();

  /**
   * @param now the mirrored block itself
   * @param accruedTo the time to which interest counts
   */
  constructor(state: CometState, at: Moment, now: Moment, accruedTo = at.timestamp) {
    this.state = state;
    this.at = at;
    this.#now = now;
    const { totals, config, baseBalanceRaw } = state;
    this.indices = indicesAt(totals, config, accruedTo);
    this.reserves = reservesOf(baseBalanceRaw, { supplied: totals.totalSupplyBase, borrowed: totals.totalBorrowBase }, this.indices);
  }

  /** With 8 decimals, in the currency of this Comet's feeds; undefined where Comet.getPrice would revert. */
  price(feed: Address): bigint | undefined {
    if (!this.#prices.has(feed)) this.#prices.set(feed, priceAt(this.state.feeds.get(feed)!, this.at, this.#now));
    return this.#prices.get(feed);
  }

  /** What an account owes; 0 for one that has no debt. */
  borrowedRaw({ principal }: Account): bigint {
    return principal < 0n ? presentValue(-principal, this.indices.borrow) : 0n;
  }

  /** Comet.mulPrice. */
  valueOf(amountRaw: bigint, { priceFeed, scale }: Pick<CometAsset, 'priceFeed' | 'scale'>): bigint | undefined {
    const price = this.price(priceFeed);
    return price === undefined ? undefined : mulDivDown(amountRaw, price, scale);
  }

  get open(): boolean {
    return !this.state.totals.buyPaused && forSale(this.reserves, this.state.config.targetReserves);
  }
}

/**
 * Comet.isLiquidatable after accrual, as absorb asks: what the collateral counts for against what is owed, liquidatable below one WAD. An asset's price is
 * needed only while those before it do not cover the debt.
 */
export function standingOf(account: Account, lens: Lens): Standing {
  const { config } = lens.state;
  const borrowedRaw = lens.borrowedRaw(account);
  if (account.principal >= 0n) return { ok: true, healthFactorWad: MAX_UINT256, borrowedRaw };
  const owed = lens.valueOf(borrowedRaw, config.base);
  if (owed === undefined) return { ok: false, reason: `price feed ${config.base.priceFeed} does not answer` };
  let counted = 0n;
  for (const place of assetsOf(account, config)) {
    const asset = config.assets[place]!;
    const value = lens.valueOf(account.collateralRaw[place]!, asset);
    if (value === undefined && counted >= owed) break;
    if (value === undefined) return { ok: false, reason: `price feed ${asset.priceFeed} does not answer` };
    counted += mulFactorDown(value, asset.liquidateCollateralFactor);
  }
  return { ok: true, healthFactorWad: owed === 0n ? MAX_UINT256 : mulDivDown(counted, WAD, owed), borrowedRaw };
}

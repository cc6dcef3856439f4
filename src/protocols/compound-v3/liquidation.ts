/** What Comet.absorb leaves behind, and what Comet.buyCollateral gives for how much. Pure: figures in, amounts out. */
import { divUp, max, mulDivDown, WAD } from '../../lib/math.ts';
import type { Regime } from '../types.ts';
import type { Lens } from './lens.ts';
import { mulFactorDown, reservesOf, supplyPrincipalDown } from './math.ts';
import { type Account, assetsOf } from './state.ts';

/** Comet.absorbInternal, as far as selling depends on it; undefined where a price that it needs is missing. */
export type Absorption = {
  /** By asset. */
  readonly seizedRaw: readonly bigint[];
  /** Of the base asset, after it: what the account owed is the protocol's loss, less what its collateral counts for. */
  readonly reserves: bigint;
};

export function absorptionOf(account: Account, lens: Lens): Absorption | undefined {
  const { config, totals, baseBalanceRaw } = lens.state;
  const basePrice = lens.price(config.base.priceFeed);
  if (basePrice === undefined) return undefined;
  const seizedRaw = config.assets.map(() => 0n);
  let credited = 0n;
  for (const place of assetsOf(account, config)) {
    const asset = config.assets[place]!;
    seizedRaw[place] = account.collateralRaw[place]!;
    const value = lens.valueOf(seizedRaw[place]!, asset);
    if (value === undefined) return undefined;
    credited += mulFactorDown(value, asset.liquidationFactor);
  }
  // NOTE: a balance that stays below zero becomes 0: bad debt is the protocol's.
  const balance = max(0n, mulDivDown(credited, config.base.scale, basePrice) - lens.borrowedRaw(account));
  const principals = {
    supplied: totals.totalSupplyBase + supplyPrincipalDown(balance, lens.indices.supply),
    borrowed: totals.totalBorrowBase + account.principal,
  };
  return { seizedRaw, reserves: reservesOf(baseBalanceRaw, principals, lens.indices) };
}

/** Comet.quoteCollateral: prices of the asset and of the base asset, scales of both. */
export type Terms = {
  readonly basePrice: bigint;
  readonly baseScale: bigint;
  readonly scale: bigint;
  /** With the storefront's discount taken off. */
  readonly discountedPrice: bigint;
};

/** Undefined where quoteCollateral would revert. */
export function termsOf(lens: Lens, place: number): Terms | undefined {
  const { base, assets, storeFrontPriceFactor } = lens.state.config;
  const { priceFeed, scale, liquidationFactor } = assets[place]!;
  const [basePrice, price] = [lens.price(base.priceFeed), lens.price(priceFeed)];
  if (basePrice === undefined || price === undefined || liquidationFactor > WAD) return undefined;
  const discount = mulFactorDown(storeFrontPriceFactor, WAD - liquidationFactor);
  if (discount > WAD) return undefined;
  const discountedPrice = mulFactorDown(price, WAD - discount);
  return discountedPrice === 0n ? undefined : { basePrice, baseScale: base.scale, scale, discountedPrice };
}

/** What Comet gives for so much of the base asset. */
export function quoteDown({ basePrice, baseScale, scale, discountedPrice }: Terms, baseRaw: bigint): bigint {
  return (basePrice * baseRaw * scale) / discountedPrice / baseScale;
}

/**
 * What may be paid for an asset of which so much is there: from the least that buys anything to the least that buys all of it. One unit of the base asset
 * may buy many of the collateral, so some of it may be left.
 */
export function payableFor(terms: Terms, availableRaw: bigint): Regime | undefined {
  const least = (collateralRaw: bigint) => {
    const { basePrice, baseScale, scale, discountedPrice } = terms;
    return divUp(collateralRaw * baseScale * discountedPrice, basePrice * scale);
  };
  if (availableRaw === 0n) return undefined;
  const all = least(availableRaw);
  const maxRaw = quoteDown(terms, all) <= availableRaw ? all : all - 1n;
  const minRaw = least(1n);
  return minRaw > maxRaw ? undefined : { minRaw, maxRaw };
}

/** A position as people see it. */

import type { Address } from '../../lib/types.ts';
import type { Moment, UsdPrices } from '../../oracles/types.ts';
import type { Holding, PositionView } from '../types.ts';
import { type MarketNow, standingOf } from './lens.ts';
import type { BlueState, Position } from './state.ts';

/** Amounts with interest to the moment; what has no price in USD counts as 0. */
export function viewOf(position: Position, state: BlueState, now: MarketNow, usd: UsdPrices, at: Moment): PositionView {
  const { account, market, collateral } = position;
  const standing = standingOf(position, now);
  const holding = (asset: Address, amountRaw: bigint): Holding => {
    const token = state.tokens.get(asset);
    const price = usd.usd8(asset, at);
    const valueUsd8 = price === undefined ? 0n : (amountRaw * price.priceUsd8) / 10n ** BigInt(price.decimals);
    return { asset, symbol: token?.symbol ?? asset.slice(0, 10), decimals: token?.decimals ?? price?.decimals ?? 0, amountRaw, valueUsd8 };
  };
  const held = collateral === 0n ? [] : [holding(market.params.collateralToken, collateral)];
  const owed = standing.ok && standing.borrowedRaw > 0n ? [holding(market.params.loanToken, standing.borrowedRaw)] : [];
  const sum = (holdings: readonly Holding[]) => holdings.reduce((total, { valueUsd8 }) => total + valueUsd8, 0n);
  return { account, collateral: held, debt: owed, collateralUsd8: sum(held), debtUsd8: sum(owed) };
}

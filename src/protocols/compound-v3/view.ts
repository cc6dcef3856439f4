/** A position as people see it. */
import type { UsdPrices } from '../../oracles/types.ts';
import type { Holding, PositionView } from '../types.ts';
import type { Lens } from './lens.ts';
import { assetsOf, reserveOf, type SlotOf, type Token } from './state.ts';

/** Amounts with interest to the moment; what has no price in USD counts as 0. The protocol's own offer is its holding, and owes nothing. */
export function viewOf(slot: SlotOf, lens: Lens, usd: UsdPrices): PositionView {
  const { comet, config } = lens.state;
  const holding = ({ address: asset, symbol, decimals }: Token, amountRaw: bigint): Holding => {
    const price = usd.usd8(asset, lens.at);
    return {
      asset,
      symbol,
      decimals,
      amountRaw,
      valueUsd8: price === undefined ? 0n : (amountRaw * price.priceUsd8) / 10n ** BigInt(price.decimals),
    };
  };
  if (slot.kind === 'store') {
    const held = holding(config.assets[slot.asset]!, reserveOf(lens.state, slot.asset));
    return { account: comet, collateral: [held], debt: [], collateralUsd8: held.valueUsd8, debtUsd8: 0n };
  }
  const { account } = slot;
  const collateral = assetsOf(account, config).map((place) => holding(config.assets[place]!, account.collateralRaw[place]!));
  const owed = lens.borrowedRaw(account);
  const debt = owed === 0n ? [] : [holding(config.base, owed)];
  const sum = (holdings: readonly Holding[]) => holdings.reduce((total, { valueUsd8 }) => total + valueUsd8, 0n);
  return { account: account.address, collateral, debt, collateralUsd8: sum(collateral), debtUsd8: sum(debt) };
}

/** An account as people see it: what it has in the vault, and its positions at the mark price, short ones as debt. */
import type { Address } from '../../lib/types.ts';
import type { Moment, UsdPrices } from '../../oracles/types.ts';
import type { Holding, PositionView } from '../types.ts';
import type { Lens } from './lens.ts';
import { abs, mulDivToZero, WAD } from './math.ts';
import { type Account, type PerpState, positionOf } from './state.ts';

/** A credit counts as one dollar, as it does at the venue; what else has no price counts as 0. */
export function viewOf(
  account: Account,
  { contracts, settlement, collateral }: PerpState,
  lens: Lens,
  usd: UsdPrices,
  at: Moment,
): PositionView {
  const token = (asset: Address, symbol: string, decimals: number, amountRaw: bigint): Holding => {
    const price = usd.usd8(asset, at);
    return {
      asset,
      symbol,
      decimals,
      amountRaw,
      valueUsd8: price === undefined ? 0n : (amountRaw * price.priceUsd8) / 10n ** BigInt(price.decimals),
    };
  };
  const balanceRaw = account.balanceRaw + account.owedPnlWad / settlement.unitWad;
  const balance = token(contracts.settlement, settlement.symbol, settlement.decimals, abs(balanceRaw));
  const positions = [...account.places.values()].flatMap((place) => {
    const { base, symbol } = place.market;
    const sizeWad = positionOf(place);
    const now = lens.market(place.market);
    const valueUsd8 = typeof now === 'string' ? 0n : abs(mulDivToZero(sizeWad, now.markWad, WAD)) / 10n ** 10n;
    return sizeWad === 0n
      ? []
      : [{ long: sizeWad > 0n, holding: { asset: base, symbol, decimals: 18, amountRaw: abs(sizeWad), valueUsd8 } }];
  });
  const held = [
    ...(balanceRaw > 0n ? [balance] : []),
    ...[...account.collateral].map(([asset, amountRaw]) => {
      const known = collateral.get(asset);
      return token(asset, known?.symbol ?? asset.slice(0, 10), known?.decimals ?? 18, amountRaw);
    }),
    ...positions.flatMap(({ long, holding }) => (long ? [holding] : [])),
  ];
  const owed = [...(balanceRaw < 0n ? [balance] : []), ...positions.flatMap(({ long, holding }) => (long ? [] : [holding]))];
  const sum = (holdings: readonly Holding[]) => holdings.reduce((total, { valueUsd8 }) => total + valueUsd8, 0n);
  return { account: account.address, collateral: held, debt: owed, collateralUsd8: sum(held), debtUsd8: sum(owed) };
}

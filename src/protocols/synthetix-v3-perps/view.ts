/** An account as people see it: collateral and long positions, debt and short ones, at the protocol's own prices. */
import type { Address } from '../../lib/types.ts';
import type { Holding, PositionView } from '../types.ts';
import type { Lens } from './lens.ts';
import { abs, mulWadToZero } from './math.ts';
import { type Account, addressOfId, SNX_USD } from './state.ts';

const WAD_TO_USD8 = 10n ** 10n;

/** An snxUSD counts as one dollar, as it does in the protocol; what has no price counts as 0. */
export function viewOf(account: Account, lens: Lens): PositionView {
  const { contracts, collateral } = lens.state;
  const holding = (asset: Address, symbol: string, amountRaw: bigint, usdWad: bigint): Holding => ({
    ...{ asset, symbol, decimals: 18, amountRaw, valueUsd8: usdWad / WAD_TO_USD8 },
  });
  const positions = [...account.positions.values()].map(({ market, size }) => {
    const now = lens.market(market);
    const usdWad = typeof now === 'string' ? 0n : mulWadToZero(abs(size), now.priceWad);
    return { long: size > 0n, holding: holding(addressOfId(market.id), market.symbol, abs(size), usdWad) };
  });
  const held = [...account.collateral].map(([kind, amount]) => {
    const known = collateral.get(kind);
    if (kind === SNX_USD || known === undefined) return holding(contracts.usd, 'snxUSD', amount, amount);
    return holding(known.token, known.symbol, amount, mulWadToZero(amount, lens.price(known.price) ?? 0n));
  });
  const plus = [...held, ...positions.flatMap(({ long, holding: one }) => (long ? [one] : []))];
  const minus = [
    ...(account.debt > 0n ? [holding(contracts.usd, 'snxUSD', account.debt, account.debt)] : []),
    ...positions.flatMap(({ long, holding: one }) => (long ? [] : [one])),
  ];
  const sum = (holdings: readonly Holding[]) => holdings.reduce((total, { valueUsd8 }) => total + valueUsd8, 0n);
  return { account: addressOfId(account.id), collateral: plus, debt: minus, collateralUsd8: sum(plus), debtUsd8: sum(minus) };
}

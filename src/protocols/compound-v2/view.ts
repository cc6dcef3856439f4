/** A position as people see it. */
import type { Holding, PositionView } from '../types.ts';
import { standingOf } from './health.ts';
import type { Lens } from './lens.ts';
import { borrowBalance, wadMulDown } from './math.ts';
import type { Account, Market } from './state.ts';

/** The oracle's prices are USD in wad; these count 8 decimals. */
const USD_WAD_PER_USD8 = 10n ** 10n;

/** Amounts with interest to the moment; what has no price counts as 0. */
export function viewOf(account: Account, lens: Lens): PositionView {
  const standing = standingOf(account, lens);
  const holding = ({ underlying: asset, symbol, decimals }: Market, amountRaw: bigint, price: bigint): Holding => {
    return { asset, symbol, decimals, amountRaw, valueUsd8: wadMulDown(amountRaw, price) / USD_WAD_PER_USD8 };
  };
  const sides = standing.ok ? standing.sides : [];
  const collateral = sides
    .filter((side) => side.holding.tokens > 0n)
    .map(({ holding: { market, tokens }, now, price }) => holding(market, wadMulDown(now.accrued.rateWad, tokens), price));
  const debt = sides
    .filter((side) => side.holding.principal > 0n)
    .map(({ holding: own, now, price }) => holding(own.market, borrowBalance(own, now.accrued.borrowIndex), price));
  const sum = (holdings: readonly Holding[]) => holdings.reduce((total, { valueUsd8 }) => total + valueUsd8, 0n);
  return { account: account.address, collateral, debt, collateralUsd8: sum(collateral), debtUsd8: sum(debt) };
}

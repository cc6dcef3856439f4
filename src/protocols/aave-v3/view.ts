/** A position as people see it. */
import { divUp } from '../../lib/math.ts';
import type { Holding, PositionView } from '../types.ts';
import { collateralRaw, debtRaw } from './health.ts';
import type { Lens, ReserveNow } from './lens.ts';
import type { Account } from './state.ts';

/** Amounts with interest to the lens's moment; what has no price counts as 0. */
export function viewOf(account: Account, lens: Lens): PositionView {
  const collateral: Holding[] = [];
  for (const id of account.collateral) {
    const now = lens.reserve(id);
    const scaled = account.supplied.get(id) ?? 0n;
    if (now === undefined || scaled === 0n) continue;
    const amountRaw = collateralRaw(scaled, now);
    collateral.push(holding(now, amountRaw, (amountRaw * (now.price ?? 0n)) / now.reserve.unit));
  }
  const debt: Holding[] = [];
  for (const [id, scaled] of account.owed) {
    const now = lens.reserve(id);
    if (now === undefined) continue;
    const amountRaw = debtRaw(scaled, now);
    debt.push(holding(now, amountRaw, divUp(amountRaw * (now.price ?? 0n), now.reserve.unit)));
  }
  return { account: account.address, collateral, debt, collateralUsd8: sum(collateral), debtUsd8: sum(debt) };
}

function holding({ reserve }: ReserveNow, amountRaw: bigint, valueUsd8: bigint): Holding {
  return { asset: reserve.asset, symbol: reserve.symbol, decimals: reserve.config.decimals, amountRaw, valueUsd8 };
}

function sum(holdings: readonly Holding[]): bigint {
  return holdings.reduce((total, { valueUsd8 }) => total + valueUsd8, 0n);
}

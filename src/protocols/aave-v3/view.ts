/** A position as people see it. */
import { divUp, mulDivDown } from '../../lib/math.ts';
import type { AaveOracle } from '../../oracles/aave.ts';
import type { Moment, UsdPrices } from '../../oracles/types.ts';
import type { Holding, PositionView } from '../types.ts';
import { type Account, debtIds } from './account.ts';
import type { Lens, ReserveNow } from './lens.ts';

const USD_UNIT = 100_000_000n;

/** What a price in the oracle's base currency is in USD with 8 decimals: `price * numerator / denominator`. */
export type BaseInUsd = { readonly numerator: bigint; readonly denominator: bigint };

/** A base currency that nobody prices in USD is worth 0 to people; nothing is decided by it. */
export function usdOf({ base, unit }: AaveOracle, usd: UsdPrices | undefined, at: Moment): BaseInUsd {
  return { numerator: base === undefined ? USD_UNIT : (usd?.usd8(base, at)?.priceUsd8 ?? 0n), denominator: unit };
}

/** Amounts with interest to the lens's moment; what has no price counts as 0. */
export function viewOf(account: Account, lens: Lens, { numerator, denominator }: BaseInUsd): PositionView {
  const mode = lens.mode(account.eMode);
  const collateral: Holding[] = [];
  for (const id of account.collateral) {
    const now = lens.reserve(id);
    const scaled = account.supplied.get(id) ?? 0n;
    if (now === undefined || scaled === 0n) continue;
    const amountRaw = lens.suppliedRaw(scaled, now);
    const valueBase = mulDivDown(amountRaw, lens.priceIn(mode, now) ?? 0n, now.reserve.unit);
    collateral.push(holding(now, amountRaw, (valueBase * numerator) / denominator));
  }
  const debt: Holding[] = [];
  for (const id of debtIds(account)) {
    const now = lens.reserve(id);
    if (now === undefined) continue;
    const amountRaw = lens.debtRaw(account.owed.get(id) ?? 0n, account.fixed.get(id), now).totalRaw;
    const valueBase = lens.rules.weighing.debtBase(amountRaw, lens.priceIn(mode, now) ?? 0n, now.reserve.unit);
    debt.push(holding(now, amountRaw, divUp(valueBase * numerator, denominator)));
  }
  return { account: account.address, collateral, debt, collateralUsd8: sum(collateral), debtUsd8: sum(debt) };
}

function holding({ reserve }: ReserveNow, amountRaw: bigint, valueUsd8: bigint): Holding {
  return { asset: reserve.asset, symbol: reserve.symbol, decimals: reserve.config.decimals, amountRaw, valueUsd8 };
}

function sum(holdings: readonly Holding[]): bigint {
  return holdings.reduce((total, { valueUsd8 }) => total + valueUsd8, 0n);
}

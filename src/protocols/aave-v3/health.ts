/** An account's standing as the pool computes it: GenericLogic.calculateUserAccountData, to the unit. */
import { mulDivDown } from '../../lib/math.ts';
import type { Lens, ReserveNow } from './lens.ts';
import { type Account, debtIds } from './state.ts';

export type AccountData = {
  readonly collateralBase: bigint;
  readonly debtBase: bigint;
  /** Wad; the largest uint256 when there is no debt. */
  readonly healthFactorWad: bigint;
};

export type Standing = ({ readonly ok: true } & AccountData) | { readonly ok: false; readonly reason: string };

export function standingOf(account: Account, lens: Lens): Standing {
  if (!account.known) return { ok: false, reason: 'account not read yet' };
  const { weighing } = lens.rules;
  const mode = lens.mode(account.eMode);
  if (mode?.priced && mode.price === undefined) return { ok: false, reason: `no price of efficiency mode ${mode.category.id}` };
  let collateralBase = 0n;
  let weighted = 0n;
  for (const id of account.collateral) {
    const now = lens.reserve(id);
    const scaled = account.supplied.get(id);
    if (now === undefined || scaled === undefined) return { ok: false, reason: `reserve ${id} not read yet` };
    const price = lens.priceIn(mode, now);
    // NOTE: the pool asks the price of every flagged reserve, and reverts without it, even where the balance is 0.
    if (price === undefined) return noPrice(now);
    const ownBps = now.reserve.config.liquidationThresholdBps;
    if (ownBps === 0n && !weighing.countsUnweighted) continue;
    const valueBase = mulDivDown(lens.suppliedRaw(scaled, now), price, now.reserve.unit);
    collateralBase += valueBase;
    weighted += valueBase * (lens.covering(mode, now.reserve)?.liquidationThresholdBps ?? ownBps);
  }
  let debtBase = 0n;
  for (const id of debtIds(account)) {
    const now = lens.reserve(id);
    if (now === undefined) return { ok: false, reason: `reserve ${id} not read yet` };
    const price = lens.priceIn(mode, now);
    if (price === undefined) return noPrice(now);
    debtBase += weighing.debtBase(lens.debtRaw(account, now).totalRaw, price, now.reserve.unit);
  }
  return { ok: true, collateralBase, debtBase, healthFactorWad: weighing.healthFactorWad(collateralBase, weighted, debtBase) };
}

function noPrice(now: ReserveNow): Standing {
  return { ok: false, reason: `no price of ${now.reserve.symbol}` };
}

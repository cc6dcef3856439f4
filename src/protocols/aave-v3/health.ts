/** An account's standing as the pool computes it: GenericLogic.calculateUserAccountData, to the unit. */
import { mulDivDown } from '../../lib/math.ts';
import type { Slot } from '../types.ts';
import type { Accounts } from './accounts.ts';
import type { Lens, ReserveNow } from './lens.ts';

export type AccountData = {
  readonly collateralBase: bigint;
  readonly debtBase: bigint;
  /** Wad; the largest uint256 when there is no debt. */
  readonly healthFactorWad: bigint;
};

export type Standing = ({ readonly ok: true } & AccountData) | { readonly ok: false; readonly reason: string };

export function standingOf(accounts: Accounts, slot: Slot, lens: Lens): Standing {
  if (!accounts.isKnown(slot)) return { ok: false, reason: 'account not read yet' };
  const { weighing } = lens.rules;
  const mode = lens.mode(accounts.eModeOf(slot));
  if (mode?.priced && mode.price === undefined) return { ok: false, reason: `no price of efficiency mode ${mode.category.id}` };
  const first = accounts.first(slot);
  const end = accounts.end(slot);
  let collateralBase = 0n;
  let weighted = 0n;
  for (let entry = first; entry < end; entry++) {
    if (!accounts.isCollateral(entry)) continue;
    const now = lens.reserve(accounts.reserveOf(entry));
    const scaled = accounts.amountOf(entry);
    if (now === undefined || scaled === undefined) return notRead(accounts.reserveOf(entry));
    const price = lens.priceIn(mode, now);
    // NOTE: the pool asks the price of every flagged reserve, and reverts without it, even where the balance is 0.
    if (price === undefined) return noPrice(now);
    const ownBps = now.reserve.config.liquidationThresholdBps;
    if (ownBps === 0n && !weighing.countsUnweighted) continue;
    const valueBase = mulDivDown(lens.suppliedRaw(scaled, now), price, now.reserve.unit);
    collateralBase += valueBase;
    weighted += valueBase * (lens.covering(mode, now.reserve)?.liquidationThresholdBps ?? ownBps);
  }
  const fixed = accounts.fixedOf(slot);
  let debtBase = 0n;
  for (let entry = first; entry < end; entry++) {
    if (!accounts.isDebt(entry)) continue;
    const id = accounts.reserveOf(entry);
    const now = lens.reserve(id);
    const scaled = accounts.amountOf(entry);
    if (now === undefined || scaled === undefined) return notRead(id);
    const price = lens.priceIn(mode, now);
    if (price === undefined) return noPrice(now);
    debtBase += weighing.debtBase(lens.debtRaw(scaled, fixed.get(id), now).totalRaw, price, now.reserve.unit);
  }
  for (const [id, debt] of fixed) {
    if (accounts.owedOf(slot, id) !== 0n) continue;
    const now = lens.reserve(id);
    if (now === undefined) return notRead(id);
    const price = lens.priceIn(mode, now);
    if (price === undefined) return noPrice(now);
    debtBase += weighing.debtBase(lens.debtRaw(0n, debt, now).totalRaw, price, now.reserve.unit);
  }
  return { ok: true, collateralBase, debtBase, healthFactorWad: weighing.healthFactorWad(collateralBase, weighted, debtBase) };
}

function notRead(id: number): Standing {
  return { ok: false, reason: `reserve ${id} not read yet` };
}

function noPrice(now: ReserveNow): Standing {
  return { ok: false, reason: `no price of ${now.reserve.symbol}` };
}

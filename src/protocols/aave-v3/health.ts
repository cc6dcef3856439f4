/** An account's standing as the pool computes it: GenericLogic.calculateUserAccountData, to the unit. */
import { BPS, MAX_UINT256, mulDivDown, mulDivUp, rayMulDown, rayMulUp, wadDivHalfUp } from '../../lib/math.ts';
import type { Lens, ReserveNow } from './lens.ts';
import type { Account } from './state.ts';

export type AccountData = {
  readonly collateralBase: bigint;
  readonly debtBase: bigint;
  /** Wad; the largest uint256 when there is no debt. */
  readonly healthFactorWad: bigint;
};

export type Standing = ({ readonly ok: true } & AccountData) | { readonly ok: false; readonly reason: string };

export function standingOf(account: Account, lens: Lens): Standing {
  if (!account.known) return { ok: false, reason: 'account not read yet' };
  let collateralBase = 0n;
  let weighted = 0n;
  for (const id of account.collateral) {
    const now = lens.reserve(id);
    const scaled = account.supplied.get(id);
    if (now === undefined || scaled === undefined) return { ok: false, reason: `reserve ${id} not read yet` };
    // NOTE: the pool asks the price of every flagged reserve, and reverts without it, even where the balance is 0.
    if (now.price === undefined) return noPrice(now);
    const valueBase = mulDivDown(collateralRaw(scaled, now), now.price, now.reserve.unit);
    const mode = lens.modeOf(account.eMode, id);
    collateralBase += valueBase;
    weighted += valueBase * (mode?.liquidationThresholdBps ?? now.reserve.config.liquidationThresholdBps);
  }
  let debtBase = 0n;
  for (const [id, scaled] of account.owed) {
    const now = lens.reserve(id);
    if (now === undefined) return { ok: false, reason: `reserve ${id} not read yet` };
    if (now.price === undefined) return noPrice(now);
    debtBase += mulDivUp(debtRaw(scaled, now), now.price, now.reserve.unit);
  }
  const healthFactorWad = debtBase === 0n ? MAX_UINT256 : wadDivHalfUp(weighted, debtBase) / BPS;
  return { ok: true, collateralBase, debtBase, healthFactorWad };
}

/** TokenMath.getATokenBalance. */
export function collateralRaw(scaled: bigint, now: ReserveNow): bigint {
  return rayMulDown(scaled, now.incomeIndexRay);
}

/** TokenMath.getVTokenBalance. */
export function debtRaw(scaled: bigint, now: ReserveNow): bigint {
  return rayMulUp(scaled, now.debtIndexRay);
}

function noPrice(now: ReserveNow): Standing {
  return { ok: false, reason: `no price of ${now.reserve.symbol}` };
}

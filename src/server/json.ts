import { getAddress } from 'viem/utils';
import type { Efficiency } from '../ledger/efficiency.ts';
import type { AttemptLine, Totals } from '../ledger/report.ts';
import type { Stated, StatedRisk } from '../ledger/stated.ts';
import { usdText } from '../lib/usd.ts';
import type { PositionRow } from '../pipeline/positions.ts';
import type { Holding } from '../protocols/types.ts';
import type { ExecutionRisk } from '../strategy/risk.ts';
import type { Plan, SkipReason } from '../strategy/types.ts';
import type { Happening, KeeperStatus } from './view.ts';

/**
 * The outside form of what the program knows, for HTTP and for `--json` alike: big integers as decimal strings, USD as plain decimals without the `8` in the name,
 * addresses with their checksum, undefined left out.
 */
export function statusJson(status: KeeperStatus) {
  const { readiness, head, totals, efficiency, ...rest } = status;
  return outside({ ...readinessJson(readiness), ...rest, head, totals: totalsJson(totals), efficiency: efficiencyJson(efficiency) });
}

export function readinessJson(readiness: KeeperStatus['readiness']) {
  return readiness.ready
    ? { ready: true as const, block: readiness.block, lagMs: Math.round(readiness.lagMs) }
    : { ready: false as const, because: readiness.because };
}

export function positionJson({ protocol, market, healthFactorWad, liquidatable, view, verdict }: PositionRow) {
  return outside({
    protocol,
    market,
    account: view.account,
    ...(healthFactorWad !== undefined && { healthFactorWad }),
    liquidatable,
    collateralUsd: usdText(view.collateralUsd8),
    debtUsd: usdText(view.debtUsd8),
    collateral: view.collateral.map(holdingJson),
    debt: view.debt.map(holdingJson),
    ...('plan' in verdict ? { plan: planJson(verdict.plan, verdict.risk) } : { skip: skipJson(verdict.skip) }),
  });
}

export function planJson(plan: Plan, risk?: ExecutionRisk) {
  const {
    option,
    debtAsset,
    collateralAsset,
    repayRaw,
    seizedRaw,
    route,
    flash,
    flashFeeRaw,
    grossWei,
    gasUnits,
    gasWei,
    bidWei,
    profitWei,
  } = plan;
  return outside({
    option,
    debtAsset,
    collateralAsset,
    repayRaw,
    seizedRaw,
    repayUsd: usdText(plan.repayUsd8),
    route,
    flash,
    flashFeeRaw,
    grossWei,
    gasUnits,
    gasWei,
    bidWei,
    profitWei,
    profitUsd: usdText(plan.profitUsd8),
    ...(plan.told !== undefined && { told: plan.told }),
    ...(risk && { risk: riskJson(risk) }),
  });
}

export function riskJson({ expectedProfitUsd8, worstProfitUsd8, ...rest }: ExecutionRisk) {
  return outside({ ...rest, expectedProfitUsd: usdText(expectedProfitUsd8), worstProfitUsd: usdText(worstProfitUsd8) });
}

/** NOTE: the figures come first, so that none of them can take the reason's place. */
export function skipJson({ reason, figures }: SkipReason) {
  return outside({ ...figures, reason });
}

export function attemptJson(line: AttemptLine) {
  const { repayUsd8, expectedProfitUsd8, profitUsd8, risk, ...rest } = line;
  return outside({
    ...rest,
    repayUsd: usdText(repayUsd8),
    expectedProfitUsd: usdText(expectedProfitUsd8),
    ...(profitUsd8 !== undefined && { profitUsd: usdText(profitUsd8) }),
    ...(risk && { risk: statedRiskJson(risk) }),
  });
}

function statedRiskJson({ expectedProfitUsd8, worstProfitUsd8, ...rest }: StatedRisk) {
  return { ...rest, expectedProfitUsd: usdText(expectedProfitUsd8), worstProfitUsd: usdText(worstProfitUsd8) };
}

/** Shares in basis points, left out where there is nothing to take a share of. */
export function efficiencyJson({ residualDebtUsd8, missedProfitUsd8, ...shares }: Efficiency) {
  const missedProfitUsd = Object.fromEntries(Object.entries(missedProfitUsd8).map(([cause, usd8]) => [cause, usdText(usd8)]));
  return { ...outside(shares), residualDebtUsd: usdText(residualDebtUsd8), missedProfitUsd };
}

export function statedJson({ expectedProfitUsd8, profitUsd8, ...counts }: Stated) {
  return { ...counts, expectedProfitUsd: usdText(expectedProfitUsd8), profitUsd: usdText(profitUsd8) };
}

export function totalsJson({ profitUsd8, gasUsd8, bidUsd8, ...counts }: Totals) {
  return { profitUsd: usdText(profitUsd8), gasUsd: usdText(gasUsd8), bidUsd: usdText(bidUsd8), ...counts };
}

export function happeningJson({ at, event, fields }: Happening) {
  return outside({ at, event, fields });
}

function holdingJson({ valueUsd8, ...rest }: Holding) {
  return { ...rest, valueUsd: usdText(valueUsd8) };
}

const ADDRESS = /^0x[0-9a-f]{40}$/;

/** What a value becomes on its way out. */
export type Outside<T> = T extends bigint
  ? string
  : T extends string | number | boolean | null
    ? T
    : T extends readonly (infer Item)[]
      ? readonly Outside<Item>[]
      : T extends object
        ? { readonly [K in keyof T]: Outside<T[K]> }
        : T;

export function outside<T>(value: T): Outside<T> {
  return convert(value) as Outside<T>;
}

function convert(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return ADDRESS.test(value) ? getAddress(value) : value;
  if (Array.isArray(value)) return value.map(convert);
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, each]) => (each === undefined ? [] : [[name, convert(each)]])));
}

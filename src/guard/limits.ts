import type { SkipCode, SkipReason } from '../strategy/types.ts';
import type { Limits, Switch } from './types.ts';

/** The window of the limits a day: any 24 hours, not the calendar's. */
export const DAY_MS = 86_400_000;

/** What the guard needs to know of a plan. */
export type PlanFigures = {
  readonly protocol: string;
  readonly market: string;
  /** What else the market is known by: its contract, an id. */
  readonly aliases: readonly string[];
  /** Debt, collateral and whatever else it would hold in between. Lower case. */
  readonly tokens: readonly string[];
  readonly repayUsd8: bigint;
};

/** What it needs to know of the transaction that would carry it, or several. */
export type TransactionFigures = {
  readonly baseFeeWei: bigint;
  /** Most that its gas can cost. */
  readonly worstGasUsd8: bigint;
  /** Most that it can lose: its gas where it may be mined and revert, nothing where a failed bundle is not mined. */
  readonly worstLossUsd8: bigint;
};

/** Sums of the last 24 hours, from the ledger; what is under way is in them at its worst. */
export type Spent = {
  readonly gasUsd8: bigint;
  readonly lossUsd8: bigint;
  readonly consecutiveFailures: number;
};

export type GuardState = { readonly limits: Limits; readonly spent: Spent; readonly switch: Switch };

export type GuardVerdict = { readonly ok: true } | { readonly ok: false; readonly skip: SkipReason };

const YES: GuardVerdict = { ok: true };

/** May this plan be sent now, in this transaction, for this operator? The first limit that forbids it is named, with its figures. */
export function checkPlan(plan: PlanFigures, transaction: TransactionFigures, state: GuardState): GuardVerdict {
  const verdict = checkMarket(plan, state.limits);
  return verdict.ok ? checkTransaction(transaction, state) : verdict;
}

/** The part that concerns the position alone; it changes only with the configuration. */
export function checkMarket(plan: PlanFigures, limits: Limits): GuardVerdict {
  const names = [plan.market, ...plan.aliases].flatMap((name) => [name, `${plan.protocol}/${name}`]);
  const market = names.map((name) => name.toLowerCase()).find((name) => limits.denyMarkets.has(name));
  if (market !== undefined) return no('market-denied', { market });
  const token = plan.tokens.find((each) => limits.denyTokens.has(each) || limits.allowTokens?.has(each) === false);
  if (token !== undefined) return no('token-denied', { token });
  if (plan.repayUsd8 > limits.maxPositionUsd8)
    return over('position-too-large', 'MAX_POSITION_USD', plan.repayUsd8, limits.maxPositionUsd8);
  return YES;
}

/** The part that concerns the moment: switch, breaker, base fee, and the day's sums if this transaction were to fail at its worst. */
export function checkTransaction(transaction: TransactionFigures, { limits, spent, switch: position }: GuardState): GuardVerdict {
  if (position !== 'running') return no(position, {});
  if (spent.consecutiveFailures >= limits.maxConsecutiveFailures)
    return no('breaker-open', { failures: String(spent.consecutiveFailures), limit: String(limits.maxConsecutiveFailures) });
  if (transaction.baseFeeWei > limits.maxBaseFeeWei)
    return no('gas-too-high', { baseFeeWei: String(transaction.baseFeeWei), limitWei: String(limits.maxBaseFeeWei) });
  const gasUsd8 = spent.gasUsd8 + transaction.worstGasUsd8;
  if (gasUsd8 > limits.maxGasUsd8PerDay) return over('limit-reached', 'MAX_GAS_USD_PER_DAY', gasUsd8, limits.maxGasUsd8PerDay);
  const lossUsd8 = spent.lossUsd8 + transaction.worstLossUsd8;
  if (lossUsd8 > limits.maxLossUsd8PerDay) return over('limit-reached', 'MAX_LOSS_USD_PER_DAY', lossUsd8, limits.maxLossUsd8PerDay);
  return YES;
}

function over(reason: SkipCode, limit: string, wouldBeUsd8: bigint, limitUsd8: bigint): GuardVerdict {
  return no(reason, { limit, wouldBeUsd8: String(wouldBeUsd8), limitUsd8: String(limitUsd8) });
}

function no(reason: SkipCode, figures: SkipReason['figures']): GuardVerdict {
  return { ok: false, skip: { reason, figures } };
}

import type { BreakerState } from '../guard/breaker.ts';
import { Budget } from '../guard/budget.ts';
import { checkPlan, DAY_MS } from '../guard/limits.ts';
import type { Repeats } from '../guard/repeats.ts';
import type { Limits } from '../guard/types.ts';
import type { Ledger } from '../ledger/types.ts';
import { weiToUsd8Floor } from '../lib/usd.ts';
import { byProfit } from '../strategy/block.ts';
import { closesPosition, type Plan, type SkipReason } from '../strategy/types.ts';
import type { Approve } from './on-block.ts';

/**
 * Room over the planned gas and base fee that the signed transaction will ask for at least: plans beyond the limits are not even rehearsed. What it asks for
 * in the end is held against the limits again, by the budget.
 */
const WORST_GAS_BPS = 13_000n;
const WORST_FEE_NUMERATOR = 9n;
const WORST_FEE_DENOMINATOR = 8n;
const BPS = 10_000n;
const MINUTE_MS = 60_000;

/**
 * The guard over the durable record: each plan is judged with everything under way, and the plans before it, counted at their worst.
 *
 * @param mayRevertOnChain false where only bundles are sent: one that fails is not mined
 */
export function approveBy(
  limits: Limits,
  ledger: Ledger,
  breaker: () => BreakerState,
  repeats: Repeats,
  mayRevertOnChain: boolean,
  nowMs: () => number,
): Approve {
  return async (plans, terms, at) => {
    // By the minute: what was spent counts for up to one more, and the ledger need not be asked again within it.
    const spent = await ledger.spending(Math.floor(nowMs() / MINUTE_MS) * MINUTE_MS - DAY_MS);
    const state = breaker();
    const consecutiveFailures = state.openSince === undefined ? 0 : limits.maxConsecutiveFailures;
    const budget = new Budget({ limits, spent: { ...spent, consecutiveFailures }, switch: state.switch }, at.baseFeeWei, mayRevertOnChain);
    let { gasUsd8, lossUsd8 } = spent;
    const verdicts = new Map<Plan, SkipReason | undefined>();
    // NOTE: plans come in the order of execution, the least profitable first: what is left of a limit is for those that are worth most.
    for (const plan of plans.toSorted(byProfit)) {
      // It lowers what is at risk: no limit, no breaker and no switch holds it back.
      if (closesPosition(plan)) continue;
      const repeated = repeats.check(plan);
      if (repeated !== undefined) {
        verdicts.set(plan, repeated);
        continue;
      }
      const worstGasWei = (((plan.gasUnits * WORST_GAS_BPS) / BPS) * terms.gasPriceWei * WORST_FEE_NUMERATOR) / WORST_FEE_DENOMINATOR;
      const worstGasUsd8 = weiToUsd8Floor(worstGasWei, terms.numeraireUsd8) + 1n;
      const worstLossUsd8 = mayRevertOnChain ? worstGasUsd8 : 0n;
      const verdict = checkPlan(
        {
          protocol: plan.candidate.protocol,
          market: plan.candidate.market,
          aliases: plan.candidate.aliases,
          tokens: [plan.debtAsset, plan.collateralAsset],
          repayUsd8: plan.repayUsd8,
        },
        { baseFeeWei: at.baseFeeWei, worstGasUsd8, worstLossUsd8 },
        { limits, spent: { gasUsd8, lossUsd8, consecutiveFailures }, switch: state.switch },
      );
      if (verdict.ok) {
        gasUsd8 += worstGasUsd8;
        lossUsd8 += worstLossUsd8;
      }
      verdicts.set(plan, verdict.ok ? undefined : verdict.skip);
    }
    return { verdicts: plans.map((plan) => verdicts.get(plan)), budget };
  };
}

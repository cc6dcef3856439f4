import type { Depth } from '../liquidity/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Candidate } from '../risk/types.ts';
import { type Market, type Prospect, planAgain } from './candidate.ts';
import type { Evaluation } from './evaluate.ts';
import type { Terms } from './terms.ts';
import type { Decision, Plan } from './types.ts';

/** A candidate as it would be planned if it were the only one. */
export type Alone = { readonly prospect: Prospect; readonly plan: Plan; readonly evaluation: Evaluation };

export function blockFull(candidate: Candidate, gasUnits: bigint, gasLeft: bigint): Extract<Decision, { kind: 'skip' }> {
  const figures = { gas: String(gasUnits), gasLeft: String(gasLeft) };
  return { kind: 'skip', candidate, skip: { reason: 'block-full', figures } };
}

/** Decisions, and the depth that is left where all plans are carried out. */
export type Together = { readonly decisions: readonly Decision[]; readonly after: Depth };
type Tried = Together & { readonly totalWei: bigint };

/** Others are tried while they could make this much more of the whole. */
const WORTH_TRYING_BPS = 50n;
const BPS = 10_000n;
/** Of what a plan makes alone, at least this share makes it good enough behind others without another search: of few candidates, and of many. */
const CLOSELY_BPS = 9_990n;
const ROUGHLY_BPS = 8_000n;
/** Beyond so many candidates, and plans, what was found is good enough: the slot is short. */
const MAX_CANDIDATES = 8;
const MAX_PLANS = 160;

/**
 * Plans for candidates that share pools, each at the depth that those before leave. The least profitable go first: behind a large one they would not pay, and they
 * move it little. Where together they make clearly less than alone, other orders are tried, and leaving one out.
 */
export function planTogether(alone: readonly Alone[], market: Market, depth: Depth, terms: Terms, at: Moment): Together {
  if (alone.length === 0) return { decisions: [], after: depth };
  let plans = 0;
  const inOrder = (order: readonly Alone[]): Tried => {
    let now = depth;
    let totalWei = 0n;
    let gasLeft = terms.maxBlockGas;
    const decisions: Decision[] = [];
    for (const { prospect, evaluation } of order) {
      plans++;
      const { decision, after } = planAgain(
        prospect,
        evaluation,
        market,
        now,
        terms,
        at,
        alone.length > MAX_CANDIDATES ? ROUGHLY_BPS : CLOSELY_BPS,
      );
      if (decision.kind === 'plan' && decision.plan.gasUnits > gasLeft) {
        // Behind others it may need more swaps than alone.
        decisions.push(blockFull(prospect.candidate, decision.plan.gasUnits, gasLeft));
        continue;
      }
      decisions.push(decision);
      if (decision.kind === 'skip') continue;
      totalWei += decision.plan.profitWei;
      gasLeft -= decision.plan.gasUnits;
      now = after;
    }
    return { decisions, after: now, totalWei };
  };
  const ascending = alone.toSorted((a, b) => (a.plan.profitWei < b.plan.profitWei ? -1 : a.plan.profitWei > b.plan.profitWei ? 1 : 0));
  const mostWei = ascending.reduce((sum, { plan }) => sum + plan.profitWei, 0n);
  let order: readonly Alone[] = ascending;
  let best = inOrder(order);
  const enough = () => alone.length > MAX_CANDIDATES || best.totalWei * BPS >= mostWei * (BPS - WORTH_TRYING_BPS);
  const attempt = (other: readonly Alone[]): boolean => {
    if (plans + other.length > MAX_PLANS) return false;
    const found = inOrder(other);
    if (found.totalWei <= best.totalWei) return false;
    [best, order] = [found, other];
    return true;
  };
  if (!enough()) attempt(ascending.toReversed());
  for (let improved = true; improved && !enough() && plans < MAX_PLANS; ) {
    improved = false;
    for (const one of order) {
      const rest = order.filter((other) => other !== one);
      // First or last; whoever then does not pay is left out by that.
      improved = attempt([one, ...rest]) || attempt([...rest, one]) || improved;
      if (enough()) break;
    }
  }
  return best;
}

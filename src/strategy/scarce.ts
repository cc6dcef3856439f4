/** Many candidates where pools are thin: what one takes the others lack, so those that go first have to be worth it. */
import type { Depth } from '../liquidity/types.ts';
import type { Moment } from '../oracles/types.ts';
import { planAgain } from './candidate.ts';
import { type Alone, Begun, blockFull, ROUGHLY_BPS, type Together, type Tried } from './joint.ts';
import type { Market } from './prospect.ts';
import type { Terms } from './terms.ts';

const BPS = 10_000n;
/** Pools are scarce where all make so much less together than alone. */
const SCARCE_BPS = 1_000n;
/** Of all that is allowed, so much counts as all. */
const WHOLE_PERCENT = 99n;
/** So many are tried behind the others. */
const MOST_MOVED = 4;
/** On pools that are nearly empty a plan takes milliseconds, and nothing else is done meanwhile: what comes in the middle of the block waits for these. */
const MOST_PLANNED = 150;

/** Whether pools are so thin that these make clearly less together than alone. */
export function isScarce(madeWei: bigint, alone: readonly Alone[]): boolean {
  return madeWei * BPS < alone.reduce((sum, { plan }) => sum + plan.profitWei, 0n) * (BPS - SCARCE_BPS);
}

/** Plans each at the depth that those before leave, in some orders, and those that pay in the best of them with one of the first put last. */
export function planScarce(alone: readonly Alone[], market: Market, depth: Depth, terms: Terms, at: Moment): Together {
  let planned = 0;
  const behind = (tried: Tried, one: Alone): Tried => {
    planned++;
    const { decision, after } = planAgain(one.prospect, one.evaluation, market, tried.after, terms, at, ROUGHLY_BPS);
    const full = decision.kind === 'plan' && decision.plan.gasUnits > tried.gasLeft;
    const made = full ? blockFull(one.prospect.candidate, decision.plan.gasUnits, tried.gasLeft) : decision;
    const decisions = [...tried.decisions, made];
    if (made.kind === 'skip') return { ...tried, decisions };
    const { profitWei, gasUnits } = made.plan;
    return { ...tried, decisions, after, totalWei: tried.totalWei + profitWei, gasLeft: tried.gasLeft - gasUnits };
  };
  const nothing = new Begun({ decisions: [], after: depth, totalWei: 0n, gasLeft: terms.maxBlockGas, before: [] });
  const inOrder = (order: readonly Alone[]): Ordered => {
    let begun = nothing;
    for (const one of order) begun = begun.with(one, (tried) => behind(tried, one));
    return { order, tried: begun.tried };
  };
  const tryToo = (best: Ordered, order: readonly Alone[]) => (planned + order.length > MOST_PLANNED ? best : better(best, inOrder(order)));
  const [first, ...others] = ordersOf(alone);
  const best = others.reduce(tryToo, inOrder(first));
  const paying = new Set(best.tried.decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan.candidate] : [])));
  const pays = ({ prospect }: Alone) => paying.has(prospect.candidate);
  const [kept, rest] = [best.order.filter(pays), best.order.filter((one) => !pays(one))];
  const moved = kept.slice(0, MOST_MOVED).map((one) => [...kept.filter((other) => other !== one), one, ...rest]);
  return [[...kept, ...rest], ...moved].reduce(tryToo, best).tried;
}

type Ordered = { readonly order: readonly Alone[]; readonly tried: Tried };

function better(a: Ordered, b: Ordered): Ordered {
  return b.tried.totalWei > a.tried.totalWei ? b : a;
}

/**
 * Those that make most with all that the protocol allows, before those that would go on taking until the pools give nothing; those that make most; and those that
 * make most of what they repay.
 */
function ordersOf(alone: readonly Alone[]): readonly [readonly Alone[], ...(readonly Alone[])[]] {
  const descending = alone.toSorted((a, b) => Number(b.plan.profitWei - a.plan.profitWei));
  const dense = descending.toSorted((a, b) => perRepaid(b) - perRepaid(a));
  return [[...descending.filter(isWhole), ...descending.filter((one) => !isWhole(one))], descending, dense];
}

function perRepaid({ evaluation, plan }: Alone): number {
  return Number(evaluation.valueWei) / Number(plan.repayUsd8);
}

function isWhole({ prospect, evaluation }: Alone): boolean {
  const most = prospect.openings.find(({ option }) => option === evaluation.option)?.regimes.at(-1)?.maxRaw;
  return most === undefined || evaluation.amountRaw * 100n >= most * WHOLE_PERCENT;
}

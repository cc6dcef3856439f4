import { RoutedFill } from '../liquidity/depth.ts';
import { tokenInOf, tokenOutOf } from '../liquidity/pool.ts';
import type { Depth } from '../liquidity/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Candidate } from '../risk/types.ts';
import { type Planned, planAgain, planProspect } from './candidate.ts';
import type { Evaluation } from './evaluate.ts';
import type { Market, Prospect } from './prospect.ts';
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
export type Tried = Together & { readonly totalWei: bigint; readonly gasLeft: bigint; readonly before: readonly Alone[] };

/** Others are tried while they could make this much more of the whole. */
const WORTH_TRYING_BPS = 50n;
/** An order that makes less than this more is taken, and is no reason to go on. */
const CLEARLY_BPS = 10n;
const BPS = 10_000n;
/** Of what a plan makes alone, at least this share makes it good enough behind others without another search: here, and of many candidates. */
const CLOSELY_BPS = 9_990n;
export const ROUGHLY_BPS = 8_000n;
/** So many candidates are planned together; beyond so many plans what was found is good enough: the slot is short. */
export const MAX_CANDIDATES = 8;
const MAX_PLANS = 64;

/**
 * Plans for up to `MAX_CANDIDATES` that share pools, each at the depth that those before leave. The least profitable go first: behind a large one they would not pay, and they
 * move it little. Where together they make clearly less than alone, or one may make more behind another, other orders are tried, and leaving one out.
 */
export function planTogether(alone: readonly Alone[], market: Market, depth: Depth, terms: Terms, at: Moment): Together {
  if (alone.length === 0) return { decisions: [], after: depth };
  let plans = 0;
  const behind = ({ after: now, totalWei, gasLeft, decisions, before }: Tried, one: Alone): Tried => {
    plans++;
    const { prospect, evaluation } = one;
    const planned = (): Pick<Planned, 'decision' | 'after'> => {
      if (now === depth) return { decision: { kind: 'plan', plan: one.plan }, after: evaluation.exit.after };
      // Where pools have become better, how it was planned alone says little.
      if (before.some((other) => eases(other, one))) return planProspect(prospect, market, now, terms, at);
      return planAgain(prospect, evaluation, market, now, terms, at, CLOSELY_BPS);
    };
    const { decision, after } = planned();
    // Behind others it may need more swaps than alone.
    const full = decision.kind === 'plan' && decision.plan.gasUnits > gasLeft;
    const made = full ? blockFull(prospect.candidate, decision.plan.gasUnits, gasLeft) : decision;
    if (made.kind === 'skip') return { decisions: [...decisions, made], after: now, totalWei, gasLeft, before };
    return {
      decisions: [...decisions, made],
      after,
      totalWei: totalWei + made.plan.profitWei,
      gasLeft: gasLeft - made.plan.gasUnits,
      before: [...before, one],
    };
  };
  const nothing: Tried = { decisions: [], after: depth, totalWei: 0n, gasLeft: terms.maxBlockGas, before: [] };
  const known = new Begun(nothing);
  const inOrder = (order: readonly Alone[]): Tried => {
    let begun = known;
    for (const one of order) begun = begun.with(one, (tried) => behind(tried, one));
    return begun.tried;
  };
  const ascending = alone.toSorted((a, b) => (a.plan.profitWei < b.plan.profitWei ? -1 : a.plan.profitWei > b.plan.profitWei ? 1 : 0));
  const fitting = mostThatFit(ascending, terms.maxBlockGas);
  const mostWei = [...fitting].reduce((sum, { plan }) => sum + plan.profitWei, 0n);
  let order: readonly Alone[] = [...fitting, ...ascending.filter((one) => !fitting.has(one)).toReversed()];
  let best = inOrder(order);
  const eased = alone.some((one) => alone.some((other) => other !== one && eases(one, other)));
  const enough = () => !eased && best.totalWei * BPS >= mostWei * (BPS - WORTH_TRYING_BPS);
  const attempt = (other: readonly Alone[]): boolean => {
    if (plans >= MAX_PLANS) return false;
    const found = inOrder(other);
    if (found.totalWei <= best.totalWei) return false;
    const clearly = found.totalWei * BPS > best.totalWei * (BPS + CLEARLY_BPS);
    [best, order] = [found, other];
    return clearly;
  };
  const descending = ascending.toReversed();
  if (!enough()) attempt(descending);
  for (let improved = true; improved && !enough() && plans < MAX_PLANS; ) {
    improved = false;
    for (const one of order) {
      const rest = order.filter((other) => other !== one);
      // First or last; whoever then does not pay is left out by that.
      improved = attempt([one, ...rest]) || attempt([...rest, one]) || improved;
      if (enough()) break;
    }
    if (improved || !eased) continue;
    // Who goes between two others makes the pools better for one, at the other's cost.
    for (const base of [descending, order])
      for (const one of base) {
        const rest = base.filter((other) => other !== one);
        for (let place = 1; place < rest.length; place++) improved = attempt(rest.toSpliced(place, 0, one)) || improved;
      }
  }
  return best;
}

/** Whether one leaves pools that give the other a better price: it sells what the other owes, or buys what the other seizes. That one may then make more than alone. */
function eases({ evaluation }: Alone, { evaluation: { option } }: Alone): boolean {
  return evaluation.exit.fills.some((fill) =>
    (fill instanceof RoutedFill ? RoutedFill.hopsOf(fill) : []).some(
      (hop) => tokenInOf(hop) === option.debtAsset || tokenOutOf(hop) === option.collateralAsset,
    ),
  );
}

/** Those that would make most if they did not share pools, of all sets that the block has gas for. In the given order. */
function mostThatFit(alone: readonly Alone[], maxBlockGas: bigint): ReadonlySet<Alone> {
  let best = { madeWei: -1n, of: 0 };
  for (let of = 0; of < 1 << alone.length; of++) {
    let [gasUnits, madeWei] = [0n, 0n];
    for (const [place, { plan }] of alone.entries()) {
      if ((of & (1 << place)) === 0) continue;
      gasUnits += plan.gasUnits;
      madeWei += plan.profitWei;
    }
    if (gasUnits <= maxBlockGas && madeWei > best.madeWei) best = { madeWei, of };
  }
  return new Set(alone.filter((_, place) => (best.of & (1 << place)) !== 0));
}

/** Orders that begin alike, planned once as far as they do. */
export class Begun {
  readonly tried: Tried;
  readonly #next = new Map<Alone, Begun>();

  constructor(tried: Tried) {
    this.tried = tried;
  }

  with(one: Alone, plan: (tried: Tried) => Tried): Begun {
    let next = this.#next.get(one);
    if (next === undefined) {
      next = new Begun(plan(this.tried));
      this.#next.set(one, next);
    }
    return next;
  }
}

import type { Depth } from '../liquidity/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Option } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { type Market, type Prospect, planProspect, prospectOf } from './candidate.ts';
import { type Alone, blockFull, MAX_CANDIDATES, planTogether, type Together } from './joint.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';
import type { Decision, Plan } from './types.ts';

/** What the pools hold where a unit of gas costs so many wei more. */
type DepthAt = (extraWei: bigint) => Depth;

/** Of the least gas of a candidate, what its plan needs as a rule: the protocol's part with a swap or two. */
const PLANNED_GAS_PERCENT = 130n;
/** Of what a candidate's bound says per unit of gas, what is counted on. */
const KEPT_OF_BOUND = 0.5;

/**
 * Decides a whole block: candidates share pools and the block's gas. What none of them can exceed is told first, from prices alone; those that could be among
 * the block's most profitable are planned one by one, and what is chosen is planned again, each at the depth that those before leave (joint.ts). Pure.
 *
 * @param optionsOf the ways to liquidate a candidate at `at`
 */
export function planBlock(
  candidates: readonly Candidate[],
  optionsOf: (candidate: Candidate) => readonly Option[],
  market: Market,
  terms: Terms,
  at: Moment,
): Together {
  const priced = market.venue.depth(at);
  const decisions: Decision[] = [];
  const prospects: Prospect[] = [];
  for (const candidate of candidates) {
    const prospect = prospectOf(candidate, optionsOf(candidate), market, priced, terms, at);
    if ('kind' in prospect) decisions.push(prospect);
    else prospects.push(prospect);
  }
  prospects.sort((a, b) => (mostPerGas(a) === mostPerGas(b) ? 0 : mostPerGas(b) - mostPerGas(a)));
  // NOTE: in a full block a further swap costs the gas of somebody else's liquidation, not what the block charges: exchanges are weighed with that.
  // NOTE: in a full block a further swap costs the gas of somebody else's liquidation, not what the block charges: exchanges are weighed with that.
  const scarcityWei = scarcityOf(prospects, terms.maxBlockGas);
  const depthAt = (extraWei: bigint) => (extraWei === 0n ? priced : market.venue.depth({ ...at, baseFeeWei: at.baseFeeWei + extraWei }));
  const plan = prospects.length > MAX_CANDIDATES ? planMany : planFew;
  const together = plan(prospects, market, depthAt, scarcityWei, terms, at);
  return { decisions: [...decisions, ...together.decisions], after: together.after };
}

/** So few that each is planned; what of them fits is weighed together with what they leave of the pools. */
function planFew(
  prospects: readonly Prospect[],
  market: Market,
  depthAt: DepthAt,
  scarcityWei: bigint,
  terms: Terms,
  at: Moment,
): Together {
  const planAt = (extraWei: bigint) => {
    const depth = depthAt(extraWei);
    const decisions: Decision[] = [];
    const alone: Alone[] = [];
    for (const prospect of prospects) {
      const { decision, evaluation } = planProspect(prospect, market, depth, terms, at);
      if (decision.kind === 'skip' || evaluation === undefined) decisions.push(decision);
      else alone.push({ prospect, plan: decision.plan, evaluation });
    }
    const together = planTogether(alone, market, depth, terms, at);
    const isFull = alone.reduce((sum, { plan }) => sum + plan.gasUnits, 0n) > terms.maxBlockGas;
    return { decisions: [...decisions, ...together.decisions], after: together.after, isFull };
  };
  const ample = planAt(0n);
  if (!ample.isFull || scarcityWei === 0n) return ample;
  const scarce = planAt(scarcityWei);
  return madeBy(scarce) > madeBy(ample) ? scarce : ample;
}

function madeBy({ decisions }: Together): bigint {
  return decisions.reduce((sum, decision) => sum + (decision.kind === 'plan' ? decision.plan.profitWei : 0n), 0n);
}

/** The most promising first, for as long as they can be among the block's most profitable. */
function planMany(
  prospects: readonly Prospect[],
  market: Market,
  depthAt: DepthAt,
  scarcityWei: bigint,
  terms: Terms,
  at: Moment,
): Together {
  const depth = depthAt(scarcityWei);
  const decisions: Decision[] = [];
  let chosen: Alone[] = [];
  for (const prospect of prospects) {
    const { gasLeft, leastPerGas } = roomIn(chosen, terms.maxBlockGas);
    const gasUnits = leastGas(prospect);
    if (gasUnits > gasLeft && mostPerGas(prospect) <= leastPerGas) {
      decisions.push(blockFull(prospect.candidate, gasUnits, gasLeft));
      continue;
    }
    const { decision, evaluation } = planProspect(prospect, market, depth, terms, at);
    if (decision.kind === 'skip' || evaluation === undefined) {
      decisions.push(decision);
      continue;
    }
    const { kept, left } = mostProfitable([...chosen, { prospect, plan: decision.plan, evaluation }], terms.maxBlockGas);
    chosen = kept;
    const room = roomIn(chosen, terms.maxBlockGas);
    for (const { plan } of left) decisions.push(blockFull(plan.candidate, plan.gasUnits, room.gasLeft));
  }
  const together = planTogether(chosen, market, depth, terms, at);
  return { decisions: [...decisions, ...together.decisions], after: together.after };
}

function leastGas({ openings }: Prospect): bigint {
  const gases = openings.map(({ option }) => TRANSACTION_GAS + GROUP_GAS + option.gasUnits);
  return gases.reduce((a, b) => (b < a ? b : a), gases[0] ?? 0n);
}

/** More than a unit of its gas can make, in wei; infinite without a bound: anything may be in it, so it comes first. */
function mostPerGas(prospect: Prospect): number {
  return prospect.mostWei === undefined ? Number.POSITIVE_INFINITY : Number(prospect.mostWei) / Number(leastGas(prospect));
}

/** About what a unit of gas makes for the last that fit; 0 where all do. Bounds promise more than pools keep, and plans need more gas than the least. */
function scarcityOf(ranked: readonly Prospect[], maxBlockGas: bigint): bigint {
  let used = 0n;
  for (const prospect of ranked) {
    used += (leastGas(prospect) * PLANNED_GAS_PERCENT) / 100n;
    const perGas = mostPerGas(prospect);
    if (used > maxBlockGas && Number.isFinite(perGas)) return BigInt(Math.round(perGas * KEPT_OF_BOUND));
  }
  return 0n;
}

/** What of the block's gas is left, and what a unit of it makes for the worst of those that take it. */
function roomIn(chosen: readonly Alone[], maxBlockGas: bigint): { readonly gasLeft: bigint; readonly leastPerGas: number } {
  let gasLeft = maxBlockGas;
  let leastPerGas = Number.POSITIVE_INFINITY;
  for (const one of chosen) {
    gasLeft -= one.plan.gasUnits;
    leastPerGas = Math.min(leastPerGas, perGas(one));
  }
  return { gasLeft, leastPerGas: chosen.length === 0 ? 0 : leastPerGas };
}

function perGas({ plan, evaluation }: Alone): number {
  return Number(evaluation.valueWei) / Number(plan.gasUnits);
}

type Filling = { readonly kept: Alone[]; readonly left: readonly Alone[]; readonly valueWei: bigint };

/** Those that fit and make most: by what their gas makes, or by what they make, whichever comes to more. */
function mostProfitable(alone: readonly Alone[], maxBlockGas: bigint): Filling {
  const byGas = filled(
    alone.toSorted((a, b) => perGas(b) - perGas(a)),
    maxBlockGas,
  );
  if (byGas.left.length === 0) return byGas;
  const bySize = filled(
    alone.toSorted((a, b) => byProfit(a.plan, b.plan)),
    maxBlockGas,
  );
  return bySize.valueWei > byGas.valueWei ? bySize : byGas;
}

function filled(ranked: readonly Alone[], maxBlockGas: bigint): Filling {
  let gasLeft = maxBlockGas;
  let valueWei = 0n;
  const kept: Alone[] = [];
  const left: Alone[] = [];
  for (const one of ranked) {
    if (one.plan.gasUnits > gasLeft) left.push(one);
    else {
      gasLeft -= one.plan.gasUnits;
      valueWei += one.evaluation.valueWei;
      kept.push(one);
    }
  }
  return { kept, left, valueWei };
}

/** The most profitable first. */
export function byProfit(a: Pick<Plan, 'profitWei'>, b: Pick<Plan, 'profitWei'>): number {
  return descending(a.profitWei, b.profitWei);
}

function descending(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a > b ? -1 : 1;
}

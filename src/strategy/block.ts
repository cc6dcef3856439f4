import type { Depth } from '../liquidity/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Option } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { Rates } from './bounds.ts';
import { planPatiently, planProspect } from './candidate.ts';
import { planCrowd } from './crowd.ts';
import { type Alone, MAX_CANDIDATES, planTogether, type Together } from './joint.ts';
import { leastGas, type Market, mostPerGas, type Prospect, prospectOf, wholeOf } from './prospect.ts';
import { isScarce, planScarce } from './scarce.ts';
import type { Terms } from './terms.ts';
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
  const rates = new Rates(market, priced, terms.numeraire);
  const decisions: Decision[] = [];
  const prospects: Prospect[] = [];
  for (const candidate of candidates) {
    const options = optionsOf(candidate);
    // The only option of the only candidate is planned in as much time as it is bounded.
    const isOnly = candidates.length === 1 && options.length === 1;
    const prospect = prospectOf(candidate, options, market, isOnly ? undefined : rates, terms, at);
    if ('kind' in prospect) decisions.push(prospect);
    else prospects.push(prospect);
  }
  prospects.sort((a, b) => (mostPerGas(a) === mostPerGas(b) ? 0 : mostPerGas(b) - mostPerGas(a)));
  // NOTE: in a full block a further swap costs the gas of somebody else's liquidation, not what the block charges: exchanges are weighed with that.
  const scarcityWei = scarcityOf(prospects, terms.maxBlockGas);
  const depthAt = (extraWei: bigint) => (extraWei === 0n ? priced : market.venue.depth({ ...at, baseFeeWei: at.baseFeeWei + extraWei }));
  const together =
    prospects.length > MAX_CANDIDATES
      ? planMany(prospects, market, depthAt(scarcityWei), terms, at)
      : planFew(prospects, market, depthAt, scarcityWei, terms, at);
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
    const chosen = terms.patience === undefined ? alone : withPatience(alone, decisions, market, depth, terms, at);
    const together = planTogether(chosen, market, depth, terms, at);
    const isFull = alone.reduce((sum, { plan }) => sum + plan.gasUnits, 0n) > terms.maxBlockGas;
    return { decisions: [...decisions, ...together.decisions], after: together.after, isFull };
  };
  const ample = planAt(0n);
  if (!ample.isFull || scarcityWei === 0n) return ample;
  const scarce = planAt(scarcityWei);
  return madeBy(scarce) > madeBy(ample) ? scarce : ample;
}

/**
 * The same with a part left for later of those that share no pool with another: what one leaves another one's sale could take from the pools now.
 *
 * @param decisions those that wait for a later block are added
 */
function withPatience(
  alone: readonly Alone[],
  decisions: Decision[],
  market: Market,
  depth: Depth,
  terms: Terms,
  at: Moment,
): readonly Alone[] {
  return alone.flatMap((one) => {
    const shares = alone.some((other) => other !== one && other.plan.pools.some((pool) => one.plan.pools.includes(pool)));
    if (shares) return [one];
    const { decision, evaluation } = planPatiently(one.prospect, one.evaluation, market, depth, terms, at);
    if (decision.kind === 'plan' && evaluation !== undefined) return [{ prospect: one.prospect, plan: decision.plan, evaluation }];
    decisions.push(decision);
    return [];
  });
}

/** So many can still be weighed against one another, where the block has gas for all. */
const MOST_WEIGHED = 64;

/**
 * One after another, whoever makes most of its gas first. Where pools are so thin that they make clearly less so than alone, in other orders too, and as if each
 * had to take all that it may: the best amount of one may leave the next ones less than it gains.
 */
function planMany(prospects: readonly Prospect[], market: Market, depth: Depth, terms: Terms, at: Moment): Together {
  const crowd = planCrowd(prospects, market, depth, terms, at);
  if (!terms.unhurried || prospects.length > MOST_WEIGHED) return crowd;
  const weighed = weigh(prospects, crowd, market, depth, terms, at);
  if (weighed === undefined) return crowd;
  const rates = new Rates(market, depth, terms.numeraire);
  const whole = prospects.map((prospect) => wholeOf(prospect, market, rates, terms));
  const crowdOfWhole = planCrowd(whole, market, depth, terms, at);
  const tried = [crowd, weighed, crowdOfWhole, weigh(whole, crowdOfWhole, market, depth, terms, at) ?? crowdOfWhole];
  return tried.reduce((best, other) => (madeBy(other) > madeBy(best) ? other : best));
}

/** In other orders than one after another made; undefined where pools are not that thin. */
function weigh(
  prospects: readonly Prospect[],
  crowd: Together,
  market: Market,
  depth: Depth,
  terms: Terms,
  at: Moment,
): Together | undefined {
  const decisions: Decision[] = [];
  const alone: Alone[] = [];
  for (const prospect of prospects) {
    const { decision, evaluation } = planProspect(prospect, market, depth, terms, at);
    if (decision.kind === 'skip' || evaluation === undefined) decisions.push(decision);
    else alone.push({ prospect, plan: decision.plan, evaluation });
  }
  if (!isScarce(madeBy(crowd), alone)) return undefined;
  const together = planScarce(alone, market, depth, terms, at);
  return { ...together, decisions: [...decisions, ...together.decisions] };
}

function madeBy({ decisions }: Together): bigint {
  return decisions.reduce((sum, decision) => sum + (decision.kind === 'plan' ? decision.plan.profitWei : 0n), 0n);
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

/** The most profitable first. */
export function byProfit(a: Pick<Plan, 'profitWei'>, b: Pick<Plan, 'profitWei'>): number {
  return descending(a.profitWei, b.profitWei);
}

function descending(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a > b ? -1 : 1;
}

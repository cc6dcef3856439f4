/** What a block makes when nobody is passed over unplanned: what the planning of many is held against. */
import type { Moment } from '../../src/oracles/types.ts';
import type { Option } from '../../src/protocols/types.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { planCandidate } from '../../src/strategy/candidate.ts';
import type { Market } from '../../src/strategy/prospect.ts';
import type { Terms } from '../../src/strategy/terms.ts';
import type { Plan } from '../../src/strategy/types.ts';

/** `after`: how many were chosen before it was planned. */
type Ranked = { readonly candidate: Candidate; readonly perGas: number; readonly after: number };

/**
 * Every candidate is planned, and again at what those chosen before it leave, for as long as it could be the next one by what it made before: the one that makes most
 * of a unit of gas is taken, until nothing more fits. What all of them make, in wei.
 */
export function madeByPlanningAll(
  candidates: readonly Candidate[],
  optionsOf: (candidate: Candidate) => readonly Option[],
  market: Market,
  terms: Terms,
  at: Moment,
): bigint {
  let depth = market.venue.depth(at);
  let gasLeft = terms.maxBlockGas;
  let madeWei = 0n;
  let chosen = 0;
  let ranked: Ranked[] = candidates.map((candidate) => ({ candidate, perGas: Number.POSITIVE_INFINITY, after: -1 }));
  for (;;) {
    const first = ranked.reduce<Ranked | undefined>(
      (best, one) => (best === undefined || one.perGas > best.perGas ? one : best),
      undefined,
    );
    if (first === undefined) return madeWei;
    ranked = ranked.filter((one) => one !== first);
    const { candidate } = first;
    const { decision, after } = planCandidate(candidate, optionsOf(candidate), market, depth, terms, at);
    if (decision.kind === 'skip' || decision.plan.gasUnits > gasLeft) continue;
    if (first.after < chosen) ranked.push({ candidate, perGas: valuePerGas(decision.plan), after: chosen });
    else {
      depth = after;
      gasLeft -= decision.plan.gasUnits;
      madeWei += decision.plan.profitWei;
      chosen++;
    }
  }
}

function valuePerGas({ grossWei, gasWei, gasUnits }: Plan): number {
  return Number(grossWei - gasWei) / Number(gasUnits);
}

/**
 * More candidates than can be weighed against one another: whoever makes most of a unit of gas goes first, then whoever makes most of it at what that leaves of
 * the pools, until the block is full. Nobody is planned before it may be the next one, and pools mostly get worse, so what a candidate was found to make bounds it
 * from then on: of a thousand not many more are planned than fit the block.
 */
import type { Address } from '../lib/types.ts';
import type { Depth } from '../liquidity/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Option } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { Rates } from './bounds.ts';
import { planAgain, planProspect } from './candidate.ts';
import type { Evaluation } from './evaluate.ts';
import { gasOfBlock } from './gas.ts';
import { blockFull, ROUGHLY_BPS, type Together } from './joint.ts';
import { boundAt, boundCloser, leastGas, type Market, mostPerGas, type Opening, type Prospect } from './prospect.ts';
import { noTime } from './skips.ts';
import type { Terms } from './terms.ts';
import type { Decision, Plan } from './types.ts';

/**
 * `perGas`: what a unit of its gas makes, in wei, at most or, where `isPlan`, as planned. `behind`: how many plans, when that was worked out. `close`: with the
 * impact on all pools. `planned`: how it was planned last.
 */
type Waiting = {
  readonly prospect: Prospect;
  readonly perGas: number;
  readonly behind: number;
  readonly close?: true;
  readonly planned?: Found | undefined;
  readonly isPlan?: true;
};
type Found = { readonly plan: Plan; readonly evaluation: Evaluation };

export function planCrowd(prospects: readonly Prospect[], market: Market, depth: Depth, terms: Terms, at: Moment): Together {
  const queue = new Queue(prospects.map((prospect) => ({ prospect, perGas: mostPerGas(prospect), behind: 0 })));
  const decisions: Decision[] = [];
  /** After how many plans a pool was moved last. */
  const moved = new Map<Address, number>();
  const ofBlock = ({ candidate }: { readonly candidate: Candidate }, gasUnits: bigint) => gasOfBlock(gasUnits, candidate.protocol, terms);
  let chosen = 0;
  let now = depth;
  let gasLeft = terms.maxBlockGas;
  const { mostPlans = Number.POSITIVE_INFINITY } = terms;
  let rates = new Rates(market, now, terms.numeraire);
  const impacts = new Impacts();
  const isUntouched = ({ plan, evaluation }: Found, behind: number) =>
    evaluation.option.prepared === undefined && plan.pools.every((pool) => (moved.get(pool) ?? 0) <= behind);
  const choose = ({ plan, evaluation }: Found, behind: number) => {
    decisions.push({ kind: 'plan', plan });
    gasLeft -= ofBlock(plan, plan.gasUnits);
    now = behind === chosen ? evaluation.exit.after : evaluation.exit.fills.reduce((before, fill) => before.after(fill), now);
    rates = new Rates(market, now, terms.numeraire);
    chosen++;
    for (const pool of plan.pools) moved.set(pool, chosen);
  };

  for (let one = queue.take(); one !== undefined; one = queue.take()) {
    const { prospect, planned, perGas, behind, isPlan } = one;
    const gasUnits = ofBlock(prospect, isPlan ? planned!.plan.gasUnits : leastGas(prospect));
    if (chosen >= mostPlans) decisions.push(noTime(prospect.candidate));
    else if (gasUnits > gasLeft) decisions.push(blockFull(prospect.candidate, gasUnits, gasLeft));
    else if (isPlan && (behind === chosen || isUntouched(planned!, behind))) choose(planned!, behind);
    else if (behind !== chosen) {
      const again = boundAt(prospect, market, rates, terms, queue.next);
      queue.add({ prospect: again, perGas: Math.min(perGas, mostPerGas(again)), behind: chosen, planned });
    } else {
      const capped = Math.min(perGas, impacts.mostPerGas(prospect));
      if (capped < queue.next) {
        queue.add({ ...one, perGas: capped });
        continue;
      }
      // Planning a single option takes about as long as bounding it.
      if (!one.close && (prospect.openings.length > 1 || impacts.isLoose(prospect))) {
        const close = boundCloser(prospect, rates, terms, queue.next);
        const perGasOfClose = Math.min(capped, mostPerGas(close));
        if (perGasOfClose < queue.next) {
          queue.add({ ...one, prospect: close, perGas: perGasOfClose, close: true });
          continue;
        }
      }
      const { decision, evaluation } =
        planned === undefined
          ? planProspect(prospect, market, now, terms, at)
          : planAgain(prospect, planned.evaluation, market, now, terms, at, ROUGHLY_BPS, 0n);
      if (evaluation !== undefined) impacts.note(prospect, evaluation);
      if (decision.kind === 'skip' || evaluation === undefined) decisions.push(decision);
      else {
        const { plan } = decision;
        const found = Number(evaluation.valueWei) / Number(plan.gasUnits);
        if (ofBlock(plan, plan.gasUnits) <= gasLeft && found >= queue.next * NEXT_BEST) choose({ plan, evaluation }, chosen);
        else queue.add({ prospect, perGas: found, behind: chosen, planned: { plan, evaluation }, isPlan: true });
      }
    }
  }
  return { decisions, after: now };
}

/**
 * What impact has been found to take off what a pair's bound says, at the latest. It goes with the square of the amount or less, and more than with the amount
 * itself; and where less than a position allows left most, nobody makes more of that pair. An estimate: it decides in which order candidates are planned.
 */
class Impacts {
  /** By what is seized, and what is owed. */
  readonly #found = new Map<Address, Map<Address, Impact>>();

  note({ openings }: Prospect, { option, amountRaw, grossWei, repayRaw }: Evaluation): void {
    const opening = openings.find((one) => one.option === option);
    if (opening?.bound === undefined) return;
    const within = opening.regimes.some(({ minRaw, maxRaw }) => minRaw < amountRaw && amountRaw < maxRaw);
    const gross = Number(grossWei);
    const whole = repayRaw === mostRepaid(opening);
    const lost = whole ? Math.max(0, Number(opening.bound.grossWei) - gross) : 0;
    const isLoose = gross < Number(opening.bound.grossWei) * MOSTLY;
    const found = { repaid: Number(repayRaw), lost, most: within ? gross * ROOM : Number.POSITIVE_INFINITY, isLoose };
    const bySeized = this.#found.get(option.collateralAsset) ?? new Map<Address, Impact>();
    this.#found.set(option.collateralAsset, bySeized.set(option.debtAsset, found));
  }

  /** Whether bounds have been found to promise much more than is there. */
  isLoose({ openings }: Prospect): boolean {
    return openings.some(({ option }) => this.#of(option)?.isLoose === true);
  }

  mostPerGas({ openings }: Prospect): number {
    let most = 0;
    for (const opening of openings) {
      if (opening.bound === undefined) return Number.POSITIVE_INFINITY;
      const { grossWei, gasWei, gasUnits } = opening.bound;
      let gross = Number(grossWei);
      const found = this.#of(opening.option);
      if (found !== undefined) {
        const times = Number(mostRepaid(opening)) / found.repaid;
        gross = Math.min(gross - (found.lost / ROOM) * (times < 1 ? times * times : times), found.most);
      }
      most = Math.max(most, (gross - Number(gasWei)) / Number(gasUnits));
    }
    return most;
  }

  #of({ collateralAsset, debtAsset }: Option): Impact | undefined {
    return this.#found.get(collateralAsset)?.get(debtAsset);
  }
}

type Impact = { readonly repaid: number; readonly lost: number; readonly most: number; readonly isLoose: boolean };

/** Of what the next one may make, so much is taken: two that make about as much come one after the other anyway. */
const NEXT_BEST = 0.6;
/** Of a bound, what is as good as all of it. */
const MOSTLY = 0.8;
/** For what fees and the search for an amount leave open. */
const ROOM = 1.01;

function mostRepaid({ ends }: Opening): bigint {
  return ends.at(-1)![1].repayRaw;
}

/** The most promising first. */
class Queue {
  /** Ascending. */
  readonly #waiting: Waiting[];

  constructor(waiting: Waiting[]) {
    this.#waiting = waiting.sort((a, b) => (a.perGas === b.perGas ? 0 : a.perGas - b.perGas));
  }

  take(): Waiting | undefined {
    return this.#waiting.pop();
  }

  /** What a unit of gas makes for the next one. */
  get next(): number {
    return this.#waiting.at(-1)?.perGas ?? 0;
  }

  /** Behind those of as much. */
  add(one: Waiting): void {
    let [low, high] = [0, this.#waiting.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#waiting[middle]!.perGas < one.perGas) low = middle + 1;
      else high = middle;
    }
    this.#waiting.splice(low, 0, one);
  }
}

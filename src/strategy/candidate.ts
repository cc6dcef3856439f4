import { rawToUsd8Floor, weiToUsd8Floor } from '../lib/usd.ts';
import { wadText } from '../lib/wad.ts';
import type { Depth, Exchange, FlashSource } from '../liquidity/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Lowering, Option } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { type Bound, Rates } from './bounds.ts';
import { bestBySlope } from './climb.ts';
import { countedIn, type Evaluation, evaluate, type NoEvaluation, stepsOf } from './evaluate.ts';
import { type FrontierOf, type Way, waysOut } from './exits.ts';
import { isBrittle, likelier } from './holding.ts';
import { lendersFor } from './lenders.ts';
import { priceOfDebt } from './limits.ts';
import { outlookOf } from './outlook.ts';
import { sliceOf, toldOfLeft } from './patience.ts';
import { type Market, type Prospect, prospectOf, termsFor } from './prospect.ts';
import { closer } from './reach.ts';
import { bestAmount } from './size.ts';
import { skipOf, tooLittle } from './skips.ts';
import type { Terms } from './terms.ts';
import type { Decision, Plan, SkipReason } from './types.ts';

const BPS = 10_000n;
/** Of what was made at another depth, so much shows that the way is still a good one. */
const MOSTLY_BPS = 9_000n;

/** What is planned, and the depth that is left. `evaluation`: undefined for a skip. */
export type Planned = { readonly decision: Decision; readonly after: Depth; readonly evaluation: Evaluation | undefined };

/** The most profitable liquidation of one candidate at a depth, or the reason why none is made. Pure. */
export function planCandidate(
  candidate: Candidate,
  options: readonly Option[],
  market: Market,
  depth: Depth,
  terms: Terms,
  at: Moment,
): Planned {
  const prospect = prospectOf(candidate, options, market, new Rates(market, depth, terms.numeraire), terms, at);
  if ('kind' in prospect) return { decision: prospect, after: depth, evaluation: undefined };
  return planProspect(prospect, market, depth, terms, at);
}

/** The same for a prospect, whose bound may be of another depth. */
export function planProspect({ candidate, openings, ...rest }: Prospect, market: Market, depth: Depth, common: Terms, at: Moment): Planned {
  const terms = termsFor(candidate, common);
  const skip = (reason: SkipReason['reason'], figures: Record<string, string> = {}) => ({
    ...{ decision: skipOf(candidate, reason, figures), after: depth, evaluation: undefined },
  });
  let best: Evaluation | undefined;
  let obstacle = rest.obstacle as NoEvaluation['reason'] | Prospect['obstacle'];
  let oddity: Record<string, string> | undefined;
  const frontierOf: FrontierOf = (from, to, exact) => market.venue.frontier?.(from, to, exact, depth);
  for (const { option, regimes, ends, isEven, bound } of openings) {
    if (best !== undefined && bound !== undefined) {
      const isWorse = ({ valueWei }: Bound) => valueWei <= best!.valueWei;
      if (isWorse(bound) || isWorse(closer(option, ends, bound, frontierOf, terms, Number(best.valueWei)))) continue;
    }
    const value = (flash: FlashSource | undefined, way: Way, venue: Exchange) => (amountRaw: bigint) => {
      const result = evaluate(option, amountRaw, flash, way, venue, depth, terms);
      if (result.ok) return result.evaluation;
      obstacle = result.reason;
      if (result.reason === 'odd-token') oddity = { token: result.token, cause: result.cause };
      return undefined;
    };
    const ways = waysOut({ ...option, numeraire: countedIn(option, terms) });
    // The largest amounts first: mostly they leave smaller ones no room.
    const descending = isEven
      ? regimes
      : regimes
          .map((regime, place) => (bound ? { ...regime, mostWei: bound.grossOf[place]! - Number(bound.gasWei) } : regime))
          .toReversed();
    const search = (lenders: readonly (FlashSource | undefined)[], venue: Exchange) => {
      for (const flash of lenders)
        for (const way of ways) {
          // Where chances are weighed, one of less value may be the better one.
          const toBeat = terms.moves === undefined ? best?.valueWei : undefined;
          const found = isEven
            ? bestBySlope(regimes, value(flash, way, venue), toBeat, best?.option === option ? best.amountRaw : undefined)
            : bestAmount(descending, value(flash, way, venue), toBeat);
          best = likelier(best, found, terms, at);
        }
    };
    search(lendersFor(option, regimes, market, depth, terms), market.venue);
    // What would fail at the pools' next move has to make much more than what would not.
    if (best !== undefined && isBrittle(best, terms))
      search(option.financing.kind === 'loan' ? market.flashes : [undefined], market.venue.direct ?? market.venue);
  }
  if (best === undefined && oddity !== undefined) return skip('odd-token', oddity);
  if (best === undefined)
    return skip(obstacle === undefined || obstacle === 'too-thin' || obstacle === 'not-synced' ? 'no-route' : obstacle);
  return decide(candidate, best, market, depth, terms, at);
}

/** The same for the best there is: all of it, a part of it that leaves more for later blocks, or nothing yet. `common` tells what may be waited for. */
export function planPatiently(
  { candidate, openings }: Prospect,
  best: Evaluation,
  market: Market,
  depth: Depth,
  common: Terms,
  at: Moment,
): Planned {
  const terms = termsFor(candidate, common);
  const sliced = sliceOf(best, openings, depth, terms);
  if (sliced !== undefined && sliced.now === undefined)
    return { decision: skipOf(candidate, 'better-later', toldOfLeft(sliced.left, terms)), after: depth, evaluation: undefined };
  return decide(candidate, sliced?.now ?? best, market, depth, terms, at);
}

/**
 * A candidate planned at another depth, planned at this one: at the same amount, when that leaves `enoughBps` of what it made there; else at the best amount in
 * the same way, since what others did to the pools changes how much rather than how; and anew where that leaves less than `mostlyBps` of it.
 */
export function planAgain(
  prospect: Prospect,
  { option, amountRaw, loan, way, venue, valueWei, left }: Evaluation,
  market: Market,
  depth: Depth,
  common: Terms,
  at: Moment,
  enoughBps: bigint,
  mostlyBps: bigint = MOSTLY_BPS,
): Planned {
  const terms = termsFor(prospect.candidate, common);
  const again = (amount: bigint) => {
    const result = evaluate(option, amount, loan?.flash, way, venue, depth, terms);
    return result.ok ? result.evaluation : undefined;
  };
  const keeps = (found: Evaluation | undefined, bps: bigint) => found !== undefined && found.valueWei * BPS >= valueWei * bps;
  const same = again(amountRaw);
  if (same !== undefined && keeps(same, enoughBps))
    return decide(prospect.candidate, { ...same, ...(left && { left }) }, market, depth, terms, at);
  // How much is left for later is another question at another depth.
  if (left !== undefined) return planProspect(prospect, market, depth, terms, at);
  const found = bestAgain(prospect, option, again, amountRaw, same);
  if (found !== undefined && keeps(found, mostlyBps)) return decide(prospect.candidate, found, market, depth, terms, at);
  return planProspect(prospect, market, depth, terms, at);
}

/** @param same what it makes at the amount that it had before */
function bestAgain(
  { openings }: Prospect,
  option: Option,
  value: (amountRaw: bigint) => Evaluation | undefined,
  amountRaw: bigint,
  same: Evaluation | undefined,
): Evaluation | undefined {
  const opening = openings.find((one) => one.option === option);
  if (opening === undefined) return undefined;
  if (!opening.isEven) return bestAmount(opening.regimes, value);
  return bestBySlope(opening.regimes, (otherRaw) => (otherRaw === amountRaw ? same : value(otherRaw)), 0n, amountRaw);
}

/** What the option tells, and how much worse off the position is left, where it is. */
function toldOf({ option, amountRaw, exit, left }: Evaluation, toxic: Lowering | undefined, terms: Terms): Plan['told'] {
  const own = option.told?.(amountRaw, exit.grossRaw);
  const told = left === undefined ? own : { ...own, ...toldOfLeft(left, terms) };
  return toxic === undefined ? told : { ...told, toxicFromHealth: wadText(toxic.beforeWad), toxicToHealth: wadText(toxic.afterWad) };
}

function decide(candidate: Candidate, best: Evaluation, market: Market, depth: Depth, terms: Terms, at: Moment): Planned {
  // As if it went alone: with others in its transaction the share is decided anew, for all of them (bids/transaction.ts).
  const lot = { surplusWei: best.valueWei, leastSurplusWei: best.valueWei, gasUnits: best.gasUnits, candidates: [candidate] };
  const { financing } = best.option;
  const margin = financing.kind === 'margin' ? financing.margin : undefined;
  const bidWei = best.valueWei > 0n && margin === undefined ? (best.valueWei * BigInt(terms.bid(lot))) / BPS : 0n;
  const profitWei = best.valueWei - bidWei;
  const toxic = best.option.lowersHealth?.(best.amountRaw);
  const told = toldOf(best, toxic, terms);
  const profitUsd8 = weiToUsd8Floor(profitWei, terms.numeraireUsd8);
  if (profitUsd8 < terms.minProfitUsd8 || profitWei <= 0n) {
    const decision = tooLittle(candidate, { ...best, bidWei, pair: best.option.label, toxic: toxic !== undefined }, terms, told);
    return { decision, after: depth, evaluation: undefined };
  }
  const price = priceOfDebt(best.option, market.usd, at);
  let steps: Plan['steps'] | undefined;
  const plan: Plan = {
    candidate,
    option: best.option.label,
    debtAsset: best.option.debtAsset,
    collateralAsset: best.option.collateralAsset,
    repayRaw: best.repayRaw,
    seizedRaw: best.seizedRaw,
    route: best.exit.fills.map((fill) => fill.label).join('; ') || 'none',
    pools: [...new Set(best.exit.fills.flatMap((fill) => fill.pools))],
    flash: best.loan?.flash.name ?? 'none',
    flashFeeRaw: best.loan?.feeRaw ?? 0n,
    // Of the many that are planned some are sent, and encoding takes about as long as planning.
    get steps() {
      steps ??= stepsOf(best, market.venue, terms.executor);
      return steps;
    },
    margin,
    ...(best.left && { laterUsd8: weiToUsd8Floor(best.left.profitWei, terms.numeraireUsd8) }),
    ...(told === undefined ? {} : { told }),
    // A first hop that gives more than planned leaves some of the token in between.
    sweep:
      margin !== undefined
        ? []
        : [...new Set([best.option.debtAsset, best.option.collateralAsset, ...best.exit.fills.flatMap((fill) => fill.path)])].filter(
            (token) => token !== terms.numeraire,
          ),
    grossWei: best.grossWei,
    gasUnits: best.gasUnits,
    gasWei: best.gasWei,
    bidWei,
    profitWei,
    profitUsd8,
    repayUsd8: price === undefined ? 0n : rawToUsd8Floor(best.repayRaw, price),
    outlook: outlookOf(best, terms, at),
  };
  return { decision: { kind: 'plan', plan }, after: best.exit.after, evaluation: best };
}

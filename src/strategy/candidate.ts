import { rawToUsd8Floor, usd8ToWeiUp, usdText, weiToUsd8Floor } from '../lib/usd.ts';
import { wadText } from '../lib/wad.ts';
import type { Depth, Exchange, FlashSource, NoFill } from '../liquidity/types.ts';
import type { Moment, UsdPrices } from '../oracles/types.ts';
import type { Lowering, Option, Regime } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { type Bound, boundOf, type Ends, Rates } from './bounds.ts';
import { countedIn, type Evaluation, evaluate, movesOf, type NoEvaluation, repaidRaw, stepsOf } from './evaluate.ts';
import { type FrontierOf, type Way, waysOut } from './exits.ts';
import { isBrittle, likelier } from './holding.ts';
import { outlookOf } from './outlook.ts';
import { sliceOf, toldOfLeft } from './patience.ts';
import { closer } from './reach.ts';
import { bestAmount } from './size.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';
import type { Decision, Plan, SkipReason } from './types.ts';

/** What planning may exchange, borrow and price with. */
export type Market = { readonly venue: Exchange; readonly flashes: readonly FlashSource[]; readonly usd: UsdPrices };

const BPS = 10_000n;
/** Of what was made at another depth, so much shows that the way is still a good one. */
const MOSTLY_BPS = 9_000n;

/** An option with the amounts that the operator's limits leave of it. */
export type Opening = {
  readonly option: Option;
  readonly regimes: readonly Regime[];
  readonly ends: readonly Ends[];
  readonly bound: Bound | undefined;
};

/** A candidate with the options that may be worth it, before anything is quoted. */
export type Prospect = {
  readonly candidate: Candidate;
  /** The most promising first. */
  readonly openings: readonly Opening[];
  /** Why an option is not among them. */
  readonly obstacle: 'no-usd-price' | 'position-too-large' | undefined;
};

type Skip = Extract<Decision, { kind: 'skip' }>;

/** What a candidate may be worth at these rates, or the reason why it cannot be worth it. Pure. */
export function prospectOf(
  candidate: Candidate,
  options: readonly Option[],
  market: Market,
  rates: Rates,
  common: Terms,
  at: Moment,
): Prospect | Skip {
  const terms = termsFor(candidate, common);
  if (options.length === 0) return skipOf(candidate, 'no-option');
  const allowed = options.filter((option) => terms.tokenAllowed(option.debtAsset) && terms.tokenAllowed(option.collateralAsset));
  if (allowed.length === 0) return skipOf(candidate, 'token-denied', { pairs: options.map((option) => option.label).join(', ') });
  let obstacle: Prospect['obstacle'];
  let noWay: NoFill | undefined;
  const openings: Opening[] = [];
  for (const option of allowed) {
    const within = withinPositionLimit(option, market.usd, terms, at);
    if (typeof within === 'string') {
      obstacle ??= within;
      continue;
    }
    const { regimes, ends } = within;
    const rate = rateOf(option, market, rates);
    if (rate?.kind === 'none') noWay ??= rate.why;
    else openings.push({ option, regimes, ends, bound: rate && boundOf(option, ends, rate, rates, terms) });
  }
  if (openings.length === 0 && noWay !== undefined) return skipOf(candidate, ...unroutable(noWay));
  const least = usd8ToWeiUp(terms.minProfitUsd8, terms.numeraireUsd8);
  const open = openings.filter(({ bound }) => bound === undefined || (bound.valueWei >= least && bound.valueWei > 0n));
  if (openings.length > 0 && open.length === 0) {
    const { bound, option } = openings.reduce((a, b) => (b.bound!.valueWei > a.bound!.valueWei ? b : a));
    return tooLittle(candidate, { ...bound!, bidWei: 0n, pair: option.label }, terms, { atMost: 'however it is exchanged' });
  }
  return { candidate, openings: open.sort(byBound), obstacle };
}

/** The same at other rates: every option stays, since what is planned tells why not. */
export function boundAt(prospect: Prospect, market: Market, rates: Rates, common: Terms): Prospect {
  const terms = termsFor(prospect.candidate, common);
  const openings = prospect.openings.map((opening): Opening => {
    const rate = rateOf(opening.option, market, rates);
    return rate?.kind === 'some' ? { ...opening, bound: boundOf(opening.option, opening.ends, rate, rates, terms) } : opening;
  });
  return { ...prospect, openings: openings.sort(byBound) };
}

/** The same, as if only the largest amount of each option were allowed. */
export function wholeOf(prospect: Prospect, market: Market, rates: Rates, terms: Terms): Prospect {
  const openings = prospect.openings.map((opening): Opening => {
    const { maxRaw } = opening.regimes.at(-1)!;
    const [, most] = opening.ends.at(-1)!;
    return { ...opening, regimes: [{ minRaw: maxRaw, maxRaw }], ends: [[most, most]] };
  });
  return boundAt({ ...prospect, openings }, market, rates, terms);
}

/** The same bounded more closely, unless it may well make this much of a unit of its gas, in wei. */
export function boundCloser(prospect: Prospect, rates: Rates, common: Terms, enoughPerGas: number): Prospect {
  const terms = termsFor(prospect.candidate, common);
  const frontierOf: FrontierOf = (...asked) => rates.frontier(...asked);
  const openings: Opening[] = [];
  for (const opening of prospect.openings) {
    const { option, ends, bound } = opening;
    if (bound === undefined || perGasOf(opening) < enoughPerGas) {
      openings.push(opening);
      continue;
    }
    const close = closer(option, ends, bound, frontierOf, terms, enoughPerGas * Number(leastGasOf(opening)));
    if (close === bound) return prospect;
    openings.push({ ...opening, bound: close });
  }
  return { ...prospect, openings: openings.sort(byBound) };
}

/** What is taken on margin comes out at a venue with rules of its own. Without any lender that is the reason, whatever it would make. */
function rateOf({ financing, collateralAsset, debtAsset }: Option, { flashes }: Market, rates: Rates): ReturnType<Rates['between']> {
  if (financing.kind === 'margin' || (financing.kind === 'loan' && flashes.length === 0)) return undefined;
  return rates.between(collateralAsset, debtAsset);
}

/** No plan for it takes less gas. */
export function leastGas({ openings }: Prospect): bigint {
  const gases = openings.map(leastGasOf);
  return gases.reduce((a, b) => (b < a ? b : a), gases[0] ?? 0n);
}

function leastGasOf({ option, bound }: Opening): bigint {
  return bound?.gasUnits ?? TRANSACTION_GAS + GROUP_GAS + option.gasUnits;
}

/** More than a unit of its gas can make, in wei; infinite without a bound: anything may be in it, so it comes first. */
export function mostPerGas({ openings }: Prospect): number {
  let most = 0;
  for (const opening of openings) {
    if (opening.bound === undefined) return Number.POSITIVE_INFINITY;
    most = Math.max(most, perGasOf(opening));
  }
  return most;
}

function perGasOf(opening: Opening): number {
  return opening.bound === undefined ? Number.POSITIVE_INFINITY : Number(opening.bound.valueWei) / Number(leastGasOf(opening));
}

/** The most promising first: most of the others need no look then. */
function byBound({ bound: a }: Opening, { bound: b }: Opening): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  return a.valueWei === b.valueWei ? 0 : a.valueWei > b.valueWei ? -1 : 1;
}

function unroutable(why: NoFill): [SkipReason['reason'], Record<string, string>?] {
  return why.reason === 'odd-token' ? ['odd-token', { token: why.token, cause: why.cause }] : ['no-route'];
}

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
  for (const { option, regimes, ends, bound } of openings) {
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
    const descending = regimes
      .map((regime, place) => (bound === undefined ? regime : { ...regime, mostWei: bound.grossOf[place]! - Number(bound.gasWei) }))
      .toReversed();
    const search = (lenders: readonly (FlashSource | undefined)[], venue: Exchange) => {
      for (const flash of lenders)
        for (const way of ways) {
          // Where chances are weighed, one of less value may be the better one.
          const toBeat = terms.moves === undefined ? best?.valueWei : undefined;
          best = likelier(best, bestAmount(descending, value(flash, way, venue), toBeat), terms, at);
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
  const sliced = sliceOf(best, openings, depth, terms);
  if (sliced !== undefined && sliced.now === undefined) return skip('better-later', toldOfLeft(sliced.left, terms));
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
  const regimes = prospect.openings.find((opening) => opening.option === option)?.regimes ?? [];
  const found = bestAmount(regimes, again);
  if (found !== undefined && keeps(found, mostlyBps)) return decide(prospect.candidate, found, market, depth, terms, at);
  return planProspect(prospect, market, depth, terms, at);
}

/** The block's terms, with what gas really comes to for liquidations of its protocol. */
function termsFor({ protocol }: Candidate, terms: Terms): Terms {
  return terms.gasUse === undefined ? terms : { ...terms, gasUsedBps: terms.gasUse.usedBps(protocol) };
}

function skipOf(candidate: Candidate, reason: SkipReason['reason'], figures: Record<string, string> = {}): Skip {
  return { kind: 'skip', candidate, skip: { reason, figures } };
}

type Making = {
  readonly grossWei: bigint;
  readonly gasWei: bigint;
  readonly bidWei: bigint;
  readonly valueWei: bigint;
  readonly pair: string;
  readonly toxic?: boolean;
};

/** Why it is not worth it. */
function tooLittle(
  candidate: Candidate,
  { grossWei, gasWei, bidWei, valueWei, pair, toxic = false }: Making,
  { numeraireUsd8, minProfitUsd8 }: Terms,
  more: Record<string, string> = {},
): Skip {
  const usd = (wei: bigint) => usdText(weiToUsd8Floor(wei, numeraireUsd8));
  const enough = grossWei > 0n && weiToUsd8Floor(grossWei, numeraireUsd8) >= minProfitUsd8;
  const tooDear = enough && valueWei <= 0n;
  const reason = toxic && valueWei > 0n ? 'toxic' : tooDear ? 'gas-too-high' : 'below-min-profit';
  return skipOf(candidate, reason, {
    ...{ profitUsd: usd(valueWei - bidWei), minProfitUsd: usdText(minProfitUsd8), grossUsd: usd(grossWei) },
    ...{ gasUsd: usd(gasWei), bidUsd: usd(bidWei), pair, ...more },
  });
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

/**
 * The lenders worth trying: the cheapest of those that can lend for the largest amount, and those that are cheaper still and can lend less. One at the least,
 * which may be none at all where no loan is needed.
 */
export function lendersFor(
  option: Option,
  regimes: readonly Regime[],
  { flashes, venue }: Market,
  depth: Depth,
  terms: Terms,
): readonly (FlashSource | undefined)[] {
  if (option.financing.kind !== 'loan') return [undefined];
  if (flashes.length < 2) return [flashes[0]];
  const [leastRaw, mostRaw] = [repaidRaw(option, regimes[0]!.minRaw), repaidRaw(option, regimes.at(-1)!.maxRaw)];
  const price = venue.spot(option.debtAsset, terms.numeraire, depth) ?? 0;
  const offers = flashes.flatMap((flash) => {
    // Fees are linear in the amount, so one amount says what every one costs.
    for (const amountRaw of [mostRaw, mostRaw / 2n, mostRaw / 8n, leastRaw]) {
      const offer = amountRaw > 0n ? flash.feeRaw(option.debtAsset, amountRaw, []) : undefined;
      if (offer === undefined) continue;
      const feeWei = (Number(offer.feeRaw) * price * Number(mostRaw)) / Number(amountRaw);
      return [{ flash, whole: amountRaw === mostRaw, costWei: feeWei + Number(offer.gasUnits * terms.gasPriceWei) }];
    }
    return [];
  });
  offers.sort((a, b) => a.costWei - b.costWei);
  const cheapest = offers.findIndex(({ whole }) => whole);
  const chosen = offers.slice(0, cheapest < 0 ? offers.length : cheapest + 1).map(({ flash }) => flash);
  return chosen.length > 0 ? chosen : [flashes[0]];
}

/** Of what is owed at a venue the venue knows the worth. */
function priceOfDebt({ financing, debtAsset }: Option, usd: UsdPrices, at: Moment): ReturnType<UsdPrices['usd8']> {
  return financing.kind === 'margin' ? { priceUsd8: financing.debtUsd8, decimals: 18 } : usd.usd8(debtAsset, at);
}

/** An option's amounts, and what is moved at the ends of each regime. */
type Within = { readonly regimes: readonly Regime[]; readonly ends: readonly Ends[] };

/** The option's regimes cut to the operator's largest position; partial liquidations stay possible below it. */
export function withinPositionLimit(
  option: Option,
  usdPrices: UsdPrices,
  terms: Terms,
  at: Moment,
): Within | 'no-usd-price' | 'position-too-large' {
  const price = priceOfDebt(option, usdPrices, at);
  if (price === undefined || price.priceUsd8 <= 0n) return 'no-usd-price';
  const maxRaw = (terms.maxPositionUsd8 * 10n ** BigInt(price.decimals)) / price.priceUsd8;
  const regimes: Regime[] = [];
  const ends: Ends[] = [];
  for (const regime of option.regimes) {
    const least = movesOf(option, regime.minRaw);
    if (least.repayRaw > maxRaw) continue;
    const most = movesOf(option, regime.maxRaw);
    const cut = most.repayRaw <= maxRaw ? regime : cutAt(regime, maxRaw, (amountRaw) => repaidRaw(option, amountRaw));
    regimes.push(cut);
    ends.push([least, cut === regime ? most : movesOf(option, cut.maxRaw)]);
  }
  return regimes.length > 0 ? { regimes, ends } : 'position-too-large';
}

/** The amounts of a regime that repay no more than this; what is repaid never falls as the amount rises. Its least amount does. */
function cutAt(regime: Regime, mostRaw: bigint, repaid: (amountRaw: bigint) => bigint): Regime {
  let fits = regime.minRaw;
  let exceeds = regime.maxRaw;
  while (exceeds - fits > 1n) {
    const middle = (fits + exceeds) / 2n;
    if (repaid(middle) <= mostRaw) fits = middle;
    else exceeds = middle;
  }
  return { minRaw: regime.minRaw, maxRaw: fits };
}

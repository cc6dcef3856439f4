/** What candidates may be worth at most, before anything is quoted for them. */
import { usd8ToWeiUp } from '../lib/usd.ts';
import type { Exchange, FlashSource, NoFill } from '../liquidity/types.ts';
import type { Moment, UsdPrices } from '../oracles/types.ts';
import type { Option, Regime } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { type Bound, boundOf, type Ends, type Rates } from './bounds.ts';
import type { FrontierOf } from './exits.ts';
import { withinPositionLimit } from './limits.ts';
import { closer } from './reach.ts';
import { type Skip, skipOf, tooLittle } from './skips.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';
import type { SkipReason } from './types.ts';

/** What planning may exchange, borrow and price with. */
export type Market = { readonly venue: Exchange; readonly flashes: readonly FlashSource[]; readonly usd: UsdPrices };

/** An option with the amounts that the operator's limits leave of it. */
export type Opening = {
  readonly option: Option;
  readonly regimes: readonly Regime[];
  /** What is moved at the ends of each, or at the first and the last where all of it goes with the amount: `isEven`. */
  readonly ends: readonly Ends[];
  readonly isEven?: boolean;
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

/**
 * What a candidate may be worth at these rates, or the reason why it cannot be worth it. Pure.
 *
 * @param rates undefined where it is to be planned in any case: then nothing bounds it
 */
export function prospectOf(
  candidate: Candidate,
  options: readonly Option[],
  market: Market,
  rates: Rates | undefined,
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
    const rate = rates && rateOf(option, market, rates);
    if (rate?.kind === 'none') noWay ??= rate.why;
    else openings.push({ option, ...within, bound: rate && boundOf(option, within.ends, rate, rates, terms) });
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

/**
 * The same at other rates: every option stays, since what is planned tells why not. @param enoughPerGas options that were bound to make less than this of a unit
 * of gas, in wei, keep their bounds
 */
export function boundAt(prospect: Prospect, market: Market, rates: Rates, common: Terms, enoughPerGas = 0): Prospect {
  const terms = termsFor(prospect.candidate, common);
  const openings = prospect.openings.map((opening): Opening => {
    if (perGasOf(opening) < enoughPerGas) return opening;
    const { option, ends, bound } = opening;
    const rate = rateOf(option, market, rates);
    return rate?.kind === 'some' ? { ...opening, bound: boundOf(option, ends, rate, rates, terms, bound) } : opening;
  });
  return { ...prospect, openings: openings.sort(byBound) };
}

/** The same, as if only the largest amount of each option were allowed. */
export function wholeOf(prospect: Prospect, market: Market, rates: Rates, terms: Terms): Prospect {
  const openings = prospect.openings.map((opening): Opening => {
    const { maxRaw } = opening.regimes.at(-1)!;
    const [, most] = opening.ends.at(-1)!;
    return { ...opening, regimes: [{ minRaw: maxRaw, maxRaw }], ends: [[most, most]], isEven: true };
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
  return opening.bound?.perGas ?? Number.POSITIVE_INFINITY;
}

/** The most promising first: most of the others need no look then. */
function byBound({ bound: a }: Opening, { bound: b }: Opening): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  return a.valueWei === b.valueWei ? 0 : a.valueWei > b.valueWei ? -1 : 1;
}

function unroutable(why: NoFill): [SkipReason['reason'], Record<string, string>?] {
  return why.reason === 'odd-token' ? ['odd-token', { token: why.token, cause: why.cause }] : ['no-route'];
}

/** The block's terms, with what gas really comes to for liquidations of its protocol. */
export function termsFor({ protocol }: Candidate, terms: Terms): Terms {
  return terms.gasUse === undefined ? terms : { ...terms, gasUsedBps: terms.gasUse.usedBps(protocol) };
}

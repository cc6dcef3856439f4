import type { Address } from '../lib/types.ts';
import { purchaseCeiling, saleCeiling } from '../liquidity/ceiling.ts';
import type { Frontier } from '../liquidity/frontier.ts';
import type { MergedOutline } from '../liquidity/outline.ts';
import type { Depth, Exchange, FlashSource, NoFill } from '../liquidity/types.ts';
import type { Option } from '../protocols/types.ts';
import { gasWeiOf, type Moves } from './evaluate.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';

/** More than any amount of an option can leave, whatever way it is exchanged. `grossOf`: the same of each of its regimes, a fee not taken off. */
export type Bound = {
  readonly grossWei: bigint;
  readonly gasWei: bigint;
  readonly gasUnits: bigint;
  readonly valueWei: bigint;
  /** Of a unit of gas, in wei. */
  readonly perGas: number;
  readonly grossOf: readonly number[];
};

/** What is moved at the least and at the most amount of a regime. */
export type Ends = readonly [Moves, Moves];

/** Less than a swap at any venue takes. */
const LEAST_SWAP_GAS = 85_000n;
/** Floats, and units that protocols round away. */
const SLACK = 1 + 1e-6;
/** More than there is of anything, in wei. */
const BEYOND = 1e40;

/**
 * What no way of exchange between two tokens beats, in the numeraire: prices before any impact, and the pools at either end with theirs. `none`: there is no way
 * at all.
 */
type Rate = { readonly kind: 'none'; readonly why: NoFill } | ({ readonly kind: 'some' } & Some);
type Some = {
  /** Most that a unit of collateral, or of what is left of the debt asset, gives. */
  readonly collateral: number;
  readonly debt: number;
  /** Least that a unit of what is owed takes. */
  readonly owed: number;
  /** Of the exchanges that it takes. */
  readonly swapGas: bigint;
  /** What collateral gives in the numeraire, the pools at one end counted with their impact; none where nothing is to be sold or no pools are known. */
  readonly sales: readonly MergedOutline[];
  /** What of the debt asset the numeraire buys, likewise. */
  readonly purchases: readonly MergedOutline[];
};

/** The rates at one depth, each worked out once. */
export class Rates {
  readonly #venue: Exchange;
  readonly #depth: Depth;
  readonly #numeraire: Address;
  readonly #flashes: readonly FlashSource[];
  readonly #known = new Map<Address, Map<Address, Rate | undefined>>();
  readonly #loanGas = new Map<Address, bigint>();

  constructor(
    { venue, flashes }: { readonly venue: Exchange; readonly flashes: readonly FlashSource[] },
    depth: Depth,
    numeraire: Address,
  ) {
    this.#venue = venue;
    this.#flashes = flashes;
    this.#depth = depth;
    this.#numeraire = numeraire;
  }

  /** Of all exchanges between two tokens; undefined where it is not known. */
  frontier(tokenIn: Address, tokenOut: Address, exact: 'in' | 'out'): Frontier | undefined {
    return this.#venue.frontier?.(tokenIn, tokenOut, exact, this.#depth);
  }

  /** Undefined where no such bound is known. */
  between(collateral: Address, debt: Address): Rate | undefined {
    const known = this.#known.get(collateral) ?? new Map<Address, Rate | undefined>();
    this.#known.set(collateral, known);
    if (!known.has(debt)) known.set(debt, this.#rate(collateral, debt));
    return known.get(debt);
  }

  /** Of the cheapest loan of a token. */
  loanGas(token: Address): bigint {
    const known = this.#loanGas.get(token) ?? leastOf(this.#flashes.flatMap((flash) => flash.feeRaw(token, 1n, [])?.gasUnits ?? []));
    this.#loanGas.set(token, known);
    return known;
  }

  #rate(collateral: Address, debt: Address): Rate | undefined {
    const numeraire = this.#numeraire;
    const [across, out, back] = [this.#spot(collateral, debt), this.#spot(collateral, numeraire), this.#spot(debt, numeraire)];
    const buy = this.#spot(numeraire, debt);
    if (across === undefined || out === undefined || back === undefined || buy === undefined) return undefined;
    // The ways of exits.ts: all sold for debt, debt bought with collateral, both over the numeraire.
    const isWay = (across > 0 && back > 0) || (across > 0 && out > 0) || (out > 0 && buy > 0);
    if (!isWay) return { kind: 'none', why: this.#whyNot(collateral, debt) };
    const best = Math.max(out, across * back);
    const owed = buy > 0 ? Math.min(back, 1 / buy) : back;
    return {
      ...{ kind: 'some', collateral: best, debt: back, owed, swapGas: LEAST_SWAP_GAS * this.#swaps(collateral, debt) },
      sales: collateral === numeraire ? [] : this.#sales(collateral, debt, back),
      purchases: debt === numeraire || debt === collateral ? [] : this.#purchases(collateral, debt, best),
    };
  }

  /** One for each token that is not the one it has to become. */
  #swaps(collateral: Address, debt: Address): bigint {
    if (collateral === debt) return debt === this.#numeraire ? 0n : 1n;
    return collateral === this.#numeraire || debt === this.#numeraire ? 1n : 2n;
  }

  /** Of what comes out of a first pool, a unit is sold on, or pays the debt. Where that is the numeraire, all goes through a last pool into it. */
  #sales(collateral: Address, debt: Address, back: number): readonly MergedOutline[] {
    const numeraire = this.#numeraire;
    const worth = (token: Address) => Math.max(this.#spot(token, numeraire) ?? 0, (this.#spot(token, debt) ?? 0) * back);
    const first = this.#ceiling(collateral, 'out of', [debt, numeraire], worth);
    if (debt !== numeraire && debt !== collateral) return first;
    return [...first, ...this.#ceiling(numeraire, 'into', [collateral], (token) => inverse(this.#spot(collateral, token)))];
  }

  /** A unit that goes into a last pool was numeraire before, or collateral that would have given some. Where that is the numeraire, all comes out of a first pool. */
  #purchases(collateral: Address, debt: Address, best: number): readonly MergedOutline[] {
    const numeraire = this.#numeraire;
    const cost = (token: Address) => Math.min(inverse(this.#spot(numeraire, token)), best * inverse(this.#spot(collateral, token)));
    const last = this.#ceiling(debt, 'into', [collateral, numeraire], cost);
    if (collateral !== numeraire) return last;
    return [...last, ...this.#ceiling(numeraire, 'out of', [debt], (token) => this.#spot(token, debt) ?? 0)];
  }

  #ceiling(token: Address, side: 'out of' | 'into', ends: readonly Address[], unit: (token: Address) => number): readonly MergedOutline[] {
    const curves = this.#venue.curves?.(token, side, ends, this.#depth);
    if (curves === undefined) return [];
    const valued = curves.map(({ other, outline }) => ({ outline, unit: unit(other) }));
    return [side === 'into' ? purchaseCeiling(valued) : saleCeiling(valued)];
  }

  #spot(from: Address, to: Address): number | undefined {
    return from === to ? 1 : this.#venue.spot(from, to, this.#depth);
  }

  #whyNot(collateral: Address, debt: Address): NoFill {
    const asked = collateral === debt ? ([debt, this.#numeraire] as const) : ([collateral, debt] as const);
    const answer = this.#venue.quoteIn(...asked, 1n, this.#depth);
    return answer.ok ? { ok: false, reason: 'too-thin' } : answer;
  }
}

/** Infinite where there is none. */
function inverse(spot: number | undefined): number {
  return spot === undefined || spot === 0 ? Number.POSITIVE_INFINITY : 1 / spot;
}

function leastOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((least, amount) => (amount < least ? amount : least), amounts[0] ?? 0n);
}

/**
 * @param ends what is moved at the least and at the most amount of each regime: in between it is linear
 * @param before the same at other rates: it takes as much gas
 */
export function boundOf(option: Option, ends: readonly Ends[], rate: Some, rates: Rates, terms: Terms, before?: Gas): Bound {
  const grossOf = ends.map(([least, most]) => mostOf(least, most, option.collateralAsset === option.debtAsset, rate));
  const gross = Math.max(0, ...grossOf);
  const grossWei = BigInt(Math.ceil(Math.min(gross, BEYOND))) - (option.feeWei ?? 0n);
  return bounded(grossWei, before ?? gasOf(option, rate, rates, terms), grossOf);
}

export function bounded(grossWei: bigint, { gasWei, gasUnits }: Gas, grossOf: readonly number[]): Bound {
  const valueWei = grossWei - gasWei;
  return { grossWei, gasWei, gasUnits, valueWei, perGas: Number(valueWei) / Number(gasUnits), grossOf };
}

type Gas = Pick<Bound, 'gasWei' | 'gasUnits'>;

function gasOf(option: Option, rate: Some, rates: Rates, terms: Terms): Gas {
  const loanGas = option.financing.kind === 'loan' ? rates.loanGas(option.debtAsset) : 0n;
  const gasUnits = TRANSACTION_GAS + GROUP_GAS + option.gasUnits + rate.swapGas + loanGas;
  return { gasUnits, gasWei: gasWeiOf(gasUnits, terms) };
}

/** Over a regime: with impact at one end of the ways. Each curve is concave, so its slope tells where most is left. */
function mostOf(least: Moves, most: Moves, alike: boolean, { collateral, debt, owed, sales, purchases }: Some): number {
  const [seized0, seized1] = [Number(least.seizedRaw) * SLACK, Number(most.seizedRaw) * SLACK];
  const [owed0, owed1] = [Number(least.repayRaw), Number(most.repayRaw)];
  if (alike) {
    const rest = Math.max(0, seized0 - owed0, seized1 - owed1);
    return Math.min(rest * debt, ...sales.map((sale) => sale.outFor(rest)));
  }
  const [seizes, owes] = [seized1 - seized0, owed1 - owed0];
  /** At a part of the regime, in which both are linear. */
  const at = (part: number) => {
    const within = part > 0 ? Math.min(1, part) : 0;
    return [seized0 + seizes * within, owed0 + owes * within] as const;
  };
  let bound = Math.max(seized0 * collateral - owed0 * owed, seized1 * collateral - owed1 * owed);
  for (const sale of sales) {
    const soldRaw = owes > 0 ? sale.takenUntil(Math.sqrt(seizes / (owes * owed))) : seized1;
    const [seized, repaid] = at(seizes > 0 ? (soldRaw - seized0) / seizes : 1);
    bound = Math.min(bound, sale.outFor(seized) - repaid * owed);
  }
  for (const purchase of purchases) {
    // What more can be bought than is owed is sold again, where that pays.
    const free = purchase.givenUntil(Math.sqrt(debt));
    const costOf = (amount: number) => (amount >= free ? purchase.inFor(amount) : purchase.inFor(free) - (free - amount) * debt);
    const boughtRaw = owes > 0 ? purchase.givenUntil(Math.sqrt((seizes * collateral) / owes)) : owed1;
    const [seized, repaid] = at(owes > 0 ? (boughtRaw - owed0) / owes : 1);
    bound = Math.min(bound, seized * collateral - costOf(repaid));
  }
  return bound;
}

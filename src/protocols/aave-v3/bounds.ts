/**
 * What keeps an account healthy (health.ts) as a sum: the value of each collateral weighed by its threshold, less the value of each debt.
 *
 * A factor is a reserve's side in an efficiency mode: price, index, and threshold of one scaled unit. Governance and oracles change factors alone. What the
 * contracts round away is bounded: a scaled amount gains or loses less than one unit on its way to an amount, since no index is below one; a value less than
 * one unit of the base currency, times a threshold of at most one; the sum of them, where the average threshold is floored, less than a basis point of each
 * value; the health factor less than one unit more.
 */
import { BPS, RAY } from '../../lib/math.ts';
import type { FeedAnswer, FeedId, Moment } from '../../oracles/types.ts';
import { type Bounds, type Changes, gridDown, gridUp, type Terms, type Truth } from '../bounds.ts';
import type { Slot } from '../types.ts';
import type { Accounts } from './accounts.ts';
import { grownAt } from './grown.ts';
import { debtIndexRay, type Indexes, incomeIndexRay } from './interest.ts';
import type { EModeCategory, MarketState, Reserve } from './state.ts';

type Side = 'collateral' | 'debt';

/** A reserve that some account has, its price at the moment that was last worked out, and the factors that it is in. */
type Priced = { readonly reserve: Reserve; readonly factors: number[]; price: bigint | undefined; bounds: IndexBounds | undefined };

/** What the factors last worked out stand on beside the mirrored block. */
type Basis = {
  readonly timestamp: number;
  readonly feeds: readonly FeedId[];
  /** By feed, as the reserves whose price it moves are. */
  readonly answers: (FeedAnswer | undefined)[];
  readonly moved: readonly (readonly Priced[])[];
};

type Factor = { readonly side: Side; readonly of: Priced; readonly mode: number; known: Known | undefined };

/** A factor's value, and what it was made of: as long as that is the same, so is the value. */
type Known = {
  readonly value: number;
  readonly price: bigint;
  readonly index: number;
  readonly config: Reserve['config'];
  readonly category: EModeCategory | undefined;
};

/** The least that the income index is, and the most that the debt index is, between two timestamps. */
type IndexBounds = {
  readonly indexes: Indexes;
  readonly from: number;
  readonly until: number;
  readonly income: number;
  readonly debt: number;
};

const HEALTH_CONSTANT_BASE = 1;
/** A coefficient has one scaled unit less, or more, than the position, and what is rounded away another way may be worth one more. */
const WIDTH_SCALED = 2;
/** How long ahead debts are taken to have grown already, by reserve, so that not all of them are worked out anew in one block. */
const AHEAD_SECONDS = 1_800;
const STAGGER_SECONDS = 61;
const ONE_RAY = Number(RAY);
/** No reserve has an id above this; modes count in the digits above it. */
const RESERVES = 256;

export class AccountBounds implements Bounds {
  readonly changes: Changes;
  readonly #state: MarketState;
  readonly #health: number[];
  readonly #factors: Factor[] = [];
  /** The numbers of factors, by side, mode and reserve. */
  readonly #numbers = { collateral: new Map<number, number>(), debt: new Map<number, number>() };
  readonly #priced: Priced[] = [];
  #values = new Float64Array(0);
  readonly truth: Truth = { width: WIDTH_SCALED, factors: (at) => this.#truth(at) };
  /** Undefined where all of them have to be worked out anew. */
  #basis: Basis | undefined;

  /** @param health by slot: where health factors are noted, as floats */
  constructor(state: MarketState, health: number[]) {
    this.#state = state;
    this.changes = state.changes;
    this.#health = health;
  }

  safeBound(slot: Slot, terms: Terms): 'bounded' | 'unbounded' | 'idle' {
    const { accounts } = this.#state;
    if (slot >= accounts.length) return 'idle';
    const known = accounts.isKnown(slot);
    if (known && !accounts.inDebt(slot)) return 'idle';
    // A debt at a fixed rate grows by itself.
    if (!known || accounts.fixedOf(slot).size > 0) return 'unbounded';
    return this.#add(accounts, slot, terms) ? 'bounded' : 'unbounded';
  }

  #add(accounts: Accounts, slot: Slot, terms: Terms): boolean {
    const mode = accounts.eModeOf(slot);
    for (let entry = accounts.first(slot), end = accounts.end(slot); entry < end; entry++) {
      const debt = accounts.isDebt(entry);
      if (!debt && !accounts.isCollateral(entry)) continue;
      const scaled = accounts.floatOf(entry);
      const number = this.#numberOf(debt ? 'debt' : 'collateral', accounts.reserveOf(entry), mode);
      if (Number.isNaN(scaled) || number === undefined) return false;
      // Of a balance of 0 the price has to be known still.
      if (!terms.add(number, debt ? -(scaled + 1) : scaled > 1 ? scaled - 1 : 0)) return false;
    }
    terms.constant = -(terms.count + HEALTH_CONSTANT_BASE);
    return true;
  }

  /** Undefined for a reserve that is not there. NOTE: in its mode even where that does not cover the reserve now: it may at the next block. */
  #numberOf(side: Side, id: number, mode: number): number | undefined {
    const numbers = this.#numbers[side];
    const key = mode * RESERVES + id;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const reserve = this.#state.reserves.get(id);
    if (reserve === undefined) return undefined;
    const of = this.#pricedOf(reserve);
    const number = this.#factors.push({ side, of, mode, known: undefined }) - 1;
    of.factors.push(number);
    numbers.set(key, number);
    this.#basis = undefined;
    return number;
  }

  #pricedOf(reserve: Reserve): Priced {
    const known = this.#priced.find((priced) => priced.reserve === reserve);
    if (known !== undefined) return known;
    const priced: Priced = { reserve, factors: [], price: undefined, bounds: undefined };
    this.#priced.push(priced);
    return priced;
  }

  factors(at: Moment): Float64Array {
    const basis = this.#basis;
    // What is left half done counts for nothing.
    this.#basis = undefined;
    this.#basis = basis?.timestamp === at.timestamp ? this.#workMovedOut(basis, at) : this.#workAllOut(at);
    return this.#values;
  }

  #workMovedOut(basis: Basis, at: Moment): Basis {
    for (let place = 0; place < basis.feeds.length; place++) {
      const answer = at.answer(basis.feeds[place]!);
      if (answer === basis.answers[place]) continue;
      basis.answers[place] = answer;
      for (const priced of basis.moved[place]!) this.#workOut(priced, at);
    }
    return basis;
  }

  #workAllOut(at: Moment): Basis | undefined {
    if (this.#values.length !== this.#factors.length) this.#values = new Float64Array(this.#factors.length);
    for (const priced of this.#priced) this.#workOut(priced, at);
    // Where modes have prices too, every moment is worked out whole.
    const modes = [...this.#state.categories.values()].some(({ source }) => source !== undefined);
    return modes ? undefined : basisOf(this.#priced, at);
  }

  #workOut(of: Priced, at: Moment): void {
    const said = of.reserve.source.price(at);
    of.price = said.ok ? said.price : undefined;
    for (const number of of.factors) {
      const factor = this.#factors[number]!;
      const category = factor.mode === 0 ? undefined : this.#state.categories.get(factor.mode);
      const price = category?.source === undefined ? of.price : this.#priceIn(category, of, of.price, at);
      this.#values[number] = price === undefined ? Number.NaN : this.#valueOf(factor, price, category, at.timestamp);
    }
  }

  /** A reserve's price for those in a mode that may have one of its own. */
  #priceIn(category: EModeCategory, of: Priced, own: bigint | undefined, at: Moment): bigint | undefined {
    const said = category.source?.price(at);
    // Without the mode's own price nobody in it can be judged.
    if (!said?.ok) return undefined;
    return said.price !== 0n && this.#state.rules.modes.covers(category, of.reserve) ? said.price : own;
  }

  #valueOf(factor: Factor, price: bigint, category: EModeCategory | undefined, timestamp: number): number {
    const { side, of, known } = factor;
    const { config, unit } = of.reserve;
    const bounds = this.#indexBounds(of, timestamp);
    const index = side === 'collateral' ? bounds.income : bounds.debt;
    if (known !== undefined && known.price === price && known.index === index && known.config === config && known.category === category)
      return known.value;
    const plain = (Number(price) / Number(unit)) * (index / ONE_RAY);
    let value: number;
    // Below one ray a scaled unit would be worth more than one unit.
    if (index < ONE_RAY) value = Number.NaN;
    else if (side === 'collateral') value = weighed(plain, this.#thresholdBps(of.reserve, category));
    else value = plain > 0 ? gridUp(plain) : Number.NaN;
    factor.known = { price, index, config, category, value };
    return value;
  }

  /** What collateral counts at the least, in basis points; undefined where that cannot be said. */
  #thresholdBps(reserve: Reserve, category: EModeCategory | undefined): bigint | undefined {
    const bps = this.#ownThresholdBps(reserve, category);
    const leastBps = this.#state.rules.weighing.floorsAverage && bps !== undefined ? bps - 1n : (bps ?? 0n);
    return leastBps < 0n || (bps ?? 0n) > BPS ? undefined : leastBps;
  }

  /** Undefined where it counts for nothing. */
  #ownThresholdBps(reserve: Reserve, category: EModeCategory | undefined): bigint | undefined {
    const { modes, weighing } = this.#state.rules;
    const ownBps = reserve.config.liquidationThresholdBps;
    if (ownBps === 0n && !weighing.countsUnweighted) return undefined;
    return category !== undefined && modes.covers(category, reserve) ? category.liquidationThresholdBps : ownBps;
  }

  /** Worked out anew each time: it is asked for where several are found at once, and costs no more than judging a few of them. */
  #truth(at: Moment): Float64Array {
    const values = new Float64Array(this.#factors.length);
    for (const { reserve, factors } of this.#priced) {
      const said = reserve.source.price(at);
      const price = said.ok ? said.price : undefined;
      for (const number of factors) values[number] = this.#truthOf(this.#factors[number]!, price, at);
    }
    return values;
  }

  #truthOf({ side, of, mode }: Factor, own: bigint | undefined, at: Moment): number {
    const category = mode === 0 ? undefined : this.#state.categories.get(mode);
    const price = category?.source === undefined ? own : this.#priceIn(category, of, own, at);
    const { indexes, unit } = of.reserve;
    const debt = side === 'debt';
    const grown = grownAt(indexes, at.timestamp, this.#state.rules.compounded);
    const index = Number(debt ? grown.debtRay : grown.incomeRay);
    if (price === undefined || price < 0n || index < ONE_RAY) return Number.NaN;
    const plain = (Number(price) / Number(unit)) * (index / ONE_RAY);
    return debt ? plain : plain * (Number(this.#ownThresholdBps(of.reserve, category) ?? 0n) / Number(BPS));
  }

  #indexBounds(of: Priced, timestamp: number): IndexBounds {
    const { bounds } = of;
    const { id, indexes } = of.reserve;
    if (bounds !== undefined && bounds.indexes === indexes && timestamp >= bounds.from && timestamp <= bounds.until) return bounds;
    const until = timestamp + AHEAD_SECONDS + ((id * STAGGER_SECONDS) % AHEAD_SECONDS);
    const fresh = {
      ...{ indexes, until, from: timestamp },
      income: Number(incomeIndexRay(indexes, timestamp)),
      debt: Number(debtIndexRay(indexes, until, this.#state.rules.compounded)),
    };
    of.bounds = fresh;
    return fresh;
  }

  /** Prices worked out before a change of the mirrored state are worthless after it. */
  forget(): void {
    this.#basis = undefined;
  }

  noteHealth(slot: Slot, health: number): void {
    this.#health[slot] = health * 1e18;
  }
}

function basisOf(reserves: readonly Priced[], at: Moment): Basis {
  const moved = new Map<FeedId, Priced[]>();
  for (const priced of reserves)
    for (const feed of priced.reserve.source.feeds) {
      const others = moved.get(feed);
      if (others === undefined) moved.set(feed, [priced]);
      else others.push(priced);
    }
  const feeds = [...moved.keys()];
  return { timestamp: at.timestamp, feeds, answers: feeds.map((feed) => at.answer(feed)), moved: [...moved.values()] };
}

function weighed(plain: number, thresholdBps: bigint | undefined): number {
  if (thresholdBps === undefined) return Number.NaN;
  const value = plain * (Number(thresholdBps) / Number(BPS));
  return value > 0 ? gridDown(value) : 0;
}

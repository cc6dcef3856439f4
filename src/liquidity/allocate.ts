/** How an amount is best spread over paths that may share legs: until one more unit gives the same on each. In floats; pure. */
import type { MergedOutline } from './outline.ts';

/** Pools between two tokens, in one direction, by its place among all legs. `reverse`: the leg the other way round, where there is one. */
export type LegOutline = { readonly outline: MergedOutline; readonly reverse: number | undefined };

/** Legs by place, from the first hop to the last. */
export type PathLegs = readonly number[];

const CHUNKS = 8;
const MAX_MOVES = 80;
const MAX_HALVINGS = 40;
/** What prices at the margin may differ by, and moves amount to, relatively: what is lost by it goes with the square. */
const CLOSE = 1e-6;
const SMALL = 1e-12;

/**
 * The flow that enters each leg (`exact` in) or leaves it (`exact` out), such that `amount` at the start gives most at the end, or at the end costs least at
 * the start: begun in chunks, then moved between the best and the worst path until their prices meet. Pools are concave, so this leads to the one optimum; a
 * leg and its reverse never carry both, since two fees are more than none.
 */
export function allocate(legs: readonly LegOutline[], paths: readonly PathLegs[], amount: number, exact: 'in' | 'out'): Allocated {
  const allocation = new Allocation(legs, exact === 'in' ? paths : paths.map((path) => path.toReversed()), exact);
  const fits = allocation.begin(amount);
  if (fits) allocation.balance(amount * SMALL);
  return { flows: allocation.flows, fits, margins: () => allocation.margins() };
}

/**
 * `fits`: there is a place for all of it. `margins`: what a raw unit less takes away at the other end, and one more gives there, or the inverse of what they
 * cost.
 */
export type Allocated = { readonly flows: Float64Array; readonly fits: boolean; margins(): readonly [less: number, more: number] };

class Allocation {
  readonly flows: Float64Array;
  readonly #legs: readonly LegOutline[];
  /** In the order in which an amount goes through them: from its exact end. */
  readonly #paths: readonly PathLegs[];
  readonly #shares: Float64Array;
  readonly #exact: 'in' | 'out';

  constructor(legs: readonly LegOutline[], paths: readonly PathLegs[], exact: 'in' | 'out') {
    this.flows = new Float64Array(legs.length);
    this.#legs = legs;
    this.#paths = paths;
    this.#shares = new Float64Array(paths.length);
    this.#exact = exact;
  }

  /** Chunk after chunk to where it does best. False where there is no place for all. */
  begin(amount: number): boolean {
    const chunk = amount / CHUNKS;
    for (let n = 0; n < CHUNKS; n++) {
      let best = -1;
      let most = 0;
      for (let path = 0; path < this.#paths.length; path++) {
        if (!this.#usable(path)) continue;
        const before = this.flows.slice();
        const moved = this.#put(path, chunk);
        this.#restore(before, path, this.#shares[path]! - chunk);
        const merit = this.#exact === 'in' ? moved : 1 / moved;
        if (merit > most) [best, most] = [path, merit];
      }
      if (best < 0) return false;
      this.#put(best, chunk);
    }
    return true;
  }

  balance(small: number): void {
    const stuck = new Set<number>();
    for (let move = 0; move < MAX_MOVES; move++) {
      const pair = this.#furthest(stuck);
      if (pair === undefined) return;
      if (this.#move(pair.from, pair.to) > small) stuck.clear();
      else stuck.add(pair.from * this.#paths.length + pair.to);
    }
  }

  margins(): readonly [less: number, more: number] {
    let [less, more] = [Number.POSITIVE_INFINITY, 0];
    for (let path = 0; path < this.#paths.length; path++) {
      if (!this.#usable(path)) continue;
      const price = this.#price(path);
      more = Math.max(more, price);
      if (this.#shares[path]! > 0) less = Math.min(less, price);
    }
    return [less, more];
  }

  /** The two paths whose prices differ most; undefined when they agree. */
  #furthest(stuck: ReadonlySet<number>): { readonly from: number; readonly to: number } | undefined {
    const count = this.#paths.length;
    const prices = this.#paths.map((_, path) => this.#price(path));
    let best: { from: number; to: number } | undefined;
    let most = 1 + CLOSE;
    for (let to = 0; to < count; to++) {
      if (prices[to]! <= 0 || !this.#usable(to)) continue;
      for (let from = 0; from < count; from++) {
        if (from === to || this.#shares[from]! <= 0 || stuck.has(from * count + to)) continue;
        const ratio = prices[to]! / prices[from]!;
        if (ratio > most) [best, most] = [{ from, to }, ratio];
      }
    }
    return best;
  }

  /** Moves from one path to another until their prices meet (regula falsi, Illinois), or all of it; returns how much. */
  #move(from: number, to: number): number {
    const before = this.flows.slice();
    const [sharesFrom, sharesTo] = [this.#shares[from]!, this.#shares[to]!];
    const apart = (delta: number): number => {
      this.flows.set(before);
      this.#shares[from] = sharesFrom;
      this.#shares[to] = sharesTo;
      this.#put(from, -delta);
      this.#put(to, delta);
      const [better, worse] = [this.#price(to), this.#price(from)];
      return better <= 0 ? -1 : worse <= 0 ? 1 : (better - worse) / (better + worse);
    };
    let [low, high] = [0, sharesFrom];
    let [atLow, atHigh] = [apart(0), apart(sharesFrom)];
    if (atHigh >= 0) return sharesFrom;
    let side = 0;
    for (let n = 0; n < MAX_HALVINGS && high - low > sharesFrom * SMALL; n++) {
      const guess = n % 4 === 3 ? (low + high) / 2 : (low * atHigh - high * atLow) / (atHigh - atLow);
      const at = apart(guess);
      if (Math.abs(at) < CLOSE / 8) return guess;
      if (at > 0) {
        [low, atLow] = [guess, at];
        if (side === 1) atHigh /= 2;
        side = 1;
      } else {
        [high, atHigh] = [guess, at];
        if (side === -1) atLow /= 2;
        side = -1;
      }
    }
    // Where a price jumps they never meet: short of the jump.
    apart(low);
    return low;
  }

  /** What a raw unit more gives at the other end, or the inverse of what it costs there. */
  #price(path: number): number {
    let price = 1;
    for (const place of this.#paths[path]!) {
      const { outline } = this.#legs[place]!;
      const flow = this.flows[place]!;
      const s = this.#exact === 'in' ? outline.afterTaking(flow) : outline.afterGiving(flow);
      price /= s * s;
    }
    return price;
  }

  /** Adds to a path, or takes from it, and returns what that comes to at its other end. */
  #put(path: number, delta: number): number {
    this.#shares[path] = Math.max(0, this.#shares[path]! + delta);
    let moved = delta;
    for (const place of this.#paths[path]!) {
      const { outline } = this.#legs[place]!;
      const flow = this.flows[place]!;
      let after = flow + moved;
      // What subtraction leaves is nothing.
      if (moved < 0 && after < flow * SMALL) after = 0;
      this.flows[place] = after;
      moved = this.#exact === 'in' ? outline.outFor(after) - outline.outFor(flow) : outline.inFor(after) - outline.inFor(flow);
    }
    return moved;
  }

  #restore(flows: Float64Array, path: number, share: number): void {
    this.flows.set(flows);
    this.#shares[path] = share;
  }

  #usable(path: number): boolean {
    for (const place of this.#paths[path]!) {
      const { reverse } = this.#legs[place]!;
      if (reverse !== undefined && this.flows[reverse]! > 0) return false;
    }
    return true;
  }
}

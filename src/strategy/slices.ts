/**
 * How much of a position to take now where pools recover and nobody else comes: what is taken now makes its profit, and of the rest, if it is still there, the next
 * blocks make theirs at what the pools have recovered by then. Pools are taken to hold what they held before us less an amount that is not bought back yet, of which
 * every block buys back a share (Obizhaeva and Wang 2013, "Optimal trading strategy and supply/demand dynamics", with the pools' own curve as impact). Pure.
 */
import { max, min } from '../lib/math.ts';
import type { Regime } from '../protocols/types.ts';
import { bestAmount } from './size.ts';

export type Chances = {
  /** That nobody else takes the rest within a block. */
  readonly stays: number;
  /** Of what was sold, the share that others buy back within a block. */
  readonly recovers: number;
};

export type Slicing<T> = Chances & {
  readonly regimes: readonly Regime[];
  /** What can still be taken in later blocks once so much is taken in all; none where the position would be healthy. */
  rest(takenRaw: bigint): readonly Regime[];
  /** What the position's other pairs make instead then, gas paid; none where there are none. */
  readonly elsewhere?: Elsewhere | undefined;
  /** What an amount makes at the pools as they are, gas paid; undefined where it cannot be done. */
  now(amountRaw: bigint): T | undefined;
  /** What it makes before gas at the pools as they would be if everybody had bought back; undefined where it cannot be done. */
  grossWei(amountRaw: bigint): bigint | undefined;
  /** Of every further transaction. */
  readonly gasWei: bigint;
  /** Less is made by none. */
  readonly leastWei: bigint;
};

/** Wei, at the pools as they would be if everybody had bought back, and as they would be then once `alone` is sold; 0 where nothing pays. */
export type Elsewhere = (takenRaw: bigint) => { readonly recoveredWei: number; readonly soldWei: number };

/** `now` is undefined where nothing is best taken now. `laterWei`: expected of the rest. `restRaw`: the most that can be taken next. */
export type Sliced<T> = { readonly now: T | undefined; readonly laterWei: number; readonly restRaw: bigint };

type Amount = { readonly amountRaw: bigint; readonly valueWei: bigint };

/** Of the largest amount that pays at once, into which the curve is cut. */
const STEPS = 24;
/** Further blocks that are looked ahead. */
const BLOCKS = 6;
/** To which what pools have lost already is measured, of a step. */
const HALVINGS = 12;
/** Times the largest amount, by which the blocks in view are over. */
const MOST_TAKEN = 5;
/** Part of an amount to which it is known where the position is healthy. */
const EXACTLY = 10_000n;
/** Of a step, in which what was taken is told apart. */
const PARTS = 1_000;
/** Amounts between which what other pairs make is taken to change evenly, so many steps apart. */
const APART = 4;

/** @param alone the best where nothing is left for later: the choice where slices make no more */
export function bestSlice<T extends Amount>(alone: T, slicing: Slicing<T>, steps: number = STEPS): Sliced<T> {
  const mostRaw = mostOf(alone, slicing);
  const worth = worthBy(alone, slicing, mostRaw, steps);
  let best = worth(alone);
  const consider = (amountRaw: bigint): number => {
    const now = slicing.now(amountRaw);
    if (now === undefined || now.valueWei < slicing.leastWei) return Number.NEGATIVE_INFINITY;
    const one = worth(now);
    if (totalWei(one) > totalWei(best)) best = one;
    return totalWei(one);
  };
  for (const regime of slicing.regimes) {
    const { minRaw } = regime;
    const maxRaw = min(regime.maxRaw, mostRaw);
    if (minRaw > maxRaw) continue;
    const within = Array.from({ length: steps + 1 }, (_, step) => (mostRaw * BigInt(step)) / BigInt(steps)).filter(
      (amountRaw) => amountRaw > minRaw && amountRaw < maxRaw,
    );
    const grid = minRaw === maxRaw ? [maxRaw] : [minRaw, ...within, maxRaw];
    const totals = grid.map(consider);
    const top = totals.indexOf(Math.max(...totals));
    const [below, at, above] = [totals[top - 1], totals[top]!, totals[top + 1]];
    // What leaves anything to be taken, and no more.
    consider(mostLeaving(slicing, minRaw, maxRaw));
    if (below === undefined || above === undefined || !Number.isFinite(below + at + above) || below + above === 2 * at) continue;
    // The top of the parabola through the best and its neighbours.
    const offset = ((below - above) / (2 * (below - 2 * at + above))) * (Number(mostRaw) / steps);
    consider(grid[top]! + BigInt(Math.round(offset)));
  }
  const waiting = worth(undefined);
  return totalWei(waiting) > totalWei(best) ? waiting : best;
}

/** What an amount now, or nothing, and the best that may follow come to. */
export function worthBy<T extends Amount>(
  alone: T,
  slicing: Slicing<T>,
  mostRaw: bigint = mostOf(alone, slicing),
  steps: number = STEPS,
): (now: T | undefined) => Sliced<T> {
  const later = new Later(alone, slicing, mostRaw, steps);
  const gone = later.goneBefore(alone, slicing.gasWei);
  return (now) => {
    const taken = now?.amountRaw ?? 0n;
    return { now, laterWei: later.expectedWei(taken, gone), restRaw: slicing.rest(taken).at(-1)?.maxRaw ?? 0n };
  };
}

export function totalWei({ now, laterWei }: Sliced<Amount>): number {
  return Number(now?.valueWei ?? 0n) + laterWei;
}

/** More at once pays neither now nor at recovered pools. */
function mostOf({ amountRaw }: Amount, { regimes, grossWei }: Slicing<unknown>): bigint {
  const best = bestAmount(regimes, (otherRaw) => {
    const valueWei = grossWei(otherRaw);
    return valueWei === undefined ? undefined : { amountRaw: otherRaw, valueWei };
  });
  // With room for what the search leaves open.
  const mostRaw = (max(amountRaw, best?.amountRaw ?? 0n) * 17n) / 16n;
  return max(amountRaw, min(mostRaw, regimes.at(-1)!.maxRaw));
}

function mostLeaving({ rest }: Slicing<unknown>, minRaw: bigint, maxRaw: bigint): bigint {
  let [leaves, heals] = [minRaw, maxRaw];
  if (rest(heals).length > 0) return heals;
  while (heals - leaves > leaves / EXACTLY + 1n) {
    const middle = (leaves + heals) / 2n;
    if (rest(middle).length > 0) leaves = middle;
    else heals = middle;
  }
  return leaves;
}

/** What later blocks are expected to make, in steps of the largest amount. */
class Later {
  readonly #slicing: Slicing<unknown>;
  readonly #steps: number;
  readonly #stepRaw: number;
  /** Before gas, by steps sold. Infinitely little where the pools do not take so much. */
  readonly #gross: readonly number[];
  readonly #rests = new Map<number, readonly (readonly [least: number, most: number])[]>();
  readonly #known = new Map<number, number>();
  readonly #elsewhere = new Map<number, ReturnType<Elsewhere>>();
  readonly #aloneSteps: number;

  constructor(alone: Amount, slicing: Slicing<unknown>, mostRaw: bigint, steps: number) {
    this.#slicing = slicing;
    this.#steps = steps;
    this.#stepRaw = Number(mostRaw) / steps;
    this.#aloneSteps = Number(alone.amountRaw) / this.#stepRaw;
    const sold = (step: number) => slicing.grossWei((mostRaw * BigInt(step)) / BigInt(steps));
    this.#gross = Array.from({ length: steps + 1 }, (_, step) => (step === 0 ? 0 : Number(sold(step) ?? Number.NEGATIVE_INFINITY)));
  }

  /** The steps that pools must have lost before for the amount to make what it makes now. */
  goneBefore({ amountRaw, valueWei }: Amount, gasWei: bigint): number {
    const steps = Number(amountRaw) / this.#stepRaw;
    const made = Number(valueWei + gasWei);
    let [low, high] = [0, Math.max(0, this.#steps - steps)];
    const makes = (gone: number) => this.#between(gone, steps);
    if (makes(0) <= made) return 0;
    for (let halving = 0; halving < HALVINGS; halving++) {
      const middle = (low + high) / 2;
      if (makes(middle) > made) low = middle;
      else high = middle;
    }
    return high;
  }

  /** Of the rest after an amount, at pools that had lost `gone` steps before it. */
  expectedWei(takenRaw: bigint, gone: number): number {
    const steps = Number(takenRaw) / this.#stepRaw;
    return this.#next(BLOCKS, steps, gone, steps);
  }

  /**
   * From the next block on, if the rest stays until then. NOTE: whoever buys back what is sold in a block does so in the one after it, and what is sold in that one
   * is decided before.
   */
  #next(blocks: number, taken: number, gone: number, sold: number): number {
    const { stays, recovers } = this.#slicing;
    const left = Math.min(gone * (1 - recovers) + sold, this.#steps);
    const [low, part] = [Math.floor(left), left - Math.floor(left)];
    const below = this.#best(blocks, taken, low);
    return stays * (part === 0 ? below : below * (1 - part) + this.#best(blocks, taken, low + 1) * part);
  }

  #best(blocks: number, takenSteps: number, gone: number): number {
    if (blocks === 0) return 0;
    const taken = Math.round(takenSteps * PARTS) / PARTS;
    const key = (blocks * 2 * MOST_TAKEN * this.#steps + taken) * PARTS * (this.#steps + 2) + gone;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    let best = Math.max(
      this.#elsewhereAfter(taken, gone),
      this.#restAfter(taken).length === 0 ? 0 : this.#next(blocks - 1, taken, gone, 0),
    );
    const consider = (steps: number) => {
      const made = this.#between(gone, steps) - Number(this.#slicing.gasWei);
      if (made < Number(this.#slicing.leastWei)) return;
      best = Math.max(best, made + this.#next(blocks - 1, taken + steps, gone, steps));
    };
    for (const [least, most] of this.#restAfter(taken)) {
      for (let steps = Math.max(1, Math.ceil(least)); steps <= most && gone + steps <= this.#steps; steps++) consider(steps);
      consider(most);
    }
    this.#known.set(key, best);
    return best;
  }

  #restAfter(taken: number): readonly (readonly [least: number, most: number])[] {
    let rest = this.#rests.get(taken);
    if (rest === undefined) {
      const regimes = taken > MOST_TAKEN * this.#steps ? [] : this.#slicing.rest(BigInt(Math.round(taken * this.#stepRaw)));
      rest = regimes.map(({ minRaw, maxRaw }) => [Number(minRaw) / this.#stepRaw, Number(maxRaw) / this.#stepRaw] as const);
      this.#rests.set(taken, rest);
    }
    return rest;
  }

  /** NOTE: with it the position is done: what is left behind both is not counted. */
  #elsewhereAfter(taken: number, gone: number): number {
    if (this.#slicing.elsewhere === undefined) return 0;
    const place = Math.min(taken, this.#steps) / APART;
    const [low, part] = [Math.floor(place), place - Math.floor(place)];
    const below = this.#elsewhereAt(low, gone);
    return part === 0 ? below : below * (1 - part) + this.#elsewhereAt(low + 1, gone) * part;
  }

  #elsewhereAt(place: number, gone: number): number {
    let made = this.#elsewhere.get(place);
    if (made === undefined) {
      made = this.#slicing.elsewhere!(BigInt(Math.round(place * APART * this.#stepRaw)));
      this.#elsewhere.set(place, made);
    }
    const { recoveredWei, soldWei } = made;
    return Math.max(0, recoveredWei + ((soldWei - recoveredWei) * gone) / this.#aloneSteps);
  }

  #between(gone: number, steps: number): number {
    const made = this.#grossOf(gone + steps) - this.#grossOf(gone);
    return Number.isNaN(made) ? Number.NEGATIVE_INFINITY : made;
  }

  /** The parabola through the three nearest. */
  #grossOf(steps: number): number {
    if (steps > this.#steps) return Number.NEGATIVE_INFINITY;
    const place = Math.min(Math.max(Math.round(steps), 1), this.#steps - 1);
    const [below, at, above] = [this.#gross[place - 1]!, this.#gross[place]!, this.#gross[place + 1]!];
    const from = steps - place;
    if (!Number.isFinite(above)) return from > 0 ? above : at + (at - below) * from;
    return at + (from * (above - below)) / 2 + (from * from * (above - 2 * at + below)) / 2;
  }
}

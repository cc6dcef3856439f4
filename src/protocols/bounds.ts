/**
 * What a protocol says of its positions so that most of them can be left alone while prices and interest move: each position as a sum that is
 * above 0 as long as it is healthy. The sum is worked with in floats; docs/watchlist.md has the proof that this misses nothing.
 */
import type { Moment } from '../oracles/types.ts';
import type { Slot } from './types.ts';

export interface Bounds {
  /** Whose terms are to be asked for again. */
  readonly changes: Changes;
  /**
   * The position's terms, into `terms`. The position is healthy at every moment at which
   * `constant + sum of coefficient * factor` is above 0 by more than floats can be wrong (`ROUNDING`, of the sum of the absolute values).
   *
   * `idle`: there is no debt; nobody judges it. `unbounded`: no such sum can be given; it is judged at every moment.
   */
  safeBound(slot: Slot, terms: Terms): 'bounded' | 'unbounded' | 'idle';
  /**
   * All factors at a moment, by number: 0 or above, and NaN where one cannot be told, which leaves its positions to be judged. Each is at most what is true
   * where it has positive coefficients, at least that where it has negative ones; no factor has both. Good until the next call; factors that
   * terms name for the first time are added at the end.
   */
  factors(at: Moment): Float64Array;
  /** The position's health as just worked out, as a float: for choosing what to audit, never for deciding. */
  noteHealth(slot: Slot, health: number): void;
  /** What the same sums really come to, so that the other side can be told for certain too. Absent: nobody is unhealthy before it is judged. */
  readonly truth?: Truth;
}

export interface Truth {
  /** How far a coefficient may be from what is true, in its own unit. A sum's constant is at most as much as it may be off beside, either way. */
  readonly width: number;
  /** The factors as they are at a moment, neither way rounded but by floats, by the same numbers. NaN where one cannot be told. Good until the next call. */
  factors(at: Moment): Float64Array;
}

/**
 * How wrong the float sum of a position may be, as a part of the sum of its absolute values. Coefficients and factors are made with at most 16 roundings of
 * 2^-53 each, summing up to 256 terms adds 257: together less than 2^-44.
 */
export const ROUNDING = 2 ** -40;
export const MOST_TERMS = 256;

/** One position's terms, filled anew for each. */
export class Terms {
  readonly factors = new Int32Array(MOST_TERMS);
  readonly coefficients = new Float64Array(MOST_TERMS);
  count = 0;
  constant = 0;

  clear(): void {
    this.count = 0;
    this.constant = 0;
  }

  /** False where there is no more room: the position is not bounded then. */
  add(factor: number, coefficient: number): boolean {
    if (this.count === MOST_TERMS) return false;
    this.factors[this.count] = factor;
    this.coefficients[this.count++] = coefficient;
    return true;
  }
}

/** Longer than what happens between two looks at it; who looks less often looks at everything. */
const KEPT = 65_536;

/** The slots whose positions changed, for any number of readers that look when they like. */
export class Changes {
  #slots: Slot[] = [];
  /** The place of the first that is kept. */
  #from = 0;

  /** The place after the last. */
  get end(): number {
    return this.#from + this.#slots.length;
  }

  mark(slot: Slot): void {
    this.#slots.push(slot);
    if (this.#slots.length < 2 * KEPT) return;
    this.#slots = this.#slots.slice(KEPT);
    this.#from += KEPT;
  }

  /** Those from a place on, some of them more than once; undefined where that is too long ago. */
  since(place: number): readonly Slot[] | undefined {
    return place < this.#from ? undefined : this.#slots.slice(place - this.#from);
  }
}

const wide = new Float64Array(1);
const halves = new Uint32Array(wide.buffer);
/** Which half of a double has its sign, exponent and first 20 bits. */
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
/** The grid's steps are 2^-17 of a value: small beside any price move, large beside what interest does in a block. */
const STEP = 8;

/** The greatest number of a coarse grid that is at most `value`: what moves by less stays the same. For positive numbers. */
export function gridDown(value: number): number {
  return onGrid(value, 0);
}

/** The least number of the grid that is at least `value`. */
export function gridUp(value: number): number {
  const below = onGrid(value, 0);
  return below === value ? value : onGrid(value, STEP);
}

function onGrid(value: number, add: number): number {
  wide[0] = value;
  halves[HIGH] = (halves[HIGH]! & ~(STEP - 1)) + add;
  halves[1 - HIGH] = 0;
  return wide[0];
}

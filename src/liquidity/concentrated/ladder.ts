import { sqrtPriceAtTick } from './tick-math.ts';

/** Ticks, ascending, at which a swap in one direction pauses. `nets`: the liquidity that enters when crossed upwards; undefined where no position ends. */
export type Stops = {
  readonly ticks: readonly number[];
  readonly pricesX96: readonly bigint[];
  readonly nets: readonly (bigint | undefined)[];
  /** What swaps have found a whole step to a stop, from the one before it, to amount to. */
  readonly steps: (WholeStep | undefined)[];
};

/** All that the pool takes, fee included, and gives between two stops at a liquidity. */
export type WholeStep = { readonly liquidity: bigint; readonly takenRaw: bigint; readonly givenRaw: bigint };

/** The ticks that are known. Outside them nothing may be quoted. */
export type Window = { readonly low: number; readonly high: number };

const WORD = 256;

/**
 * The initialised ticks of one pool, as a value: a change gives another ladder.
 *
 * NOTE: a pool's swap pauses not only at initialised ticks but at the end of each word of its bitmap (256 spacings), and rounds there. So
 * the ends of words are stops too, or quotes would be wrong by a unit or two.
 */
export class Ladder {
  readonly spacing: number;
  /** What was read of the bitmap, or undefined for all of it. */
  readonly window: Window | undefined;
  readonly ticks: readonly number[];
  readonly nets: readonly bigint[];
  readonly grosses: readonly bigint[];
  #down: Stops | undefined;
  #up: Stops | undefined;

  constructor(spacing: number, window: Window | undefined, ticks: readonly number[], nets: readonly bigint[], grosses: readonly bigint[]) {
    this.spacing = spacing;
    this.window = window;
    this.ticks = ticks;
    this.nets = nets;
    this.grosses = grosses;
  }

  /**
   * Liquidity added (or, below zero, removed) between two ticks: `Tick.update` at both ends. Throws when more is removed than is there: the
   * ladder is then not the pool's.
   */
  withLiquidity(lower: number, upper: number, delta: bigint): Ladder {
    if (delta === 0n) return this;
    return this.#changed(lower, delta, delta).#changed(upper, -delta, delta);
  }

  /** The stops of a swap towards lower prices: initialised ticks, and the first tick of each word. */
  get down(): Stops {
    this.#down ??= this.#stops(0);
    return this.#down;
  }

  /** The stops of a swap towards higher prices: initialised ticks, and the last tick of each word. */
  get up(): Stops {
    this.#up ??= this.#stops(WORD - 1);
    return this.#up;
  }

  #changed(tick: number, net: bigint, gross: bigint): Ladder {
    if (this.window !== undefined && (tick < this.window.low || tick > this.window.high)) return this;
    const at = firstAbove(this.ticks, tick - 1);
    const there = this.ticks[at] === tick;
    const grossAfter = (there ? this.grosses[at]! : 0n) + gross;
    if (grossAfter < 0n) throw new RangeError(`tick ${tick} would have ${grossAfter} liquidity`);
    const removed = there ? 1 : 0;
    const keep = grossAfter > 0n;
    return new Ladder(
      this.spacing,
      this.window,
      this.ticks.toSpliced(at, removed, ...(keep ? [tick] : [])),
      this.nets.toSpliced(at, removed, ...(keep ? [(there ? this.nets[at]! : 0n) + net] : [])),
      this.grosses.toSpliced(at, removed, ...(keep ? [grossAfter] : [])),
    );
  }

  #stops(placeInWord: number): Stops {
    const { spacing, window } = this;
    // Without a window there is no liquidity beyond the outermost initialised ticks, so nothing is left to pause for.
    const low = window?.low ?? this.ticks[0];
    const high = window?.high ?? this.ticks.at(-1);
    if (low === undefined || high === undefined) return { ticks: [], pricesX96: [], nets: [], steps: [] };
    const span = WORD * spacing;
    let wordEnd = Math.ceil((low - placeInWord * spacing) / span) * span + placeInWord * spacing;
    const ticks: number[] = [];
    const nets: (bigint | undefined)[] = [];
    for (let next = 0; next < this.ticks.length || wordEnd <= high; ) {
      const tick = this.ticks[next] ?? Number.POSITIVE_INFINITY;
      if (wordEnd <= high && wordEnd < tick) {
        ticks.push(wordEnd);
        nets.push(undefined);
        wordEnd += span;
      } else {
        if (wordEnd === tick) wordEnd += span;
        ticks.push(tick);
        nets.push(this.nets[next]!);
        next++;
      }
    }
    return { ticks, nets, pricesX96: ticks.map(priceAt), steps: new Array(ticks.length).fill(undefined) };
  }
}

/** The least index whose tick lies above `tick`, or the length. `ticks` ascend. */
export function firstAbove(ticks: readonly number[], tick: number): number {
  let low = 0;
  let high = ticks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ticks[middle]! > tick) high = middle;
    else low = middle + 1;
  }
  return low;
}

const MAX_CACHED_PRICES = 200_000;
const cachedPrices = new Map<number, bigint>();

/** A stop's price. Most stops outlive many ladders, so prices are kept; when the store is full it starts anew. */
function priceAt(tick: number): bigint {
  const known = cachedPrices.get(tick);
  if (known !== undefined) return known;
  if (cachedPrices.size >= MAX_CACHED_PRICES) cachedPrices.clear();
  const price = sqrtPriceAtTick(tick);
  cachedPrices.set(tick, price);
  return price;
}

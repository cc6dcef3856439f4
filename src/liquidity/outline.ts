/**
 * Pools as floats, for finding a good split: what is planned of it is then quoted exactly. A pool that keeps x·y constant, sold to at a fee f, gives at the
 * margin λ = (1 - f)·y/x. In s = 1/√λ its liquidity D = √(x·y/(1 - f)) turns into amounts by in = D·Δs and out = D·Δ(-1/s), so liquidities of pools beside one
 * another add up: a whole leg is one curve of the same kind, in stretches.
 */

/**
 * One pool in one direction: `depth[k]` from `from[k]` up to where the next begins, the last one up to `to`. `further`: the pool goes on beyond that, only nobody
 * has looked.
 */
export type Outline = { readonly from: readonly number[]; readonly depth: readonly number[]; readonly to: number; readonly further?: true };

export const NO_OUTLINE: Outline = { from: [], depth: [], to: 0 };

/** Raw units out for the first raw unit in, fee taken off; 0 where nothing can be had. */
export function spotOf({ from }: Outline): number {
  const first = from[0];
  return first === undefined ? 0 : 1 / (first * first);
}

/** What a pool takes until its marginal price has fallen to 1/s². */
export function takenUntil({ from, depth, to }: Outline, s: number): number {
  let taken = 0;
  for (let k = 0; k < from.length && from[k]! < s; k++) taken += depth[k]! * (Math.min(from[k + 1] ?? to, s) - from[k]!);
  return taken;
}

/** s once so much is taken; undefined beyond what is known. */
export function afterTaking({ from, depth, to }: Outline, amount: number): number | undefined {
  let rest = amount;
  for (let k = 0; k < from.length; k++) {
    const room = depth[k]! * ((from[k + 1] ?? to) - from[k]!);
    if (rest <= room && depth[k]! > 0) return from[k]! + rest / depth[k]!;
    rest -= room;
  }
  return undefined;
}

/** What it gives until then. */
export function givenUntil({ from, depth, to }: Outline, s: number): number {
  let given = 0;
  for (let k = 0; k < from.length && from[k]! < s; k++) given += depth[k]! * (1 / from[k]! - 1 / Math.min(from[k + 1] ?? to, s));
  return given;
}

/** Its depth there; 0 outside. */
export function depthAt({ from, depth, to }: Outline, s: number): number {
  if (s >= to) return 0;
  for (let k = from.length - 1; k >= 0; k--) if (from[k]! <= s) return depth[k]!;
  return 0;
}

/** Pools beside one another as one curve. Its stretches are worked out as far as they are asked for. */
export class MergedOutline {
  readonly #curves: readonly Outline[];
  /** For each curve the stretch that comes next. */
  readonly #next: number[];
  readonly #from: number[] = [];
  readonly #depth: number[] = [];
  /** What all before a stretch take and give; one longer than the stretches. */
  readonly #taken: number[] = [0];
  readonly #given: number[] = [0];
  #end: number;

  constructor(curves: readonly Outline[]) {
    this.#curves = curves.filter(({ from }) => from.length > 0);
    this.#next = this.#curves.map(() => 0);
    this.#end = Math.min(...this.#curves.map(({ from }) => from[0]!));
  }

  /** The first s. */
  get start(): number {
    return this.#curves.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...this.#curves.map(({ from }) => from[0]!));
  }

  /** s once so much is sold; infinite beyond what there is. */
  afterTaking(amount: number): number {
    const at = this.#stretchOf(this.#taken, amount);
    return at < 0 ? Number.POSITIVE_INFINITY : this.#from[at]! + (amount - this.#taken[at]!) / this.#depth[at]!;
  }

  /** s once so much is bought; infinite beyond what there is. */
  afterGiving(amount: number): number {
    const at = this.#stretchOf(this.#given, amount);
    if (at < 0) return Number.POSITIVE_INFINITY;
    const from = this.#from[at]!;
    return from / (1 - ((amount - this.#given[at]!) * from) / this.#depth[at]!);
  }

  /** What is given for so much; all there is beyond that. */
  outFor(amount: number): number {
    const at = this.#stretchOf(this.#taken, amount);
    if (at < 0) return this.#given.at(-1)!;
    const rest = amount - this.#taken[at]!;
    const from = this.#from[at]!;
    return this.#given[at]! + rest / (from * (from + rest / this.#depth[at]!));
  }

  /** What so much costs; infinite beyond what there is. */
  inFor(amount: number): number {
    const at = this.#stretchOf(this.#given, amount);
    if (at < 0) return Number.POSITIVE_INFINITY;
    const rest = amount - this.#given[at]!;
    const from = this.#from[at]!;
    return this.#taken[at]! + (rest * from * from) / (1 - (rest * from) / this.#depth[at]!);
  }

  /** What is taken until the price at the margin has fallen to 1/s². */
  takenUntil(s: number): number {
    const at = this.#stretchAt(s);
    return at < 0 ? 0 : Math.min(this.#taken[at + 1]!, this.#taken[at]! + this.#depth[at]! * (s - this.#from[at]!));
  }

  /** What is given until then. */
  givenUntil(s: number): number {
    const at = this.#stretchAt(s);
    return at < 0 ? 0 : Math.min(this.#given[at + 1]!, this.#given[at]! + this.#depth[at]! * (1 / this.#from[at]! - 1 / s));
  }

  /** The last stretch that begins before s, or -1. */
  #stretchAt(s: number): number {
    while (this.#end < s && this.#extend());
    let [low, high] = [0, this.#from.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#from[middle]! < s) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The stretch in which a sum reaches an amount, or -1. */
  #stretchOf(sums: readonly number[], amount: number): number {
    while (sums.at(-1)! < amount) if (!this.#extend()) return -1;
    let low = 0;
    let high = this.#from.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sums[middle + 1]! >= amount) high = middle;
      else low = middle + 1;
    }
    return low <= high || this.#extend() ? low : -1;
  }

  /** Works out one more stretch with liquidity; false where there is none. */
  #extend(): boolean {
    for (;;) {
      const begin = this.#end;
      let depth = 0;
      let end = Number.POSITIVE_INFINITY;
      let more = false;
      for (let place = 0; place < this.#curves.length; place++) {
        const { from, depth: depths, to } = this.#curves[place]!;
        let next = this.#next[place]!;
        while (next < from.length && (from[next + 1] ?? to) <= begin) next++;
        this.#next[place] = next;
        if (next === from.length) continue;
        more = true;
        if (from[next]! > begin) end = Math.min(end, from[next]!);
        else {
          depth += depths[next]!;
          end = Math.min(end, from[next + 1] ?? to);
        }
      }
      if (!more) return false;
      this.#end = end;
      if (depth <= 0) continue;
      this.#from.push(begin);
      this.#depth.push(depth);
      this.#taken.push(this.#taken.at(-1)! + depth * (end - begin));
      this.#given.push(this.#given.at(-1)! + depth * (1 / begin - 1 / end));
      return true;
    }
  }
}

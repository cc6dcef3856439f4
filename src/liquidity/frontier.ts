/** What the best of all exchanges between two tokens gives for an amount, or takes for one, before gas. Floats, for bounds only. */
import { allocate } from './allocate.ts';
import { type Network, type Placed, placed, promising } from './network.ts';

/** Samples for each doubling of the amount. */
const PER_DOUBLING = 2;

/** `less` and `more`: what a raw unit less or more makes of a difference there, or its inverse for exact outputs. */
type Sample = { readonly amount: number; readonly total: number; readonly less: number; readonly more: number };

/**
 * A concave curve (convex for exact outputs), worked out at some amounts when they are first asked for: between two of them it stays on the far side of its
 * tangents, so what those say bounds it.
 */
export class Frontier {
  readonly #network: Network;
  readonly #exact: 'in' | 'out';
  /** By how many of the paths. */
  readonly #placed = new Map<number, Placed>();
  readonly #samples = new Map<number, Sample | undefined>();

  constructor(network: Network, exact: 'in' | 'out') {
    this.#network = network;
    this.#exact = exact;
  }

  /** Exact in: no exchange of so much gives more; below zero it goes on straight. Exact out: none of so much takes less; infinite where there is none. */
  at(amount: number): number {
    const { bestSpot } = this.#network;
    if (bestSpot === 0) return this.#exact === 'in' ? 0 : Number.POSITIVE_INFINITY;
    const [below, above] = amount > 0 ? this.#around(amount) : [undefined, undefined];
    if (this.#exact === 'in') {
      const most = below === undefined ? amount * bestSpot : below.total + (amount - below.amount) * below.more;
      return above === undefined ? most : Math.min(most, above.total - (above.amount - amount) * above.less);
    }
    if (amount <= 0) return 0;
    const least = below === undefined ? amount / bestSpot : below.total + (amount - below.amount) / below.more;
    return above === undefined ? least : Math.max(least, above.total - (above.amount - amount) / above.less);
  }

  #around(amount: number): readonly [Sample | undefined, Sample | undefined] {
    const place = Math.floor(Math.log2(amount) * PER_DOUBLING);
    const below = this.#sample(place);
    return [below, below && this.#sample(place + 1)];
  }

  /** Undefined where pools do not have so much. */
  #sample(place: number): Sample | undefined {
    if (this.#samples.has(place)) return this.#samples.get(place);
    const amount = 2 ** (place / PER_DOUBLING);
    const { outlines, ways, ends } = this.#placedFor(amount);
    const allocated = allocate(outlines, ways, amount, this.#exact);
    const [less, more] = allocated.margins();
    let total = 0;
    for (const leg of this.#exact === 'in' ? ends.last : ends.first) {
      const flow = allocated.flows[leg]!;
      total += this.#exact === 'in' ? outlines[leg]!.outline.outFor(flow) : outlines[leg]!.outline.inFor(flow);
    }
    // Where pools are full, more gives nothing more.
    const sample = allocated.fits && less > 0 ? { amount, total, less, more } : undefined;
    this.#samples.set(place, sample);
    return sample;
  }

  #placedFor(amount: number): Placed {
    const paths = promising(this.#network.paths, amount, this.#exact);
    const known = this.#placed.get(paths.length) ?? placed(paths);
    this.#placed.set(paths.length, known);
    return known;
  }
}

import type { Address } from '../lib/types.ts';
import type { PoolBook } from './book.ts';
import type { Hop, Pool } from './pool.ts';
import { tokenInOf, tokenOutOf } from './pool.ts';
import type { Depth, Fill } from './types.ts';

/** A fill that knows its hops. They are not shown: what prints or stores a fill is not concerned with pools' insides. */
export class RoutedFill implements Fill {
  readonly ok = true;
  readonly venue: string;
  readonly tokenIn: Address;
  readonly tokenOut: Address;
  readonly amountInRaw: bigint;
  readonly amountOutRaw: bigint;
  readonly pools: readonly Address[];
  readonly gasUnits: bigint;
  readonly #nameOf: (token: Address) => string;
  readonly #hops: readonly [Hop, ...Hop[]];

  constructor(venue: string, hops: readonly [Hop, ...Hop[]], nameOf: (token: Address) => string) {
    const last = hops.at(-1)!;
    this.venue = venue;
    this.tokenIn = tokenInOf(hops[0]);
    this.tokenOut = tokenOutOf(last);
    this.amountInRaw = hops[0].amountInRaw;
    this.amountOutRaw = last.amountOutRaw;
    this.pools = hops.map((hop) => hop.before.identity.address);
    this.gasUnits = hops.reduce((sum, hop) => sum + hop.gasUnits, 0n);
    this.#nameOf = nameOf;
    this.#hops = hops;
  }

  get path(): readonly Address[] {
    return [this.tokenIn, ...this.#hops.map(tokenOutOf)];
  }

  get label(): string {
    return this.#hops.reduce(
      (text, hop) => `${text} -${hop.before.identity.feePips / 10_000}%-> ${this.#nameOf(tokenOutOf(hop))}`,
      this.#nameOf(this.tokenIn),
    );
  }

  /** Throws a TypeError for a fill of another making. */
  static hopsOf(fill: Fill): readonly [Hop, ...Hop[]] {
    if (!(fill instanceof RoutedFill)) throw new TypeError(`the fill ${fill.label} is not of a pool router`);
    return fill.#hops;
  }
}

/** The mirrored pools, and over them those that planned fills have moved. */
export class PoolDepth implements Depth {
  readonly books: readonly PoolBook[];
  readonly #moved: ReadonlyMap<Address, Pool>;

  constructor(books: readonly PoolBook[], moved: ReadonlyMap<Address, Pool> = new Map()) {
    this.books = books;
    this.#moved = moved;
  }

  static of(depth: Depth): PoolDepth {
    if (!(depth instanceof PoolDepth)) throw new TypeError('the depth is not of a pool router');
    return depth;
  }

  pool(book: PoolBook, address: Address): Pool {
    return this.#moved.get(address) ?? book.pools.get(address)!;
  }

  /** Throws an Error when the fill was quoted at another depth: it would then promise what these pools do not give. */
  after(fill: Fill): PoolDepth {
    const moved = new Map(this.#moved);
    for (const { before, after } of RoutedFill.hopsOf(fill)) {
      const { address } = before.identity;
      const now = moved.get(address) ?? this.books.find((book) => book.pools.has(address))?.pools.get(address);
      if (now !== before) throw new Error(`the fill ${fill.label} was quoted at another depth`);
      moved.set(address, after);
    }
    return new PoolDepth(this.books, moved);
  }
}

import type { Address } from '../lib/types.ts';
import type { PoolBook } from './book.ts';
import { Frontier } from './frontier.ts';
import { changedNetwork, Leg, type Network, networkOf } from './network.ts';
import { afterTaking, type Outline } from './outline.ts';
import type { Pool, PoolIdentity } from './pool.ts';
import { tokenInOf, tokenOutOf } from './pool.ts';
import { type MoveOf, movedBy } from './replay.ts';
import type { Route } from './routing.ts';
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
  readonly #hops: Route;
  #margin: number | undefined;

  /** @param hops in an order in which every token has come in before it goes out: the first one's input is the fill's, the last one's output too */
  constructor(venue: string, hops: Route, nameOf: (token: Address) => string) {
    const [first, last] = [hops[0], hops.at(-1)!];
    this.venue = venue;
    this.tokenIn = tokenInOf(first);
    this.tokenOut = tokenOutOf(last);
    this.amountInRaw = hops.reduce((sum, hop) => (tokenInOf(hop) === this.tokenIn ? sum + hop.amountInRaw : sum), 0n);
    this.amountOutRaw = hops.reduce((sum, hop) => (tokenOutOf(hop) === this.tokenOut ? sum + hop.amountOutRaw : sum), 0n);
    this.pools = hops.map((hop) => hop.before.identity.address);
    this.gasUnits = hops.reduce((sum, hop) => sum + hop.gasUnits, 0n);
    this.#nameOf = nameOf;
    this.#hops = hops;
  }

  /** Of the swaps beside one another, the one that brings least. */
  get margin(): number | undefined {
    this.#margin ??= marginOf(this.#hops, this.tokenOut);
    return this.#margin;
  }

  get path(): readonly Address[] {
    const between = new Set(this.#hops.map(tokenOutOf));
    between.delete(this.tokenOut);
    return [this.tokenIn, ...between, this.tokenOut];
  }

  /** Legs that follow one another in a chain: `WBTC -0.05%+0.3%-> WETH -0.05%-> USDC`; otherwise with a comma before each that does not. */
  get label(): string {
    const legs = new Map<string, { from: Address; to: Address; fees: string[] }>();
    for (const hop of this.#hops) {
      const [from, to] = [tokenInOf(hop), tokenOutOf(hop)];
      const leg = legs.get(from + to) ?? { from, to, fees: [] };
      legs.set(from + to, leg);
      leg.fees.push(`${hop.before.identity.feePips / 10_000}%`);
    }
    let text = '';
    let at: Address | undefined;
    for (const { from, to, fees } of legs.values()) {
      if (at !== from) text += `${at === undefined ? '' : ', '}${this.#nameOf(from)}`;
      text += ` -${fees.join('+')}-> ${this.#nameOf(to)}`;
      at = to;
    }
    return text;
  }

  /** Throws a TypeError for a fill of another making. */
  static hopsOf(fill: Fill): Route {
    if (!(fill instanceof RoutedFill)) throw new TypeError(`the fill ${fill.label} is not of a pool router`);
    return fill.#hops;
  }
}

function marginOf(hops: Route, tokenOut: Address): number | undefined {
  const worth = new Map<Address, number>([[tokenOut, 1]]);
  for (let place = hops.length - 1; place >= 0; place--) {
    const hop = hops[place]!;
    const s = afterTaking(hop.before.outline(hop.zeroForOne), Number(hop.amountInRaw));
    const next = worth.get(tokenOutOf(hop));
    if (s === undefined || next === undefined) return undefined;
    const token = tokenInOf(hop);
    worth.set(token, Math.min(worth.get(token) ?? Number.POSITIVE_INFINITY, next / (s * s)));
  }
  return worth.get(tokenInOf(hops[0]));
}

/** The mirrored pools, and over them those that planned fills have moved. */
export class PoolDepth implements Depth {
  readonly books: readonly PoolBook[];
  /** Of a unit of gas, in wei. */
  readonly gasPriceWei: bigint;
  readonly #moved: ReadonlyMap<Address, Pool>;
  /** What was worked out here. */
  readonly #legs: Legs;
  readonly #networks: Networks;
  /** Where some of the pools were other ones: what was worked out there of the rest still holds. */
  #before: PoolDepth | undefined;
  /** Those that are other ones. Undefined where it is not known which. */
  readonly #touched: readonly PoolIdentity[] | undefined;

  private constructor(
    books: readonly PoolBook[],
    gasPriceWei: bigint,
    moved: ReadonlyMap<Address, Pool>,
    before: PoolDepth | undefined,
    touched?: readonly PoolIdentity[],
    legs: Legs = new Map(),
    networks: Networks = new Map(),
  ) {
    this.books = books;
    this.gasPriceWei = gasPriceWei;
    this.#moved = moved;
    this.#legs = legs;
    this.#networks = networks;
    this.#before = before;
    this.#touched = touched;
  }

  /** @param before of earlier states of the same books, with nothing planned: what holds of it is taken over */
  static over(books: readonly PoolBook[], before?: PoolDepth): PoolDepth {
    // NOTE: or every block would hold on to all those before it.
    if (before !== undefined) before.#before = undefined;
    return new PoolDepth(books, 0n, new Map(), before);
  }

  /** The same pools where gas costs so much. */
  at(gasPriceWei: bigint): PoolDepth {
    return new PoolDepth(this.books, gasPriceWei, this.#moved, this.#before, this.#touched, this.#legs, this.#networks);
  }

  static of(depth: Depth): PoolDepth {
    if (!(depth instanceof PoolDepth)) throw new TypeError('the depth is not of a pool router');
    return depth;
  }

  pool(book: PoolBook, address: Address): Pool {
    return this.#moved.get(address) ?? book.pools.get(address)!;
  }

  /** Of the pools between two tokens, in this direction. */
  outlines(from: Address, to: Address): readonly Outline[] {
    const leg = this.#leg(from, to);
    return leg === undefined ? [] : leg.pools.map((_, place) => leg.outline(place));
  }

  /** All ways between two tokens here. */
  network(tokenIn: Address, tokenOut: Address, bridges: readonly Address[], avoid: readonly Address[]): Network {
    const known = this.#known(tokenIn, tokenOut);
    if (bridges.length === 0) return this.#networkWithout(tokenIn, tokenOut, bridges, avoid);
    known.network ??= networkOf(tokenIn, tokenOut, bridges, (from, to) => this.#leg(from, to));
    if (!touchesAny(known.network.legs, avoid)) return known.network;
    const key = avoid.join();
    const network = known.avoiding.get(key) ?? this.#networkWithout(tokenIn, tokenOut, bridges, avoid);
    known.avoiding.set(key, network);
    return network;
  }

  /** Over all ways between two tokens here. */
  frontier(tokenIn: Address, tokenOut: Address, bridges: readonly Address[], exact: 'in' | 'out'): Frontier {
    const known = this.#known(tokenIn, tokenOut);
    known[exact] ??= new Frontier(this.network(tokenIn, tokenOut, bridges, []), exact);
    return known[exact];
  }

  /** Throws an Error when the fill was quoted at another depth: it would then promise what these pools do not give. */
  after(fill: Fill): PoolDepth {
    const moved = new Map(this.#moved);
    const touched: PoolIdentity[] = [];
    for (const { before, after } of RoutedFill.hopsOf(fill)) {
      const { address } = before.identity;
      const now = moved.get(address) ?? this.books.find((book) => book.pools.has(address))?.pools.get(address);
      if (now !== before) throw new Error(`the fill ${fill.label} was quoted at another depth`);
      moved.set(address, after);
      touched.push(before.identity);
    }
    return new PoolDepth(this.books, this.gasPriceWei, moved, this, touched);
  }

  moved(pools: readonly Address[], moveOf: MoveOf): PoolDepth {
    const moved = new Map(this.#moved);
    const touched: PoolIdentity[] = [];
    for (const address of new Set(pools)) {
      const book = this.books.find((one) => one.pools.has(address));
      const before = book && this.pool(book, address);
      const after = before && movedBy(before, moveOf(before));
      if (after === undefined || after === before) continue;
      moved.set(address, after);
      touched.push(after.identity);
    }
    return new PoolDepth(this.books, this.gasPriceWei, moved, this, touched);
  }

  /** NOTE: a leg is one object in all paths that share it, or its pools would be used twice. */
  #networkWithout(tokenIn: Address, tokenOut: Address, bridges: readonly Address[], avoid: readonly Address[]): Network {
    const without = new Map<Leg, Leg>();
    return networkOf(tokenIn, tokenOut, bridges, (from, to) => {
      const leg = this.#leg(from, to);
      if (leg === undefined || !touches(leg, avoid)) return leg;
      const pools = leg.pools.filter(({ identity }) => !avoid.includes(identity.address));
      const left = without.get(leg) ?? new Leg(from, to, pools);
      without.set(leg, left);
      return left;
    });
  }

  #known(tokenIn: Address, tokenOut: Address): Known {
    const outOf = this.#networks.get(tokenIn) ?? new Map<Address, Known>();
    this.#networks.set(tokenIn, outOf);
    let known = outOf.get(tokenOut);
    if (known === undefined) {
      known = this.#takenOver(tokenIn, tokenOut) ?? { avoiding: new Map() };
      outOf.set(tokenOut, known);
    }
    return known;
  }

  /** What is known where the pools were other ones: all of it where no leg has changed, and otherwise the network with those that have. */
  #takenOver(tokenIn: Address, tokenOut: Address): Known | undefined {
    let known: Known | undefined;
    for (let before = this.#before; before !== undefined && known?.network === undefined; before = before.#before)
      known = before.#networks.get(tokenIn)?.get(tokenOut);
    if (known?.network === undefined) return undefined;
    const network = changedNetwork(known.network, (leg) => this.#leg(leg.tokenIn, leg.tokenOut));
    if (network === known.network) return known;
    return network && { network, avoiding: new Map() };
  }

  #leg(from: Address, to: Address): Leg | undefined {
    const outOf = this.#legs.get(from) ?? new Map<Address, Leg | undefined>();
    if (outOf.has(to)) return outOf.get(to);
    this.#legs.set(from, outOf);
    const leg = this.#isAsBefore(from, to) ? this.#before!.#leg(from, to) : this.#newLeg(from, to);
    outOf.set(to, leg);
    return leg;
  }

  #isAsBefore(from: Address, to: Address): boolean {
    if (this.#before === undefined || this.#touched === undefined) return false;
    const [low, high] = from < to ? [from, to] : [to, from];
    return !this.#touched.some(({ token0, token1 }) => token0 === low && token1 === high);
  }

  #newLeg(from: Address, to: Address): Leg | undefined {
    const pools: Pool[] = [];
    for (const book of this.books) for (const address of book.between(from, to)) pools.push(this.pool(book, address));
    if (pools.length === 0) return undefined;
    const before = this.#before === undefined ? undefined : this.#before.#legs.get(from)?.get(to);
    return before?.isOf(pools) ? before : new Leg(from, to, pools);
  }
}

/** By the token that goes in and the one that comes out; undefined where no pool is. */
type Legs = Map<Address, Map<Address, Leg | undefined>>;

type Networks = Map<Address, Map<Address, Known>>;

/** All between two tokens, with all pools, and without those that were to be avoided. */
type Known = { network?: Network; in?: Frontier; out?: Frontier; readonly avoiding: Map<string, Network> };

function touches({ pools }: Leg, avoid: readonly Address[]): boolean {
  return avoid.length > 0 && pools.some(({ identity }) => avoid.includes(identity.address));
}

function touchesAny(legs: Iterable<Leg>, avoid: readonly Address[]): boolean {
  if (avoid.length === 0) return false;
  for (const leg of legs) if (touches(leg, avoid)) return true;
  return false;
}

/** The ways from one token to another: over up to two bridge tokens, each hop through any of the pools between its two tokens. */
import type { Address } from '../lib/types.ts';
import type { LegOutline, PathLegs } from './allocate.ts';
import { MergedOutline, type Outline, spotOf } from './outline.ts';
import type { Pool } from './pool.ts';

/** Pools between two tokens, in one direction, the best price first. */
export class Leg {
  readonly tokenIn: Address;
  readonly tokenOut: Address;
  readonly pools: readonly Pool[];
  /** Raw units out for a raw unit in, at the margin, of the best pool; 0 without one. */
  readonly spot: number;
  readonly #given: readonly Pool[];
  readonly #outlines: readonly Outline[];
  #merged: MergedOutline | undefined;

  constructor(tokenIn: Address, tokenOut: Address, pools: readonly Pool[]) {
    const zeroForOne = tokenIn < tokenOut;
    const outlined = pools.map((pool) => ({ pool, outline: pool.outline(zeroForOne) })).filter(({ outline }) => spotOf(outline) > 0);
    if (outlined.length > 1) outlined.sort((a, b) => spotOf(b.outline) - spotOf(a.outline));
    this.tokenIn = tokenIn;
    this.tokenOut = tokenOut;
    this.pools = outlined.map(({ pool }) => pool);
    this.#given = pools;
    this.#outlines = outlined.map(({ outline }) => outline);
    this.spot = outlined.length === 0 ? 0 : spotOf(this.#outlines[0]!);
  }

  /** Whether it was made of just these. */
  isOf(pools: readonly Pool[]): boolean {
    return pools.length === this.#given.length && pools.every((pool, place) => pool === this.#given[place]);
  }

  get zeroForOne(): boolean {
    return this.tokenIn < this.tokenOut;
  }

  /** Of one of its pools. */
  outline(place: number): Outline {
    return this.#outlines[place]!;
  }

  get merged(): MergedOutline {
    this.#merged ??= new MergedOutline(this.#outlines);
    return this.#merged;
  }
}

/** Legs from the first hop to the last. `spot`: no amount gets more for each raw unit. */
export type Path = { readonly legs: readonly Leg[]; readonly spot: number };

/** All paths, the best price first. `legs`: those of all paths that were looked at, each once. */
export type Network = { readonly paths: readonly Path[]; readonly bestSpot: number; readonly legs: ReadonlySet<Leg> };

/** @param legBetween undefined where no pool is */
export function networkOf(
  tokenIn: Address,
  tokenOut: Address,
  bridges: readonly Address[],
  legBetween: (from: Address, to: Address) => Leg | undefined,
): Network {
  const paths: Path[] = [];
  const seen = new Set<Leg>();
  const add = (...legs: readonly (Leg | undefined)[]) => {
    let spot = 1;
    for (const leg of legs) {
      spot *= leg?.spot ?? 0;
      if (leg !== undefined) seen.add(leg);
    }
    if (spot > 0) paths.push({ legs: legs as readonly Leg[], spot });
  };
  add(legBetween(tokenIn, tokenOut));
  const between = bridges.filter((bridge) => bridge !== tokenIn && bridge !== tokenOut);
  for (const bridge of between) {
    const first = legBetween(tokenIn, bridge);
    if (first === undefined) continue;
    add(first, legBetween(bridge, tokenOut));
    for (const second of between) {
      if (second === bridge) continue;
      const middle = legBetween(bridge, second);
      if (middle !== undefined) add(first, middle, legBetween(second, tokenOut));
    }
  }
  return networkOver(paths, seen);
}

/** The same, or another where some legs have become others between the same tokens. Undefined where one had nothing to give before: paths over it were left out. */
export function changedNetwork(network: Network, legNow: (leg: Leg) => Leg | undefined): Network | undefined {
  const { paths, legs } = network;
  const changed = new Map<Leg, Leg>();
  for (const leg of legs) {
    const now = legNow(leg);
    if (now === leg) continue;
    if (now === undefined || leg.spot === 0) return undefined;
    changed.set(leg, now);
  }
  if (changed.size === 0) return network;
  const left = paths.map((path) =>
    path.legs.some((leg) => changed.has(leg)) ? pathOver(path.legs.map((leg) => changed.get(leg) ?? leg)) : path,
  );
  return networkOver(
    left.filter(({ spot }) => spot > 0),
    new Set([...legs].map((leg) => changed.get(leg) ?? leg)),
  );
}

function pathOver(legs: readonly Leg[]): Path {
  return { legs, spot: legs.reduce((product, { spot }) => product * spot, 1) };
}

function networkOver(paths: Path[], legs: ReadonlySet<Leg>): Network {
  paths.sort((a, b) => b.spot - a.spot);
  return { paths, legs, bestSpot: paths[0]?.spot ?? 0 };
}

/** What the price without any impact may be short of the price of all on one way, where ways share pools. */
const SHARED = 0.98;

/**
 * Of paths with the best price first those that may have a part in an amount: one whose first unit gives less than the last one does on the best path, all of it
 * put there, has none.
 */
export function promising(paths: readonly Path[], amount: number, exact: 'in' | 'out'): readonly Path[] {
  const [best] = paths;
  if (best === undefined) return paths;
  const last = lastPrice(best, amount, exact) * SHARED;
  const end = paths.findIndex(({ spot }) => spot < last);
  return end < 0 ? paths : paths.slice(0, end);
}

/** Of a raw unit, once so much goes along a path; 0 where it does not take so much. */
function lastPrice({ legs }: Path, amount: number, exact: 'in' | 'out'): number {
  let [price, moved] = [1, amount];
  for (let n = 0; n < legs.length; n++) {
    const { merged } = exact === 'in' ? legs[n]! : legs[legs.length - 1 - n]!;
    const s = exact === 'in' ? merged.afterTaking(moved) : merged.afterGiving(moved);
    price /= s * s;
    moved = exact === 'in' ? merged.outFor(moved) : merged.inFor(moved);
  }
  return price;
}

/** The same without some pools. */
export function withoutPools({ paths }: Network, dropped: ReadonlySet<Pool>): readonly Path[] {
  const kept = new Map<Leg, Leg>();
  const legWithout = (leg: Leg): Leg => {
    const known = kept.get(leg);
    if (known !== undefined) return known;
    const pools = leg.pools.filter((pool) => !dropped.has(pool));
    const without = pools.length === leg.pools.length ? leg : new Leg(leg.tokenIn, leg.tokenOut, pools);
    kept.set(leg, without);
    return without;
  };
  return paths
    .map(({ legs }) => pathOver(legs.map(legWithout)))
    .filter(({ spot }) => spot > 0)
    .sort((a, b) => b.spot - a.spot);
}

/** The legs of paths, each in one place. `ends`: those that begin a path, and those that end one. */
export type Placed = {
  readonly legs: readonly Leg[];
  readonly outlines: readonly LegOutline[];
  readonly ways: readonly PathLegs[];
  readonly ends: { readonly first: ReadonlySet<number>; readonly last: ReadonlySet<number> };
};

export function placed(paths: readonly Path[]): Placed {
  const places = new Map<Leg, number>();
  for (const { legs } of paths) for (const leg of legs) if (!places.has(leg)) places.set(leg, places.size);
  const legs = [...places.keys()];
  const byTokens = new Map(legs.map((leg, place) => [leg.tokenIn + leg.tokenOut, place]));
  const outlines = legs.map((leg) => ({ outline: leg.merged, reverse: byTokens.get(leg.tokenOut + leg.tokenIn) }));
  const ways = paths.map((path) => path.legs.map((leg) => places.get(leg)!));
  return { legs, outlines, ways, ends: { first: new Set(ways.map((way) => way[0]!)), last: new Set(ways.map((way) => way.at(-1)!)) } };
}

/**
 * The exchange of one amount that leaves most once the gas of its swaps is paid: by one path, or split over several where that gains more than further swaps
 * cost. Splits are searched for in floats and then quoted exactly, and never taken when the best single path leaves as much.
 */
import type { Address } from '../lib/types.ts';
import { allocate } from './allocate.ts';
import { type Leg, type Network, type Path, placed, promising, withoutPools } from './network.ts';
import { depthAt, givenUntil, takenUntil } from './outline.ts';
import type { Hop, Pool } from './pool.ts';
import { tokenInOf, tokenOutOf } from './pool.ts';

export type Route = readonly [Hop, ...Hop[]];

/** One amount, exact at one end. `gasRaw`: what a unit of gas costs in the token of the other end. */
export type Order = {
  readonly tokenIn: Address;
  readonly tokenOut: Address;
  readonly amountRaw: bigint;
  readonly exact: 'in' | 'out';
  readonly gasRaw: number;
};

/** A bound of floats is trusted only beyond this. */
const SLACK = 1 + 1e-9;
/** A further swap has to gain this share of the whole, even where gas costs nothing. */
const LEAST_GAIN = 4e-6;
/** About what a swap costs; what is chosen is weighed with its own. */
const SWAP_GAS = 110_000;
/** Less than any takes. */
const LEAST_SWAP_GAS = 80_000;
const MAX_ROUNDS = 10;
/** What going another way loses, of the throughput, where a pool is the only one between its tokens: a guess, that is tried. */
const PATH_LOSS = 0.01;
const WEIGHTS = 2 ** 52;

export function bestRoute(order: Order, network: Network, splits = true): Route | undefined {
  const single = bestSingle(order, network);
  if (!splits || !worthSplitting(order, network, single)) return single;
  const split = bestSplit(order, network, single === undefined ? Number.POSITIVE_INFINITY : costOf(order, single));
  if (split === undefined || single === undefined) return split ?? single;
  return costOf(order, split) < costOf(order, single) ? split : single;
}

/** What is to be made least: what it takes, or what it does not give, with its gas. */
function costOf({ tokenIn, tokenOut, exact, gasRaw }: Order, route: Route): number {
  let amount = 0n;
  let gasUnits = 0n;
  for (const hop of route) {
    gasUnits += hop.gasUnits;
    if (exact === 'in') {
      if (tokenOutOf(hop) === tokenOut) amount -= hop.amountOutRaw;
    } else if (tokenInOf(hop) === tokenIn) amount += hop.amountInRaw;
  }
  return Number(amount) + Number(gasUnits) * gasRaw;
}

/* One path */

function bestSingle(order: Order, { paths }: Network): Route | undefined {
  let best: { readonly route: Route; readonly cost: number } | undefined;
  const amount = Number(order.amountRaw);
  for (const { legs, spot } of paths) {
    const bound = order.exact === 'in' ? -amount * spot * SLACK : amount / (spot * SLACK);
    if (best !== undefined && bound >= best.cost) break;
    const route = order.exact === 'in' ? sellAlong(legs, order.amountRaw) : buyAlong(legs, order.amountRaw);
    if (route === undefined) continue;
    const cost = costOf(order, route);
    if (best === undefined || cost < best.cost) best = { route, cost };
  }
  return best?.route;
}

function sellAlong(legs: readonly Leg[], amountInRaw: bigint): Route | undefined {
  const hops: Hop[] = [];
  for (const leg of legs) {
    const amount = hops.at(-1)?.amountOutRaw ?? amountInRaw;
    let best: Hop | undefined;
    for (const [place, pool] of leg.pools.entries()) {
      const from = leg.outline(place).from[0]!;
      if (best !== undefined && (Number(amount) * SLACK) / (from * from) < Number(best.amountOutRaw)) break;
      const hop = pool.sell(leg.zeroForOne, amount);
      if (hop && (best === undefined || hop.amountOutRaw > best.amountOutRaw)) best = hop;
    }
    if (best === undefined) return undefined;
    hops.push(best);
  }
  return hops as readonly Hop[] as Route;
}

function buyAlong(legs: readonly Leg[], amountOutRaw: bigint): Route | undefined {
  const hops: Hop[] = [];
  for (const leg of legs.toReversed()) {
    const amount = hops[0]?.amountInRaw ?? amountOutRaw;
    let best: Hop | undefined;
    for (const [place, pool] of leg.pools.entries()) {
      const from = leg.outline(place).from[0]!;
      if (best !== undefined && Number(amount) * from * from > Number(best.amountInRaw) * SLACK) break;
      const hop = pool.buy(leg.zeroForOne, amount);
      if (hop && (best === undefined || hop.amountInRaw < best.amountInRaw)) best = hop;
    }
    if (best === undefined) return undefined;
    hops.unshift(best);
  }
  return hops as readonly Hop[] as Route;
}

/* Several */

/** Whether the price without any impact would leave enough more for a further swap. */
function worthSplitting(order: Order, { paths, bestSpot }: Network, single: Route | undefined): boolean {
  if (paths.length < 2 && (paths[0]?.legs.every(({ pools }) => pools.length < 2) ?? true)) return false;
  if (single === undefined) return true;
  const [first, last] = [single[0], single.at(-1)!];
  const [ideal, real] =
    order.exact === 'in'
      ? [Number(order.amountRaw) * bestSpot, Number(last.amountOutRaw)]
      : [Number(first.amountInRaw), Number(order.amountRaw) / bestSpot];
  return ideal - real > Math.max(SWAP_GAS * order.gasRaw, LEAST_GAIN * real);
}

/** A pool's part. `throughput`: what goes through it is worth, so the most that is lost without it; `loss`: about what is lost. In the token of the other end. */
type Use = { readonly pool: Pool; readonly throughput: number; readonly loss: number };

/**
 * Beginning with every pool, those that do not pay for their gas are left out one after another. @param toBeat what the best path costs; undefined where no split
 * costs less
 */
function bestSplit(order: Order, network: Network, toBeat: number): Route | undefined {
  const dropped = new Set<Pool>();
  const kept = new Set<Pool>();
  let best: { readonly route: Route; readonly cost: number } | undefined;
  let tried: Pool | undefined;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const flow = new Flow(order, dropped.size === 0 ? network.paths : withoutPools(network, dropped));
    if (round === 0 && flow.leastCost() >= toBeat) return undefined;
    const route = order.exact === 'in' ? flow.sell() : flow.buy();
    const swapCost = Math.max(SWAP_GAS * order.gasRaw, LEAST_GAIN * flow.otherEnd());
    // Even where gas costs nothing a swap more has to be worth its while.
    const cost =
      route === undefined
        ? Number.POSITIVE_INFINITY
        : costOf(order, route) + (order.gasRaw * SWAP_GAS < swapCost ? swapCost * route.length : 0);
    if (route !== undefined && (best === undefined || cost < best.cost)) best = { route, cost };
    else if (tried === undefined) return best?.route;
    else {
      dropped.delete(tried);
      kept.add(tried);
    }
    const open = flow.uses().filter(({ pool, loss }) => loss < swapCost && !kept.has(pool) && !dropped.has(pool));
    if (open.length === 0) return best?.route;
    for (const { pool, throughput } of open) if (throughput < swapCost) dropped.add(pool);
    tried = open.reduce((a, b) => (b.loss < a.loss ? b : a)).pool;
    dropped.add(tried);
  }
  return best?.route;
}

/** The best split in floats, and the exchanges that it comes to. */
class Flow {
  readonly #order: Order;
  readonly #legs: readonly Leg[];
  /** What enters (`exact` in) or leaves (`exact` out) each leg. */
  readonly #flows: Float64Array;
  /** From the first token to the last, and undefined where flows go in a circle. */
  readonly #tokens: readonly Address[] | undefined;

  constructor(order: Order, paths: readonly Path[]) {
    const { legs, outlines, ways } = placed(promising(paths, Number(order.amountRaw), order.exact));
    this.#order = order;
    this.#legs = legs;
    this.#flows = allocate(outlines, ways, Number(order.amountRaw), order.exact).flows;
    this.#tokens = inOrder(
      order.tokenIn,
      this.#legs.filter((_, place) => this.#flows[place]! > 0),
    );
  }

  /** The pools that are used. */
  uses(): Use[] {
    const uses: Use[] = [];
    const worth = this.#worths();
    const unit = this.#order.exact === 'in' ? 1 : (worth.get(this.#order.tokenIn) ?? 1);
    for (const [place, leg] of this.#legs.entries()) {
      const s = this.#after(place);
      if (s === undefined) continue;
      const [worthIn, worthOut] = [(worth.get(leg.tokenIn) ?? 0) / unit, (worth.get(leg.tokenOut) ?? 0) / unit];
      const depth = leg.pools.reduce((sum, _, index) => sum + depthAt(leg.outline(index), s), 0);
      for (const [index, pool] of leg.pools.entries()) {
        const outline = leg.outline(index);
        const taken = takenUntil(outline, s);
        if (taken <= 0) continue;
        const throughput = taken * worthIn;
        // What it gives beyond the price at the margin, and what the others lose by taking its part: Δs = part / depth, Δλ = -2 Δs / s³.
        const surplus = givenUntil(outline, s) * worthOut - throughput;
        const others = depth - depthAt(outline, s);
        const displaced = others > 0 ? (taken * taken * worthOut) / (others * s ** 3) : throughput * PATH_LOSS;
        uses.push({ pool, throughput, loss: surplus + Math.min(displaced, throughput) });
      }
    }
    return uses;
  }

  /** No split over these paths costs less: it has two swaps at the least. */
  leastCost(): number {
    const { exact, gasRaw } = this.#order;
    const end = this.otherEnd();
    return (exact === 'in' ? -end * SLACK : end / SLACK) + 2 * LEAST_SWAP_GAS * gasRaw;
  }

  /** About what comes out for an exact input, or goes in for an exact output. */
  otherEnd(): number {
    const { exact, tokenIn, tokenOut } = this.#order;
    let sum = 0;
    for (const [place, { merged, tokenIn: from, tokenOut: to }] of this.#legs.entries()) {
      const flow = this.#flows[place]!;
      if (exact === 'in' ? to === tokenOut : from === tokenIn) sum += exact === 'in' ? merged.outFor(flow) : merged.inFor(flow);
    }
    return sum;
  }

  /** One token after the other, all that has come in of it is sold. */
  sell(): Route | undefined {
    const held = new Map<Address, bigint>([[this.#order.tokenIn, this.#order.amountRaw]]);
    const hops: Hop[] = [];
    for (const token of this.#tokens ?? []) {
      if (token === this.#order.tokenOut) continue;
      const made = this.#exchange(token, held.get(token) ?? 0n, 'in');
      if (made === undefined) return undefined;
      for (const hop of made) held.set(tokenOutOf(hop), (held.get(tokenOutOf(hop)) ?? 0n) + hop.amountOutRaw);
      hops.push(...made);
    }
    return routeOf(hops);
  }

  /** From the last token back, all that is needed of it is bought. */
  buy(): Route | undefined {
    const needed = new Map<Address, bigint>([[this.#order.tokenOut, this.#order.amountRaw]]);
    const hops: Hop[] = [];
    for (const token of this.#tokens?.toReversed() ?? []) {
      if (token === this.#order.tokenIn) continue;
      const made = this.#exchange(token, needed.get(token) ?? 0n, 'out');
      if (made === undefined) return undefined;
      for (const hop of made) needed.set(tokenInOf(hop), (needed.get(tokenInOf(hop)) ?? 0n) + hop.amountInRaw);
      hops.push(...made);
    }
    const place = new Map(this.#tokens?.map((token, index) => [token, index]));
    return routeOf(hops.toSorted((a, b) => place.get(tokenInOf(a))! - place.get(tokenInOf(b))!));
  }

  /** All of one token's amount, over its pools by their parts; the largest last, which has what rounding leaves. Undefined where a pool cannot. */
  #exchange(token: Address, amountRaw: bigint, exact: 'in' | 'out'): readonly Hop[] | undefined {
    const parts: { pool: Pool; zeroForOne: boolean; weight: number }[] = [];
    for (const [place, leg] of this.#legs.entries()) {
      if ((exact === 'in' ? leg.tokenIn : leg.tokenOut) !== token) continue;
      const s = this.#after(place);
      if (s === undefined) continue;
      for (const [index, pool] of leg.pools.entries()) {
        const weight = exact === 'in' ? takenUntil(leg.outline(index), s) : givenUntil(leg.outline(index), s);
        if (weight > 0) parts.push({ pool, zeroForOne: leg.zeroForOne, weight });
      }
    }
    parts.sort((a, b) => a.weight - b.weight);
    const total = parts.reduce((sum, { weight }) => sum + weight, 0);
    let leftRaw = amountRaw;
    const hops: Hop[] = [];
    for (const [index, { pool, zeroForOne, weight }] of parts.entries()) {
      const last = index === parts.length - 1;
      const part = last ? leftRaw : (amountRaw * BigInt(Math.floor((weight / total) * WEIGHTS))) / BigInt(WEIGHTS);
      if (part === 0n) continue;
      const hop = exact === 'in' ? pool.sell(zeroForOne, part) : pool.buy(zeroForOne, part);
      if (hop === undefined) return undefined;
      leftRaw -= part;
      hops.push(hop);
    }
    return leftRaw === 0n ? hops : undefined;
  }

  /** s of a leg once its flow has gone through. */
  #after(place: number): number | undefined {
    const flow = this.#flows[place]!;
    if (flow <= 0) return undefined;
    const { merged } = this.#legs[place]!;
    return this.#order.exact === 'in' ? merged.afterTaking(flow) : merged.afterGiving(flow);
  }

  /** What a raw unit of each token is worth in the last one, at the margin. */
  #worths(): ReadonlyMap<Address, number> {
    const worth = new Map<Address, number>([[this.#order.tokenOut, 1]]);
    for (const token of this.#tokens?.toReversed() ?? [])
      for (const [place, leg] of this.#legs.entries()) {
        const s = leg.tokenIn === token ? this.#after(place) : undefined;
        if (s !== undefined) worth.set(token, Math.max(worth.get(token) ?? 0, (worth.get(leg.tokenOut) ?? 0) / (s * s)));
      }
    return worth;
  }
}

/** Tokens such that every leg leads from an earlier to a later one. */
function inOrder(first: Address, legs: readonly Leg[]): readonly Address[] | undefined {
  const ordered: Address[] = [];
  const open = new Set<Address>([first, ...legs.map(({ tokenOut }) => tokenOut)]);
  while (open.size > 0) {
    const next = [...open].find((token) => !legs.some(({ tokenIn, tokenOut }) => tokenOut === token && open.has(tokenIn)));
    if (next === undefined) return undefined;
    open.delete(next);
    ordered.push(next);
  }
  return ordered;
}

function routeOf(hops: readonly Hop[]): Route | undefined {
  const [first, ...rest] = hops;
  return first && [first, ...rest];
}

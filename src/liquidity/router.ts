import type { Step } from '../lib/steps.ts';
import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import { type Keeping, keptTogether } from '../mirror/keeping.ts';
import type { Reading, Undo, ViewCheck } from '../mirror/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { PoolFamily } from './book.ts';
import { PoolDepth, RoutedFill } from './depth.ts';
import type { Frontier } from './frontier.ts';
import { type Pool, tokenInOf } from './pool.ts';
import { bestRoute } from './routing.ts';
import type { Curve, Depth, Exchange, Fill, InputAmount, NoFill, Venue } from './types.ts';

export type RouterOptions = {
  readonly name: string;
  readonly families: readonly PoolFamily[];
  /** Tokens that a path may go over, two of them at most. */
  readonly bridgeTokens: readonly Address[];
  /** What profit is counted in: the Executor may hold a gain of it from earlier groups. */
  readonly numeraire: Address;
  /** Swaps' recipient. */
  readonly executor: Address;
  /** False: an exchange keeps to one path. Splits touch more pools, and transactions that share none can go side by side. */
  readonly splits?: boolean;
  /** A token's name for people; its shortened address when absent. */
  readonly nameOf?: (token: Address) => string;
};

/**
 * Venue over families of pools: an amount is split over paths of up to three hops and the pools beside one another, as far as that earns the gas of its swaps.
 */
export class PoolRouter implements Venue {
  readonly name: string;
  readonly id: string;
  readonly fromBlock: number;
  readonly #families: readonly PoolFamily[];
  readonly #bridgeTokens: readonly Address[];
  readonly #numeraire: Address;
  readonly #executor: Address;
  readonly #splits: boolean;
  readonly #nameOf: (token: Address) => string;
  #odd: ReadonlyMap<Address, string> = new Map();
  /** The pools as mirrored when they were asked for last. */
  #mirrored: PoolDepth | undefined;

  constructor({ name, families, bridgeTokens, numeraire, executor, splits = true, nameOf = shortened }: RouterOptions) {
    this.name = name;
    this.#splits = splits;
    this.id = name;
    // A family that needs no history has no say in where the history begins.
    const discovering = families.filter((family) => family.discoveryFilters().length > 0);
    this.fromBlock = discovering.length === 0 ? 0 : Math.min(...discovering.map((family) => family.fromBlock));
    this.#families = families;
    this.#bridgeTokens = [...new Set(bridgeTokens)];
    this.#numeraire = numeraire;
    this.#executor = executor;
    this.#nameOf = nameOf;
  }

  /* Quotes */

  want(tokens: readonly Address[]): boolean {
    const all = [...tokens, ...this.#bridgeTokens];
    return this.#families.map((family) => family.want(all)).includes(true);
  }

  /** Tokens that are not exchanged at all, neither at the ends of a way nor between, and why. Replaces those named before. */
  shun(odd: ReadonlyMap<Address, string>): void {
    this.#odd = odd;
    // What was worked out went over other bridges.
    this.#mirrored = undefined;
  }

  pools(): Iterable<Pool> {
    return this.depth().books.flatMap((book) => [...book.pools.values()]);
  }

  /** For each token the contract of a mirrored pool that holds most of it. */
  holders(): ReadonlyMap<Address, { readonly holder: Address; readonly heldRaw: bigint }> {
    const most = new Map<Address, { holder: Address; heldRaw: bigint }>();
    for (const { identity, holder, heldRaw } of this.pools())
      for (const [place, token] of [identity.token0, identity.token1].entries())
        if (heldRaw[place]! > (most.get(token)?.heldRaw ?? 0n)) most.set(token, { holder, heldRaw: heldRaw[place]! });
    return most;
  }

  /** @param at whose base fee swaps are weighed with; without it they cost nothing */
  depth(at?: Pick<Moment, 'baseFeeWei'>): PoolDepth {
    const books = this.#families.flatMap((family) => family.book() ?? []);
    const before = this.#mirrored;
    if (before === undefined || before.books.length !== books.length || before.books.some((book, place) => book !== books[place]))
      this.#mirrored = PoolDepth.over(books, before);
    return this.#mirrored!.at(at?.baseFeeWei ?? 0n);
  }

  spot(tokenIn: Address, tokenOut: Address, at: Depth): number {
    if (tokenIn === tokenOut) return 1;
    if (this.#odd.has(tokenIn) || this.#odd.has(tokenOut)) return 0;
    return PoolDepth.of(at).network(tokenIn, tokenOut, this.#bridges(), []).bestSpot;
  }

  curves(token: Address, side: 'out of' | 'into', ends: readonly Address[], at: Depth): readonly Curve[] {
    const depth = PoolDepth.of(at);
    const others = new Set([...this.#bridges(), ...ends]);
    others.delete(token);
    return [...others].flatMap((other) => {
      const outlines = side === 'into' ? depth.outlines(other, token) : depth.outlines(token, other);
      return outlines.map((outline) => ({ other, outline }));
    });
  }

  frontier(tokenIn: Address, tokenOut: Address, exact: 'in' | 'out', at: Depth): Frontier | undefined {
    if (this.#odd.has(tokenIn) || this.#odd.has(tokenOut)) return undefined;
    return PoolDepth.of(at).frontier(tokenIn, tokenOut, this.#bridges(), exact);
  }

  quoteIn(tokenIn: Address, tokenOut: Address, amountInRaw: bigint, at: Depth, avoid: readonly Address[] = []): Fill | NoFill {
    return this.#quote(tokenIn, tokenOut, amountInRaw, 'in', PoolDepth.of(at), avoid);
  }

  quoteOut(tokenIn: Address, tokenOut: Address, amountOutRaw: bigint, at: Depth, avoid: readonly Address[] = []): Fill | NoFill {
    return this.#quote(tokenIn, tokenOut, amountOutRaw, 'out', PoolDepth.of(at), avoid);
  }

  get direct(): Exchange {
    return {
      name: this.name,
      depth: (at) => this.depth(at),
      spot: (...asked) => this.spot(...asked),
      quoteIn: (from, to, amountRaw, at, avoid = []) => this.#quote(from, to, amountRaw, 'in', PoolDepth.of(at), avoid, []),
      quoteOut: (from, to, amountRaw, at, avoid = []) => this.#quote(from, to, amountRaw, 'out', PoolDepth.of(at), avoid, []),
      steps: (...asked) => this.steps(...asked),
    };
  }

  /**
   * One hop after another. Over a bridge token:
   *
   * - For an exact output each hop buys what those behind it are planned to ask for, and what they really ask for is paid of it.
   * - For an exact input the last hop that sells a bridge token sells the Executor's gain of it (all of its balance, where that token is not
   *   registered), so it follows hops that yield other than planned. But where the bridge token is the numeraire, that gain may hold
   *   the profit of earlier groups, which must not be sold: there it sells the planned amount.
   *
   * With planned amounts a better hop before leaves a rest of the bridge token in the Executor (to be swept, unless it is the numeraire), and a
   * worse one takes the difference from what is there of it, or reverts.
   *
   * NOTE: so no bridge token but the numeraire may be in hand, as a loan for one, while the steps of an exact input run. A liquidation's exit
   * keeps to that: while the loan is out it exchanges into the loan's token, and a path's ends are never its bridge.
   *
   * With `gain` a fill of an exact output becomes an exact input over the same pools.
   */
  steps(fill: Fill, input: InputAmount, recipient: Address = this.#executor): readonly Step[] {
    const hops = RoutedFill.hopsOf(fill);
    const exact = input === 'gain' ? 'in' : hops[0].exact;
    return hops.flatMap((hop, index) => {
      const token = tokenInOf(hop);
      const last = !hops.slice(index + 1).some((later) => tokenInOf(later) === token);
      const follows = token === fill.tokenIn ? input === 'gain' : exact === 'in' && token !== this.#numeraire;
      return hop.before.steps(hop, { exact, recipient, sellGain: last && follows });
    });
  }

  #quote(
    tokenIn: Address,
    tokenOut: Address,
    amountRaw: bigint,
    exact: 'in' | 'out',
    depth: PoolDepth,
    avoid: readonly Address[],
    bridges = this.#bridges(),
  ): Fill | NoFill {
    if (tokenIn === tokenOut || amountRaw <= 0n) return noFill('no-route');
    const odd = this.#oddityOf(tokenIn) ?? this.#oddityOf(tokenOut);
    if (odd !== undefined) return odd;
    const network = depth.network(tokenIn, tokenOut, bridges, avoid);
    const gasRaw = this.#gasRaw(exact === 'in' ? tokenOut : tokenIn, depth);
    const route = bestRoute({ tokenIn, tokenOut, amountRaw, exact, gasRaw }, network, this.#splits);
    if (route !== undefined) return new RoutedFill(this.name, route, this.#nameOf);
    if (depth.books.length < this.#families.length) return noFill('not-synced');
    return noFill(network.paths.length > 0 ? 'too-thin' : 'no-route');
  }

  /** What a unit of gas costs in a token; nothing where the token has no price. */
  #gasRaw(token: Address, depth: PoolDepth): number {
    if (depth.gasPriceWei === 0n) return 0;
    return Number(depth.gasPriceWei) * this.spot(this.#numeraire, token, depth);
  }

  #bridges(): readonly Address[] {
    return this.#odd.size === 0 ? this.#bridgeTokens : this.#bridgeTokens.filter((bridge) => !this.#odd.has(bridge));
  }

  #oddityOf(token: Address): NoFill | undefined {
    const cause = this.#odd.get(token);
    return cause === undefined ? undefined : { ok: false, reason: 'odd-token', token, cause };
  }

  /* Mirror: the families', together. They need no reads of their own per block. */

  discoveryFilters(): readonly LogFilter[] {
    return this.#families.flatMap((family) => family.discoveryFilters());
  }

  discover(logs: readonly RawLog[]): void {
    for (const family of this.#families) family.discover(logs);
  }

  /** NOTE: all that have a history or none: it is gone through once for them together. */
  get keeping(): Keeping | undefined {
    const keepings = this.#families.filter((family) => family.discoveryFilters().length > 0).map(({ keeping }) => keeping);
    return keepings.every((keeping) => keeping !== undefined) ? keptTogether(keepings) : undefined;
  }

  *anchor(block: Head): Reading {
    for (const family of this.#families) yield* family.anchor(block);
  }

  filters(): readonly LogFilter[] {
    return this.#families.flatMap((family) => family.filters());
  }

  apply(block: Head, logs: readonly RawLog[]): Undo {
    const undos = this.#families.map((family) => family.apply(block, logs));
    return () => {
      for (const undo of undos.toReversed()) undo();
    };
  }

  reads(_block: Head): readonly ViewCall[] {
    return [];
  }

  ingest(_block: Head, _answers: readonly ViewAnswer[]): Undo {
    return () => {};
  }

  audit(block: BlockRef, limit: number, seed: number): readonly ViewCheck[] {
    const share = Math.ceil(limit / this.#families.length);
    return this.#families.flatMap((family) => family.audit(block, share, seed)).slice(0, limit);
  }
}

function noFill(reason: Exclude<NoFill['reason'], 'odd-token'>): NoFill {
  return { ok: false, reason };
}

function shortened(token: Address): string {
  return `${token.slice(0, 6)}…${token.slice(-4)}`;
}

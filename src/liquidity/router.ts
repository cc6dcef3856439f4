import type { Step } from '../lib/steps.ts';
import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import type { Reading, Undo, ViewCheck } from '../mirror/types.ts';
import type { PoolFamily } from './book.ts';
import { PoolDepth, RoutedFill } from './depth.ts';
import { type Hop, tokenOutOf } from './pool.ts';
import type { Depth, Fill, InputAmount, NoFill, Venue } from './types.ts';

export type RouterOptions = {
  readonly name: string;
  readonly families: readonly PoolFamily[];
  /** Tokens that a two-hop path may go over. */
  readonly bridgeTokens: readonly Address[];
  /** What profit is counted in: the Executor may hold a gain of it from earlier groups. */
  readonly numeraire: Address;
  /** Swaps' recipient. */
  readonly executor: Address;
  /** A token's name for people; its shortened address when absent. */
  readonly nameOf?: (token: Address) => string;
};

type Route = readonly [Hop, ...Hop[]];
/** The best so far, and whether any path was there to try. */
type Search = { best: Route | undefined; tried: boolean };

/**
 * Venue over families of pools: the best single path, direct or over one bridge token, each hop in whichever pool gives most. Best is
 * judged by amounts; what a path's gas costs is the caller's to weigh (`gasUnits`).
 */
export class PoolRouter implements Venue {
  readonly name: string;
  readonly id: string;
  readonly fromBlock: number;
  readonly #families: readonly PoolFamily[];
  readonly #bridgeTokens: readonly Address[];
  readonly #numeraire: Address;
  readonly #executor: Address;
  readonly #nameOf: (token: Address) => string;
  #odd: ReadonlyMap<Address, string> = new Map();

  constructor({ name, families, bridgeTokens, numeraire, executor, nameOf = shortened }: RouterOptions) {
    this.name = name;
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
  }

  /** For each token the mirrored pool that holds most of it. */
  holders(): ReadonlyMap<Address, { readonly holder: Address; readonly heldRaw: bigint }> {
    const most = new Map<Address, { holder: Address; heldRaw: bigint }>();
    for (const { identity, heldRaw } of this.depth().books.flatMap((book) => [...book.pools.values()]))
      for (const [place, token] of [identity.token0, identity.token1].entries())
        if (heldRaw[place]! > (most.get(token)?.heldRaw ?? 0n)) most.set(token, { holder: identity.address, heldRaw: heldRaw[place]! });
    return most;
  }

  depth(): PoolDepth {
    return new PoolDepth(this.#families.flatMap((family) => family.book() ?? []));
  }

  quoteIn(tokenIn: Address, tokenOut: Address, amountInRaw: bigint, at: Depth, avoid: readonly Address[] = []): Fill | NoFill {
    const depth = PoolDepth.of(at);
    const search: Search = { best: undefined, tried: false };
    if (tokenIn === tokenOut || amountInRaw <= 0n) return noFill('no-route');
    const odd = this.#oddityOf(tokenIn) ?? this.#oddityOf(tokenOut);
    if (odd !== undefined) return odd;
    const direct = this.#sell(depth, tokenIn, tokenOut, amountInRaw, avoid, search);
    if (direct) search.best = [direct];
    for (const bridge of this.#bridgeTokens) {
      if (!this.#bridges(depth, tokenIn, bridge, tokenOut)) continue;
      const first = this.#sell(depth, tokenIn, bridge, amountInRaw, avoid, search);
      const second = first && this.#sell(depth, bridge, tokenOut, first.amountOutRaw, avoid, search);
      if (first && second && (search.best === undefined || second.amountOutRaw > search.best.at(-1)!.amountOutRaw))
        search.best = [first, second];
    }
    return this.#fillOf(depth, search);
  }

  quoteOut(tokenIn: Address, tokenOut: Address, amountOutRaw: bigint, at: Depth, avoid: readonly Address[] = []): Fill | NoFill {
    const depth = PoolDepth.of(at);
    const search: Search = { best: undefined, tried: false };
    if (tokenIn === tokenOut || amountOutRaw <= 0n) return noFill('no-route');
    const odd = this.#oddityOf(tokenIn) ?? this.#oddityOf(tokenOut);
    if (odd !== undefined) return odd;
    const direct = this.#buy(depth, tokenIn, tokenOut, amountOutRaw, avoid, search);
    if (direct) search.best = [direct];
    for (const bridge of this.#bridgeTokens) {
      if (!this.#bridges(depth, tokenIn, bridge, tokenOut)) continue;
      const second = this.#buy(depth, bridge, tokenOut, amountOutRaw, avoid, search);
      const first = second && this.#buy(depth, tokenIn, bridge, second.amountInRaw, avoid, search);
      if (first && second && (search.best === undefined || first.amountInRaw < search.best[0].amountInRaw)) search.best = [first, second];
    }
    return this.#fillOf(depth, search);
  }

  /**
   * One hop after another. Over a bridge token:
   *
   * - For an exact output the first hop buys what the second is planned to ask for, and what the second really asks for is paid of it.
   * - For an exact input the second hop sells the Executor's gain of the bridge token (all of its balance, where that token is not
   *   registered), so it follows a first hop that yields other than planned. But where the bridge token is the numeraire, that gain may hold
   *   the profit of earlier groups, which must not be sold: there the second hop sells the planned amount.
   *
   * With planned amounts a better first hop leaves a rest of the bridge token in the Executor (to be swept, unless it is the numeraire), and a
   * worse one takes the difference from what is there of it, or reverts.
   *
   * NOTE: so no bridge token but the numeraire may be in hand, as a loan for one, while the steps of an exact input run. A liquidation's exit
   * keeps to that: while the loan is out it exchanges into the loan's token, and a path's ends are never its bridge.
   *
   * With `gain` a fill of an exact output becomes an exact input over the same pools.
   */
  steps(fill: Fill, input: InputAmount): readonly Step[] {
    const [first, second] = RoutedFill.hopsOf(fill);
    const recipient = this.#executor;
    const exact = input === 'gain' ? 'in' : first.exact;
    const steps = first.before.steps(first, { exact, recipient, sellGain: input === 'gain' });
    if (second === undefined) return steps;
    const sellGain = exact === 'in' && tokenOutOf(first) !== this.#numeraire;
    return [...steps, ...second.before.steps(second, { exact, recipient, sellGain })];
  }

  #bridges(depth: PoolDepth, tokenIn: Address, bridge: Address, tokenOut: Address): boolean {
    return bridge !== tokenIn && bridge !== tokenOut && !this.#odd.has(bridge) && connected(depth, tokenIn, bridge, tokenOut);
  }

  #oddityOf(token: Address): NoFill | undefined {
    const cause = this.#odd.get(token);
    return cause === undefined ? undefined : { ok: false, reason: 'odd-token', token, cause };
  }

  #sell(depth: PoolDepth, tokenIn: Address, tokenOut: Address, amount: bigint, avoid: readonly Address[], search: Search): Hop | undefined {
    let best: Hop | undefined;
    for (const book of depth.books) {
      for (const address of book.between(tokenIn, tokenOut)) {
        if (avoid.includes(address)) continue;
        search.tried = true;
        const hop = depth.pool(book, address).sell(tokenIn < tokenOut, amount);
        if (hop && (best === undefined || hop.amountOutRaw > best.amountOutRaw)) best = hop;
      }
    }
    return best;
  }

  #buy(depth: PoolDepth, tokenIn: Address, tokenOut: Address, amount: bigint, avoid: readonly Address[], search: Search): Hop | undefined {
    let best: Hop | undefined;
    for (const book of depth.books) {
      for (const address of book.between(tokenIn, tokenOut)) {
        if (avoid.includes(address)) continue;
        search.tried = true;
        const hop = depth.pool(book, address).buy(tokenIn < tokenOut, amount);
        if (hop && (best === undefined || hop.amountInRaw < best.amountInRaw)) best = hop;
      }
    }
    return best;
  }

  #fillOf(depth: PoolDepth, { best, tried }: Search): Fill | NoFill {
    if (best !== undefined) return new RoutedFill(this.name, best, this.#nameOf);
    if (depth.books.length < this.#families.length) return noFill('not-synced');
    return noFill(tried ? 'too-thin' : 'no-route');
  }

  /* Mirror: the families', together. They need no reads of their own per block. */

  discoveryFilters(): readonly LogFilter[] {
    return this.#families.flatMap((family) => family.discoveryFilters());
  }

  discover(logs: readonly RawLog[]): void {
    for (const family of this.#families) family.discover(logs);
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

function connected(depth: PoolDepth, tokenIn: Address, bridge: Address, tokenOut: Address): boolean {
  return (
    depth.books.some((book) => book.between(tokenIn, bridge).length > 0) &&
    depth.books.some((book) => book.between(bridge, tokenOut).length > 0)
  );
}

function noFill(reason: Exclude<NoFill['reason'], 'odd-token'>): NoFill {
  return { ok: false, reason };
}

function shortened(token: Address): string {
  return `${token.slice(0, 6)}…${token.slice(-4)}`;
}

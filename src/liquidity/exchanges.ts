/** Several exchanges as one: those that trade what nobody else does, and one for everything else. */
import type { Step } from '../lib/steps.ts';
import type { Address } from '../lib/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Frontier } from './frontier.ts';
import type { MoveOf } from './replay.ts';
import type { Curve, Depth, Exchange, Fill, InputAmount, NoFill } from './types.ts';

/** An exchange for certain assets alone, such as the positions of one protocol. */
export interface OwnExchange extends Exchange {
  trades(tokenIn: Address, tokenOut: Address): boolean;
}

/** Each exchange's own depth. */
export class Depths implements Depth {
  readonly #depths: ReadonlyMap<Exchange, Depth>;

  constructor(depths: ReadonlyMap<Exchange, Depth>) {
    this.#depths = depths;
  }

  static of(depth: Depth): Depths {
    if (!(depth instanceof Depths)) throw new TypeError('the depth is not of these exchanges');
    return depth;
  }

  at(exchange: Exchange): Depth {
    const depth = this.#depths.get(exchange);
    if (depth === undefined) throw new TypeError(`${exchange.name} is none of these exchanges`);
    return depth;
  }

  /** The same with one exchange's depth replaced. */
  with(exchange: Exchange, depth: Depth): Depths {
    return new Depths(new Map([...this.#depths, [exchange, depth]]));
  }

  after(fill: Fill): Depth {
    const exchange = [...this.#depths.keys()].find(({ name }) => name === fill.venue);
    if (exchange === undefined) throw new Error(`no exchange is named ${fill.venue}`);
    return this.with(exchange, this.at(exchange).after(fill));
  }

  moved(pools: readonly Address[], moveOf: MoveOf): Depths {
    return new Depths(new Map([...this.#depths].map(([exchange, depth]) => [exchange, depth.moved?.(pools, moveOf) ?? depth])));
  }
}

export class Exchanges implements Exchange {
  readonly name = 'exchanges';
  readonly #all: readonly Exchange[];
  readonly #own: readonly OwnExchange[];
  readonly #others: Exchange;

  constructor(own: readonly OwnExchange[], others: Exchange) {
    this.#own = own;
    this.#others = others;
    this.#all = [...own, others];
  }

  depth(at: Moment): Depth {
    return new Depths(new Map(this.#all.map((exchange) => [exchange, exchange.depth(at)])));
  }

  spot(tokenIn: Address, tokenOut: Address, at: Depth): number | undefined {
    const exchange = this.#for(tokenIn, tokenOut);
    return exchange.spot(tokenIn, tokenOut, Depths.of(at).at(exchange));
  }

  /** What is traded by one protocol alone has no pools. */
  curves(token: Address, side: 'out of' | 'into', ends: readonly Address[], at: Depth): readonly Curve[] {
    return this.#others.curves?.(token, side, ends, Depths.of(at).at(this.#others)) ?? [];
  }

  frontier(tokenIn: Address, tokenOut: Address, exact: 'in' | 'out', at: Depth): Frontier | undefined {
    const exchange = this.#for(tokenIn, tokenOut);
    return exchange.frontier?.(tokenIn, tokenOut, exact, Depths.of(at).at(exchange));
  }

  quoteIn(tokenIn: Address, tokenOut: Address, amountInRaw: bigint, at: Depth, avoid?: readonly Address[]): Fill | NoFill {
    const exchange = this.#for(tokenIn, tokenOut);
    return exchange.quoteIn(tokenIn, tokenOut, amountInRaw, Depths.of(at).at(exchange), avoid);
  }

  quoteOut(tokenIn: Address, tokenOut: Address, amountOutRaw: bigint, at: Depth, avoid?: readonly Address[]): Fill | NoFill {
    const exchange = this.#for(tokenIn, tokenOut);
    return exchange.quoteOut(tokenIn, tokenOut, amountOutRaw, Depths.of(at).at(exchange), avoid);
  }

  get direct(): Exchange | undefined {
    const { direct } = this.#others;
    if (direct === undefined) return undefined;
    const own = (from: Address, to: Address) => this.#own.some((exchange) => exchange.trades(from, to));
    const others = (at: Depth) => Depths.of(at).at(this.#others);
    return {
      name: this.name,
      depth: (at) => this.depth(at),
      spot: (...asked) => this.spot(...asked),
      quoteIn: (from, to, amountRaw, at, avoid) =>
        own(from, to) ? this.quoteIn(from, to, amountRaw, at, avoid) : direct.quoteIn(from, to, amountRaw, others(at), avoid),
      quoteOut: (from, to, amountRaw, at, avoid) =>
        own(from, to) ? this.quoteOut(from, to, amountRaw, at, avoid) : direct.quoteOut(from, to, amountRaw, others(at), avoid),
      steps: (...asked) => this.steps(...asked),
    };
  }

  steps(fill: Fill, input: InputAmount, executor?: Address): readonly Step[] {
    return this.#all.find(({ name }) => name === fill.venue)?.steps(fill, input, executor) ?? [];
  }

  #for(tokenIn: Address, tokenOut: Address): Exchange {
    return this.#own.find((exchange) => exchange.trades(tokenIn, tokenOut)) ?? this.#others;
  }
}

/** The same exchange, at a depth that something else has left already. */
export function withDepth(venue: Exchange, depth: Depth): Exchange {
  return {
    name: venue.name,
    depth: () => depth,
    spot: (...asked) => venue.spot(...asked),
    ...(venue.curves && { curves: (...asked) => venue.curves!(...asked) }),
    ...(venue.frontier && { frontier: (...asked) => venue.frontier!(...asked) }),
    quoteIn: (...asked) => venue.quoteIn(...asked),
    quoteOut: (...asked) => venue.quoteOut(...asked),
    steps: (...asked) => venue.steps(...asked),
    ...(venue.direct && { direct: venue.direct }),
  };
}

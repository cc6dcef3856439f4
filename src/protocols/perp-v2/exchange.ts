/** Where a position that was taken over is closed: the market's own pool. Base and quote stand for the position's two sides; quote is the venue's credit. */
import { encodeFunctionData, parseAbi } from 'viem';
import { MAX_UINT256 } from '../../lib/math.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import type { OwnExchange } from '../../liquidity/exchanges.ts';
import type { Depth, Fill, NoFill } from '../../liquidity/types.ts';
import type { UniswapV3Pool } from '../../liquidity/uniswap-v3/pool.ts';
import type { Moment } from '../../oracles/types.ts';
import { type Close, closeAt, withoutOrders } from './close.ts';
import type { Lens } from './lens.ts';
import type { Contracts, Order, PerpMarket, PerpState } from './state.ts';

const closeAbi = parseAbi([
  'struct ClosePositionParams { address baseToken; uint160 sqrtPriceLimitX96; uint256 oppositeAmountBound; uint256 deadline; bytes32 referralCode; }',
  'function closePosition(ClosePositionParams params) returns (uint256 base, uint256 quote)',
]);
export const NO_CODE = `0x${'0'.repeat(64)}` as const;
/** ClearingHouse.closePosition with one step of the pool, and what each further one adds (measured on the devnet). */
export const CLOSE_GAS = 620_000n;
export const STEP_GAS = 60_000n;
/** The Executor asks its meter three times, which costs more while a position stays (measured on the devnet). */
export const METERS_GAS = 3n * 450_000n;
/** A close that may leave something behind, in a transaction of its own. */
export const REDUCE_GAS = CLOSE_GAS + 4n * STEP_GAS + METERS_GAS;

/** The markets' pools at a moment, some of them moved by what is planned before. */
class PerpDepth implements Depth {
  readonly #lens: () => Lens;
  readonly #moved: ReadonlyMap<Address, UniswapV3Pool>;

  constructor(lens: () => Lens, moved: ReadonlyMap<Address, UniswapV3Pool> = new Map()) {
    this.#lens = lens;
    this.#moved = moved;
  }

  static of(depth: Depth): PerpDepth {
    if (!(depth instanceof PerpDepth)) throw new TypeError('the depth is not of a perp venue');
    return depth;
  }

  get lens(): Lens {
    return this.#lens();
  }

  pool(mirrored: UniswapV3Pool): UniswapV3Pool {
    return this.#moved.get(mirrored.identity.address) ?? mirrored;
  }

  with(pool: UniswapV3Pool): PerpDepth {
    return new PerpDepth(this.#lens, new Map([...this.#moved, [pool.identity.address, pool]]));
  }

  after(fill: Fill): PerpDepth {
    return this.with(CloseFill.of(fill).close.after);
  }
}

class CloseFill implements Fill {
  readonly ok = true;
  readonly venue: string;
  readonly base: Address;
  readonly clearingHouse: Address;
  readonly tokenIn: Address;
  readonly tokenOut: Address;
  readonly amountInRaw: bigint;
  readonly amountOutRaw: bigint;
  readonly pools: readonly Address[];
  readonly gasUnits: bigint;
  readonly label: string;
  readonly close: Close;

  /** @param sizeWad what is closed, above zero for a long position */
  constructor(venue: string, { base, symbol }: PerpMarket, { quote, clearingHouse }: Contracts, sizeWad: bigint, close: Close) {
    const long = sizeWad > 0n;
    this.venue = venue;
    this.base = base;
    this.clearingHouse = clearingHouse;
    [this.tokenIn, this.tokenOut] = long ? [base, quote] : [quote, base];
    [this.amountInRaw, this.amountOutRaw] = long ? [sizeWad, close.quoteWad] : [close.quoteWad, -sizeWad];
    this.pools = [close.before.identity.address];
    this.gasUnits = CLOSE_GAS + BigInt(close.crossed) * STEP_GAS;
    this.label = long ? `close long ${symbol}` : `close short ${symbol}`;
    this.close = close;
  }

  get path(): readonly Address[] {
    return [this.tokenIn, this.tokenOut];
  }

  static of(fill: Fill): CloseFill {
    if (!(fill instanceof CloseFill)) throw new TypeError(`the fill ${fill.label} closes no position`);
    return fill;
  }
}

export class PerpExchange implements OwnExchange {
  readonly name: string;
  readonly #state: () => PerpState | undefined;
  readonly #lens: (at: Moment) => Lens;

  /** @param state undefined until it was read: nothing is traded then, and nobody else's exchanges are held up */
  constructor(name: string, state: () => PerpState | undefined, lens: (at: Moment) => Lens) {
    this.name = name;
    this.#state = state;
    this.#lens = lens;
  }

  trades(tokenIn: Address, tokenOut: Address): boolean {
    const state = this.#state();
    if (state === undefined) return false;
    const { markets, contracts } = state;
    return (tokenOut === contracts.quote && markets.has(tokenIn)) || (tokenIn === contracts.quote && markets.has(tokenOut));
  }

  depth(at: Moment): Depth {
    return new PerpDepth(() => this.#lens(at));
  }

  /** The depth when these orders are cancelled, by base token. */
  cancelled(at: Depth, orders: ReadonlyMap<Address, readonly Order[]>): Depth {
    let depth = PerpDepth.of(at);
    for (const [base, all] of orders) {
      const market = this.#state()?.markets.get(base);
      if (market !== undefined) depth = depth.with(withoutOrders(depth.pool(market.pool), all));
    }
    return depth;
  }

  /** Closing has fees and limits of its own: nothing is said before it is quoted. */
  spot(): undefined {
    return undefined;
  }

  /** Closes a long position of exactly this size. */
  quoteIn(tokenIn: Address, tokenOut: Address, amountInRaw: bigint, at: Depth): Fill | NoFill {
    const state = this.#state();
    return tokenOut === state?.contracts.quote ? this.#fill(state, tokenIn, amountInRaw, at) : NO_ROUTE;
  }

  /** Closes a short position of exactly this size. */
  quoteOut(tokenIn: Address, tokenOut: Address, amountOutRaw: bigint, at: Depth): Fill | NoFill {
    const state = this.#state();
    return tokenIn === state?.contracts.quote ? this.#fill(state, tokenOut, -amountOutRaw, at) : NO_ROUTE;
  }

  /** NOTE: whatever is there is closed, as far as the market lets it: what would be left over is for the Executor's meter to count as lost. */
  steps(fill: Fill): readonly Step[] {
    const { base, clearingHouse } = CloseFill.of(fill);
    return [closeStep(clearingHouse, base, 0n)];
  }

  #fill({ markets, contracts }: PerpState, base: Address, sizeWad: bigint, at: Depth): Fill | NoFill {
    const depth = PerpDepth.of(at);
    const market = markets.get(base);
    const now = market === undefined ? undefined : depth.lens.market(market);
    if (market === undefined || now === undefined || typeof now === 'string') return NO_ROUTE;
    const close = closeAt(now, depth.lens.at.timestamp, depth.pool(market.pool), sizeWad);
    return close.ok ? new CloseFill(this.name, market, contracts, sizeWad, close) : { ok: false, reason: 'too-thin' };
  }
}

const NO_ROUTE: NoFill = { ok: false, reason: 'no-route' };

/** @param bound least quote for a long position, most for a short one, of all of it; 0 for any */
export function closeStep(clearingHouse: Address, baseToken: Address, bound: bigint): Step {
  const params = { baseToken, sqrtPriceLimitX96: 0n, oppositeAmountBound: bound, deadline: MAX_UINT256, referralCode: NO_CODE };
  const data = encodeFunctionData({ abi: closeAbi, functionName: 'closePosition', args: [params] });
  return { kind: 'call', target: clearingHouse, valueWei: 0n, data };
}

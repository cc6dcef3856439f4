/** Fills carried out, by their own calldata, at pools that others have moved since they were quoted. */
import type { Address } from '../lib/types.ts';
import { RoutedFill } from './depth.ts';
import { takenUntil } from './outline.ts';
import { type Pool, tokenInOf, tokenOutOf } from './pool.ts';
import type { Route } from './routing.ts';
import type { Fill, InputAmount } from './types.ts';

/** By how much others move a pool's price of token0 in token1: its logarithm. */
export type MoveOf = (pool: Pool) => number;

/**
 * The pool once a trade of somebody else's has moved its price, of token0 in token1, by a factor of e^move. Undefined where there is not the liquidity for it;
 * itself where the move is less than a raw unit's.
 */
export function movedBy(pool: Pool, move: number): Pool | undefined {
  if (move === 0) return pool;
  const zeroForOne = move < 0;
  const outline = pool.outline(zeroForOne);
  const [start] = outline.from;
  if (start === undefined) return undefined;
  // The price at the margin is 1/s² of what comes out.
  const amountRaw = BigInt(Math.floor(takenUntil(outline, start * Math.exp(Math.abs(move) / 2))));
  return amountRaw === 0n ? pool : pool.sell(zeroForOne, amountRaw)?.after;
}

/** Whether a hop takes all that is held of its token: the last one that sells it does, where what comes in is not told to it. */
function takesAll(fill: Fill, hops: Route, index: number, input: InputAmount, numeraire: Address): boolean {
  const exact = input === 'gain' ? 'in' : hops[0].exact;
  const hop = hops[index]!;
  const token = tokenInOf(hop);
  const last = !hops.slice(index + 1).some((later) => tokenInOf(later) === token);
  const follows = token === fill.tokenIn ? input === 'gain' : exact === 'in' && token !== numeraire;
  return last && follows && !hop.before.asPlanned;
}

/** The pools whose next move, if it is one against the fill, makes it fail: it then gives or leaves less than another swap of it was told to take. */
export function brittleAt(fill: Fill, input: InputAmount, numeraire: Address): readonly Address[] {
  const hops = RoutedFill.hopsOf(fill);
  const exact = input === 'gain' ? 'in' : hops[0].exact;
  return hops.flatMap((hop, index) => {
    const { before } = hop;
    if (before.asPlanned) return [before.identity.address];
    const token = tokenInOf(hop);
    if (token === fill.tokenIn || takesAll(fill, hops, index, input, numeraire)) return [];
    // Told to buy, it asks for more than was bought for it; told to sell, there may be less to sell.
    if (exact === 'out') return [before.identity.address];
    return hops.filter((other) => tokenOutOf(other) === token).map((other) => other.before.identity.address);
  });
}

/** What an Executor holds, and the pools as they are, while fills are carried out one after another. */
export class Replay {
  readonly #moveOf: MoveOf;
  readonly #numeraire: Address;
  readonly #pools = new Map<Address, Pool>();
  readonly #heldRaw = new Map<Address, bigint>();

  constructor(moveOf: MoveOf, numeraire: Address) {
    this.#moveOf = moveOf;
    this.#numeraire = numeraire;
  }

  heldRaw(token: Address): bigint {
    return this.#heldRaw.get(token) ?? 0n;
  }

  add(token: Address, deltaRaw: bigint): void {
    this.#heldRaw.set(token, this.heldRaw(token) + deltaRaw);
  }

  /**
   * False where the pools refuse it, or more is asked for than there is. Hops take what `PoolRouter.steps` has them take: the amount that was planned, or all
   * that is held of a token.
   */
  carryOut(fill: Fill, input: InputAmount): boolean {
    const hops = RoutedFill.hopsOf(fill);
    const exact = input === 'gain' ? 'in' : hops[0].exact;
    for (const [index, hop] of hops.entries()) {
      const [tokenIn, tokenOut] = [tokenInOf(hop), tokenOutOf(hop)];
      const { address } = hop.before.identity;
      const pool = this.#pools.get(address) ?? movedBy(hop.before, this.#moveOf(hop.before));
      if (pool === undefined) return false;
      const amountInRaw = takesAll(fill, hops, index, input, this.#numeraire) ? this.heldRaw(tokenIn) : hop.amountInRaw;
      if (amountInRaw <= 0n) return false;
      const done = exact === 'in' || pool.asPlanned ? pool.sell(hop.zeroForOne, amountInRaw) : pool.buy(hop.zeroForOne, hop.amountOutRaw);
      if (done === undefined || done.amountInRaw > this.heldRaw(tokenIn)) return false;
      if (pool.asPlanned && done.amountOutRaw < hop.amountOutRaw) return false;
      this.#pools.set(address, done.after);
      this.add(tokenIn, -done.amountInRaw);
      this.add(tokenOut, pool.asPlanned ? hop.amountOutRaw : done.amountOutRaw);
    }
    return true;
  }
}

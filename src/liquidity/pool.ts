import type { Step } from '../lib/steps.ts';
import type { Address } from '../lib/types.ts';
import type { Outline } from './outline.ts';

/** Who a pool is; this never changes. `token0 < token1`. */
export type PoolIdentity = {
  /** The pool's own; where pools share a contract, the id by which it knows this one. */
  readonly address: Address;
  readonly token0: Address;
  readonly token1: Address;
  /** Hundredths of a basis point, off the input. */
  readonly feePips: number;
};

/** One exchange with one pool. */
export type Hop = {
  readonly before: Pool;
  readonly after: Pool;
  readonly zeroForOne: boolean;
  readonly exact: 'in' | 'out';
  readonly amountInRaw: bigint;
  readonly amountOutRaw: bigint;
  readonly gasUnits: bigint;
};

/** How a hop's calldata is made. */
export type HopOrder = {
  readonly exact: 'in' | 'out';
  /** Who gets the output. */
  readonly recipient: Address;
  /** Sell the Executor's gain of the input token instead of the hop's amount, where the pool's swap can take an input that is not planned. */
  readonly sellGain: boolean;
};

/** A pool's state at one moment, as a value: quoting changes nothing, and an exchange ends in another `Pool`. */
export interface Pool {
  readonly identity: PoolIdentity;
  /** Its steps exchange the amounts that were planned, or revert; others give what they give for what they get. */
  readonly asPlanned?: true;
  /** The contract that has its tokens. */
  readonly holder: Address;
  /** What that holds of them, about. */
  readonly heldRaw: readonly [token0: bigint, token1: bigint];
  /** Sells exactly `amountInRaw`; undefined when the pool cannot take it all. Amounts are above 0. */
  sell(zeroForOne: boolean, amountInRaw: bigint): Hop | undefined;
  /** Buys exactly `amountOutRaw`; undefined when the pool cannot give that. Amounts are above 0. */
  buy(zeroForOne: boolean, amountOutRaw: bigint): Hop | undefined;
  /** About what it gives for how much, as far as it is worth knowing: what amounts are searched with before they are quoted. */
  outline(zeroForOne: boolean): Outline;
  /** The input token is in the Executor's hands when these steps run. */
  steps(hop: Hop, order: HopOrder): readonly Step[];
}

export function tokenInOf(hop: Hop): Address {
  return hop.zeroForOne ? hop.before.identity.token0 : hop.before.identity.token1;
}

export function tokenOutOf(hop: Hop): Address {
  return hop.zeroForOne ? hop.before.identity.token1 : hop.before.identity.token0;
}

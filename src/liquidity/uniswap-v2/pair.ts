import { parseAbiItem } from 'viem';
import { calldataOf } from '../../lib/calldata.ts';
import type { Step } from '../../lib/steps.ts';
import type { Address } from '../../lib/types.ts';
import { NO_OUTLINE, type Outline } from '../outline.ts';
import { type Hop, type HopOrder, type Pool, type PoolIdentity, tokenInOf } from '../pool.ts';

const swap = calldataOf(parseAbiItem('function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes data)'));
const transfer = calldataOf(parseAbiItem('function transfer(address to, uint256 amount) returns (bool)'));

/** 0.3%, in the contract for good. */
export const FEE_PIPS = 3_000;
const KEPT = 997n;
const WHOLE = 1_000n;
/** What is left of an amount after the fee. */
const LEFT = Number(KEPT) / Number(WHOLE);
/** `UniswapV2Pair._update` refuses reserves that do not fit into a uint112. */
const MAX_RESERVE = (1n << 112n) - 1n;

/**
 * Gas of a transfer to the pair and its swap, measured like that of v3 pools (uniswap-v3/gas.ts): 65,000, and 20,000 more where the Executor
 * holds none of the output token. A pair's very first swap costs 116,000.
 */
const SWAP_GAS = 86_000n;

/**
 * A v2 pair's reserves.
 *
 * NOTE: tokens sent to a pair unasked count as reserves only from its next swap on. A fill planned behind another at the same pair may then
 * be refused by it. NOTE: a token that takes a fee on its transfers is not noticed here, but by trial (transfers.ts).
 */
export class UniswapV2Pair implements Pool {
  readonly identity: PoolIdentity;
  readonly asPlanned = true;
  readonly reserve0Raw: bigint;
  readonly reserve1Raw: bigint;

  constructor(identity: PoolIdentity, reserve0Raw: bigint, reserve1Raw: bigint) {
    this.identity = identity;
    this.reserve0Raw = reserve0Raw;
    this.reserve1Raw = reserve1Raw;
  }

  get holder(): Address {
    return this.identity.address;
  }

  get heldRaw(): readonly [bigint, bigint] {
    return [this.reserve0Raw, this.reserve1Raw];
  }

  /** `UniswapV2Library.getAmountOut`. */
  sell(zeroForOne: boolean, amountInRaw: bigint): Hop | undefined {
    const [reserveIn, reserveOut] = this.#reserves(zeroForOne);
    if (reserveIn === 0n || reserveOut === 0n || amountInRaw <= 0n) return undefined;
    const afterFee = amountInRaw * KEPT;
    return this.#hop(zeroForOne, 'in', amountInRaw, (afterFee * reserveOut) / (reserveIn * WHOLE + afterFee));
  }

  /** `UniswapV2Library.getAmountIn`. */
  buy(zeroForOne: boolean, amountOutRaw: bigint): Hop | undefined {
    const [reserveIn, reserveOut] = this.#reserves(zeroForOne);
    if (reserveIn === 0n || amountOutRaw >= reserveOut || amountOutRaw <= 0n) return undefined;
    return this.#hop(zeroForOne, 'out', (reserveIn * amountOutRaw * WHOLE) / ((reserveOut - amountOutRaw) * KEPT) + 1n, amountOutRaw);
  }

  outline(zeroForOne: boolean): Outline {
    const [reserveIn, reserveOut] = this.#reserves(zeroForOne).map(Number) as [number, number];
    if (reserveIn === 0 || reserveOut === 0) return NO_OUTLINE;
    return {
      from: [Math.sqrt(reserveIn / (LEFT * reserveOut))],
      depth: [Math.sqrt((reserveIn * reserveOut) / LEFT)],
      to: Number.POSITIVE_INFINITY,
    };
  }

  /**
   * A transfer to the pair, then the swap. NOTE: a pair is told what to give, so both amounts are always the planned ones; what the Executor
   * gained beyond that it keeps.
   */
  steps(hop: Hop, order: HopOrder): readonly Step[] {
    const { address } = this.identity;
    const [amount0Out, amount1Out] = hop.zeroForOne ? [0n, hop.amountOutRaw] : [hop.amountOutRaw, 0n];
    return [
      { kind: 'call', target: tokenInOf(hop), valueWei: 0n, data: transfer(address, hop.amountInRaw) },
      { kind: 'call', target: address, valueWei: 0n, data: swap(amount0Out, amount1Out, order.recipient, '0x') },
    ];
  }

  #reserves(zeroForOne: boolean): readonly [bigint, bigint] {
    return zeroForOne ? [this.reserve0Raw, this.reserve1Raw] : [this.reserve1Raw, this.reserve0Raw];
  }

  #hop(zeroForOne: boolean, exact: 'in' | 'out', amountInRaw: bigint, amountOutRaw: bigint): Hop | undefined {
    const reserve0Raw = this.reserve0Raw + (zeroForOne ? amountInRaw : -amountOutRaw);
    const reserve1Raw = this.reserve1Raw + (zeroForOne ? -amountOutRaw : amountInRaw);
    if (amountOutRaw === 0n || reserve0Raw > MAX_RESERVE || reserve1Raw > MAX_RESERVE) return undefined;
    const after = new UniswapV2Pair(this.identity, reserve0Raw, reserve1Raw);
    return { before: this, after, zeroForOne, exact, amountInRaw, amountOutRaw, gasUnits: SWAP_GAS };
  }
}

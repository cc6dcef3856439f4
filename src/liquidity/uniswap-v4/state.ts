/** The words that a pool's state is packed into. */
import type { Curve } from '../concentrated/swap.ts';
import type { FeesPips } from '../concentrated/tick-curve.ts';

const PIPS = 1_000_000;
const TICK_BITS = 24;

export type Slot0 = Pick<Curve, 'sqrtPriceX96'> & { readonly tick: number; readonly fees: FeesPips };

/** `Slot0`. */
export function unpackSlot0(word: bigint): Slot0 {
  return {
    sqrtPriceX96: BigInt.asUintN(160, word),
    tick: Number(BigInt.asIntN(TICK_BITS, word >> 160n)),
    fees: feesOf(Number(BigInt.asUintN(24, word >> 208n)), Number(BigInt.asUintN(24, word >> 184n))),
  };
}

/** `TickInfo`, its first word. */
export function unpackTick(word: bigint): { readonly gross: bigint; readonly net: bigint } {
  return { gross: BigInt.asUintN(128, word), net: BigInt.asIntN(128, word >> 128n) };
}

/** What a swap pays, to liquidity providers and to the protocol, whose fee has a part for each direction (`ProtocolFeeLibrary`). */
export function feesOf(lpFeePips: number, protocolFee: number): FeesPips {
  const withProtocol = (pips: number) => pips + lpFeePips - Math.floor((pips * lpFeePips) / PIPS);
  return { zeroForOne: withProtocol(protocolFee & 0xfff), oneForZero: withProtocol(protocolFee >> 12) };
}

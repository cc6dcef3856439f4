/** Enter steps on a CallbackDouble, which calls back with whatever calldata a test hands it. */
import { type AbiFunction, encodeFunctionData, parseAbiItem, toFunctionSelector } from 'viem';
import type { AnnouncedCallback, Step } from '../../src/lib/steps.ts';
import type { Hex } from '../../src/lib/types.ts';
import { type Contract, call } from './world.ts';

export const swapSignature = 'uniswapV3SwapCallback(int256,int256,bytes)';

export function encodeCallback(signature: string, args: readonly unknown[]): Hex {
  return encodeFunctionData({ abi: [parseAbiItem(`function ${signature}` as string) as AbiFunction], args: [...args] });
}

export function swapCallback(payload: Hex, amount0 = 0n, amount1 = 0n): Hex {
  return encodeCallback(swapSignature, [amount0, amount1, payload]);
}

export function announceFrom(pool: Contract, payload: Hex, overrides: Partial<AnnouncedCallback> = {}): AnnouncedCallback {
  return { caller: pool.address, selector: toFunctionSelector(swapSignature), argument: 2, payload, answer: '0x', ...overrides };
}

/** Enters `pool`'s function; by default the pool calls back as announced. */
export function enterPool(
  pool: Contract,
  payload: Hex,
  functionName = 'callBack',
  args: readonly unknown[] = [swapCallback(payload)],
  callback = announceFrom(pool, payload),
): Step {
  return { ...call(pool, functionName, args), kind: 'enter', callback };
}

/**
 * A swap through the Executor: the manager is unlocked, and in its callback the swap is made, what it asks for paid, and what it gives taken. Both amounts are
 * looked up when they are known, after the swap, so that they follow pools that are other than planned.
 */
import { concatHex, numberToHex } from 'viem';
import { getAbiItem } from 'viem/utils';
import { calldataOf } from '../../lib/calldata.ts';
import { encodeSteps } from '../../lib/encode-steps.ts';
import type { AmountPatch, Step } from '../../lib/steps.ts';
import type { Address, Hex } from '../../lib/types.ts';
import { MAX_SQRT_PRICE_X96, MIN_SQRT_PRICE_X96 } from '../concentrated/tick-math.ts';
import { EXTTLOAD, managerAbi, tokenAbi, UNLOCK_CALLBACK } from './abi.ts';
import { deltaSlot, NONE, type PoolKey } from './key.ts';

export type Manager = { readonly address: Address; readonly wrappedNative: Address };

const swap = calldataOf(getAbiItem({ abi: managerAbi, name: 'swap' }));
const unlock = calldataOf(getAbiItem({ abi: managerAbi, name: 'unlock' }));
const sync = calldataOf(getAbiItem({ abi: managerAbi, name: 'sync' }));
const take = calldataOf(getAbiItem({ abi: managerAbi, name: 'take' }));
const transfer = calldataOf(getAbiItem({ abi: tokenAbi, name: 'transfer' }));
const SETTLE = calldataOf(getAbiItem({ abi: managerAbi, name: 'settle' }))();
const DEPOSIT = calldataOf(getAbiItem({ abi: tokenAbi, name: 'deposit' }))();
const WITHDRAW = calldataOf(getAbiItem({ abi: tokenAbi, name: 'withdraw' }))(0n);

/** Words of calldata, after the selector: of `swap` behind the key and the direction, of `transfer` and `take` the last one. */
const SPECIFIED = 4 + 6 * 32;
const TRANSFERRED = 4 + 32;
const TAKEN = 4 + 2 * 32;
const WITHDRAWN = 4;
/** A single zero word reads as empty `bytes`: an offset of 0 to a length of 0. */
const NOTHING = numberToHex(0, { size: 32 });

/** @param amount as the manager wants it: below 0 for an exact input; replaced by the Executor's gain of the input token with `sellGain` */
export function swapSteps(
  manager: Manager,
  key: PoolKey,
  zeroForOne: boolean,
  amount: bigint,
  sellGain: boolean,
  executor: Address,
): readonly Step[] {
  const [currencyIn, currencyOut] = zeroForOne ? [key.currency0, key.currency1] : [key.currency1, key.currency0];
  const sqrtPriceLimitX96 = zeroForOne ? MIN_SQRT_PRICE_X96 + 1n : MAX_SQRT_PRICE_X96 - 1n;
  const { currency0, currency1, feePips, spacing } = key;
  const poolKey = { currency0, currency1, fee: feePips, tickSpacing: spacing, hooks: NONE };
  const swapped = swap(poolKey, { zeroForOne, amountSpecified: amount, sqrtPriceLimitX96 }, '0x');
  const tokenIn = currencyIn === NONE ? manager.wrappedNative : currencyIn;
  const gain: AmountPatch = { token: tokenIn, negated: true, offset: SPECIFIED };
  const payload = encodeSteps([
    call(manager.address, swapped, sellGain ? gain : undefined),
    ...paySteps(manager, currencyIn, executor),
    ...takeSteps(manager, currencyOut, executor),
  ]);
  const data = unlock(payload);
  const callback = { caller: manager.address, selector: UNLOCK_CALLBACK, argument: 0, payload, answer: NOTHING } as const;
  return [{ kind: 'enter', target: manager.address, valueWei: 0n, data, callback }];
}

/** NOTE: `sync` comes first for the native token too: somebody else's, left behind, would make the manager refuse it. */
function paySteps(manager: Manager, currency: Address, executor: Address): readonly Step[] {
  const synced = call(manager.address, sync(currency));
  const owed = (offset: number | 'value'): AmountPatch => ({ ...deltaOf(manager, currency, executor), negated: true, offset });
  if (currency === NONE)
    return [call(manager.wrappedNative, WITHDRAW, owed(WITHDRAWN)), synced, call(manager.address, SETTLE, owed('value'))];
  const paid = transfer(manager.address, 0n);
  return [synced, call(currency, paid, owed(TRANSFERRED)), call(manager.address, SETTLE)];
}

function takeSteps(manager: Manager, currency: Address, executor: Address): readonly Step[] {
  const data = take(currency, executor, 0n);
  const taken = call(manager.address, data, { ...deltaOf(manager, currency, executor), offset: TAKEN });
  return currency === NONE ? [taken, call(manager.wrappedNative, DEPOSIT, { token: NONE, offset: 'value' })] : [taken];
}

/** What the manager owes the Executor, or, below 0, is owed. */
function deltaOf(manager: Manager, currency: Address, executor: Address) {
  return { look: { target: manager.address, data: concatHex([EXTTLOAD, deltaSlot(executor, currency)]) } };
}

function call(target: Address, data: Hex, patch?: AmountPatch): Step {
  return { kind: 'call', target, valueWei: 0n, data, ...(patch === undefined ? {} : { patch }) };
}

/** What names a v4 pool, and where the manager keeps it. Hookless pools only: a hook may change what a swap comes to. */
import { encodeAbiParameters, parseAbiParameters } from 'viem';
import { keccak256 } from '../../lib/keccak.ts';
import type { Address, Hex } from '../../lib/types.ts';
import type { PoolIdentity } from '../pool.ts';

/** The native token, and no hooks. */
export const NONE: Address = '0x0000000000000000000000000000000000000000';

/** `PoolKey`, without its hooks. `currency0 < currency1`. */
export type PoolKey = { readonly currency0: Address; readonly currency1: Address; readonly feePips: number; readonly spacing: number };

/** A pool as the router sees it: the wrapped native token in place of the native one. `flipped`: its tokens then come in the other order. */
export type Listing = { readonly key: PoolKey; readonly identity: PoolIdentity; readonly flipped: boolean };

const KEY = parseAbiParameters('address, address, uint24, int24, address');
const MAPPED = parseAbiParameters('uint256, uint256');

/** `PoolId`. */
export function idOf({ currency0, currency1, feePips, spacing }: PoolKey): Hex {
  return keccak256(encodeAbiParameters(KEY, [currency0, currency1, feePips, spacing, NONE]));
}

/** Undefined for a pool between the native token and its own wrapper. */
export function listingOf(key: PoolKey, wrappedNative: Address): Listing | undefined {
  const token = key.currency0 === NONE ? wrappedNative : key.currency0;
  if (token === key.currency1) return undefined;
  const flipped = token > key.currency1;
  const [token0, token1] = flipped ? [key.currency1, token] : [token, key.currency1];
  return { key, identity: { address: idOf(key), token0, token1, feePips: key.feePips }, flipped };
}

/** Slots of a pool's state (`StateLibrary`). */
export type PoolSlots = {
  readonly slot0: bigint;
  readonly liquidity: bigint;
  bitmap(word: number): bigint;
  tick(tick: number): bigint;
};

const POOLS = 6n;
const LIQUIDITY = 3n;
const TICKS = 4n;
const TICK_BITMAP = 5n;

export function slotsOf(id: Hex): PoolSlots {
  const slot0 = mapped(BigInt(id), POOLS);
  return {
    slot0,
    liquidity: slot0 + LIQUIDITY,
    bitmap: (word) => mapped(BigInt(word), slot0 + TICK_BITMAP),
    tick: (tick) => mapped(BigInt(tick), slot0 + TICKS),
  };
}

/** Where a mapping keeps the value of a key, which may be negative. */
function mapped(key: bigint, mapping: bigint): bigint {
  return BigInt(keccak256(encodeAbiParameters(MAPPED, [BigInt.asUintN(256, key), BigInt.asUintN(256, mapping)])));
}

/** The transient slot of what the manager owes `account`, or is owed (`CurrencyDelta`). */
export function deltaSlot(account: Address, currency: Address): Hex {
  return keccak256(encodeAbiParameters(MAPPED, [BigInt(account), BigInt(currency)]));
}

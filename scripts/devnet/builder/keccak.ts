import { createKeccak } from 'hash-wasm';
import type { Hex } from 'viem';

const hasher = await createKeccak(256);

/** As real relays hash, natively fast: in JavaScript a full bundle's bytes and body would take the better part of the time before its slot. */
export function keccak256(data: Hex | Uint8Array): Hex {
  return `0x${hasher
    .init()
    .update(typeof data === 'string' ? Buffer.from(data.slice(2), 'hex') : data)
    .digest('hex')}`;
}

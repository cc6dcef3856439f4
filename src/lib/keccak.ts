import { createKeccak } from 'hash-wasm';
import type { Hex } from './types.ts';

const hasher = await createKeccak(256);

/** keccak256, some fifteen times as fast as in JavaScript: what is sent is hashed several times over on its way, and a block's worth has a hundred kilobytes. */
export function keccak256(data: Hex | Uint8Array): Hex {
  const bytes = typeof data === 'string' ? Buffer.from(data.slice(2), 'hex') : data;
  return `0x${hasher.init().update(bytes).digest('hex')}`;
}

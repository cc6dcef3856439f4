import { signRecoverable } from 'tiny-secp256k1';
import type { Hex } from './types.ts';

export type Signature = { readonly r: Hex; readonly s: Hex; readonly yParity: 0 | 1 };

/**
 * Signs a hash by RFC 6979, with the lower s, as every Ethereum library does; in libsecp256k1, which takes a third of what JavaScript does. Throws for what is
 * no key.
 */
export function signHash(hash: Hex, privateKey: Hex): Signature {
  const { signature, recoveryId } = signRecoverable(bytesOf(hash), bytesOf(privateKey));
  const hex = Buffer.from(signature.buffer, signature.byteOffset, signature.byteLength).toString('hex');
  return { r: `0x${hex.slice(0, 64)}`, s: `0x${hex.slice(64)}`, yParity: (recoveryId & 1) as 0 | 1 };
}

function bytesOf(word: Hex): Uint8Array {
  return Buffer.from(word.slice(2), 'hex');
}

import { recover, signRecoverable } from 'tiny-secp256k1';
import { keccak256 } from './keccak.ts';
import type { Address, Hex } from './types.ts';

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

/** Who signed a hash, or undefined where nobody can have. */
export function signerOf(hash: Hex, { r, s, yParity }: Signature): Address | undefined {
  try {
    const point = recover(bytesOf(hash), Buffer.concat([bytesOf(r), bytesOf(s)]), yParity, false);
    return point === null ? undefined : `0x${keccak256(point.subarray(1)).slice(-40)}`;
  } catch {
    return undefined;
  }
}

function bytesOf(word: Hex): Uint8Array {
  return Buffer.from(word.slice(2), 'hex');
}

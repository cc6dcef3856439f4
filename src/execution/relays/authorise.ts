import { privateKeyToAccount } from 'viem/accounts';
import { signHash } from '../../lib/ecdsa.ts';
import { keccak256 } from '../../lib/keccak.ts';
import type { Hex } from '../../lib/types.ts';

/** Who sends this body: `X-Flashbots-Signature`. */
export type Authorise = (body: Uint8Array) => string;

/** EIP-191, of the 66 characters of a hash in hex. */
const PREFIX = '\x19Ethereum Signed Message:\n66';

/** The address of the key, and its signature over the body's keccak256 as text (docs.flashbots.net, "Authentication"). */
export function authoriser(privateKey: Hex): Authorise {
  const { address } = privateKeyToAccount(privateKey);
  return (body) => {
    const hash = keccak256(Buffer.from(PREFIX + keccak256(body), 'latin1'));
    const { r, s, yParity } = signHash(hash, privateKey);
    return `${address}:${r}${s.slice(2)}${yParity === 0 ? '1b' : '1c'}`;
  };
}

import { serializeSignature } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { keccak256 } from '../../lib/keccak.ts';
import type { Hex } from '../../lib/types.ts';

/** Who sends this body: `X-Flashbots-Signature`. */
export type Authorise = (body: string) => Promise<string>;

/** EIP-191, of the 66 characters of a hash in hex. */
const PREFIX = '\x19Ethereum Signed Message:\n66';

/** The address of the key, and its signature over the body's keccak256 as text (docs.flashbots.net, "Authentication"). */
export function authoriser(privateKey: Hex): Authorise {
  const { address } = privateKeyToAccount(privateKey);
  return async (body) => {
    const hash = keccak256(Buffer.from(PREFIX + keccak256(Buffer.from(body))));
    return `${address}:${serializeSignature(await sign({ hash, privateKey }))}`;
  };
}

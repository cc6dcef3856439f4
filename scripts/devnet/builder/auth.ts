/** Flashbots' request signature: `X-Flashbots-Signature: address:signature`, an EIP-191 signature over the hex of keccak256(body). */
import { type Address, type Hex, hashMessage, isAddress, parseSignature } from 'viem';
import { keccak256 } from './keccak.ts';
import { recoverSigner } from './recover.ts';
import type { Signed } from './transaction.ts';

export type Authenticated = { ok: true; signer: Address } | { ok: false; message: string };

const SIGNATURE = /^0x[0-9a-f]{130}$/i;

export function authenticate(body: string, header: string | undefined): Authenticated {
  if (!header) return { ok: false, message: 'missing X-Flashbots-Signature header' };
  const [address, signature, ...rest] = header.split(':');
  const signed = signature && SIGNATURE.test(signature) ? split(hashMessage(keccak256(Buffer.from(body))), signature as Hex) : undefined;
  if (!address || !isAddress(address, { strict: false }) || !signed || rest.length > 0) {
    return { ok: false, message: 'malformed X-Flashbots-Signature header: expected address:signature' };
  }
  const signer = recoverSigner(signed);
  if (signer !== address.toLowerCase())
    return { ok: false, message: 'X-Flashbots-Signature does not match: this address did not sign this body' };
  return { ok: true, signer };
}

function split(digest: Hex, signature: Hex): Signed | undefined {
  try {
    const { r, s, yParity } = parseSignature(signature);
    return { digest, r, s, yParity: yParity === 0 ? 0 : 1 };
  } catch {
    return undefined;
  }
}

import { privateKeyToAccount } from 'viem/accounts';
import { signHash } from '../lib/ecdsa.ts';
import { Eip1559Bytes } from '../lib/eip1559.ts';
import { keccak256 } from '../lib/keccak.ts';
import type { Address, Hex } from '../lib/types.ts';
import type { Lane } from './types.ts';

/** A sender whose key is held in this process. EIP-1559 transactions only. */
export function keyLane(privateKey: Hex): Lane {
  const { address } = privateKeyToAccount(privateKey);
  return {
    address: address.toLowerCase() as Address,
    async sign(transaction) {
      const bytes = new Eip1559Bytes({ ...transaction, accessList: [] });
      const raw = bytes.signed(signHash(keccak256(bytes.unsigned), privateKey));
      return { raw, txHash: keccak256(raw) };
    },
  };
}

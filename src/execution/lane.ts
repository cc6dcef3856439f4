import { serializeTransaction } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { signHash } from '../lib/ecdsa.ts';
import { keccak256 } from '../lib/keccak.ts';
import type { Address, Hex } from '../lib/types.ts';
import type { Lane } from './types.ts';

/** A sender whose key is held in this process. EIP-1559 transactions only. */
export function keyLane(privateKey: Hex): Lane {
  const { address } = privateKeyToAccount(privateKey);
  return {
    address: address.toLowerCase() as Address,
    async sign(transaction) {
      const fields = {
        type: 'eip1559',
        chainId: transaction.chainId,
        nonce: transaction.nonce,
        to: transaction.to,
        data: transaction.data,
        value: transaction.valueWei,
        gas: transaction.gasLimit,
        maxFeePerGas: transaction.maxFeeWei,
        maxPriorityFeePerGas: transaction.priorityFeeWei,
      } as const;
      const signature = signHash(keccak256(serializeTransaction(fields) as Hex), privateKey);
      const raw = serializeTransaction(fields, signature) as Hex;
      return { raw, txHash: keccak256(raw) };
    },
  };
}

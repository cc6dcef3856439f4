import { keccak256, type Hex as ViemHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Address, Hex } from '../lib/types.ts';
import type { Lane } from './types.ts';

/** A sender whose key is held in this process. EIP-1559 transactions only. */
export function keyLane(privateKey: ViemHex): Lane {
  const account = privateKeyToAccount(privateKey);
  return {
    address: account.address.toLowerCase() as Address,
    async sign(transaction) {
      const raw = await account.signTransaction({
        type: 'eip1559',
        chainId: transaction.chainId,
        nonce: transaction.nonce,
        to: transaction.to,
        data: transaction.data,
        value: transaction.valueWei,
        gas: transaction.gasLimit,
        maxFeePerGas: transaction.maxFeeWei,
        maxPriorityFeePerGas: transaction.priorityFeeWei,
      });
      return { raw: raw as Hex, txHash: keccak256(raw) };
    },
  };
}

import { signRecoverable } from 'tiny-secp256k1';
import { type Hex, keccak256, serializeTransaction, stringToHex, type TransactionSerializable } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';

/** Accounts of the devnet: the same role gives the same key on every run. Worthless anywhere else. */
export type Role =
  | 'deployer'
  | 'keeper'
  | 'lane'
  | 'treasury'
  | 'competitor'
  | 'arbitrageur'
  | 'builder'
  | 'supplier'
  | 'borrower'
  | 'legacy borrower';

export function devKey(role: Role, index = 0, seed = 0): Hex {
  return keccak256(stringToHex(`bailiff devnet ${role} ${index} ${seed}`));
}

export function devAccount(role: Role, index = 0, seed = 0): PrivateKeyAccount {
  return accountOf(devKey(role, index, seed));
}

const WORD_DIGITS = 64;

/** As viem's, to the bit, but for the time that a signature takes: a market of thousands of borrowers is opened by tens of thousands of transactions. */
export function accountOf(privateKey: Hex): PrivateKeyAccount {
  const key = Buffer.from(privateKey.slice(2), 'hex');
  const signTransaction = async (transaction: TransactionSerializable) => {
    const hash = Buffer.from(keccak256(serializeTransaction(transaction), 'bytes'));
    const { signature, recoveryId } = signRecoverable(hash, key);
    const hex = Buffer.from(signature).toString('hex');
    return serializeTransaction(transaction, {
      r: `0x${hex.slice(0, WORD_DIGITS)}`,
      s: `0x${hex.slice(WORD_DIGITS)}`,
      yParity: recoveryId & 1,
    });
  };
  return { ...privateKeyToAccount(privateKey), signTransaction: signTransaction as PrivateKeyAccount['signTransaction'] };
}

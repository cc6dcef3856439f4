import { type Hex, keccak256, stringToHex } from 'viem';
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
  return privateKeyToAccount(devKey(role, index, seed));
}

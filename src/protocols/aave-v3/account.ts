import type { Address } from '../../lib/types.ts';
import type { Slot } from '../types.ts';
import { Accounts } from './accounts.ts';
import type { FixedDebt } from './interest.ts';

/** One account as it stands now, for those who look at few. */
export type Account = {
  readonly address: Address;
  /** False between the log that reveals an account and the read of its state at the end of that block. */
  readonly known: boolean;
  readonly eMode: number;
  /** Ids of reserves flagged as collateral. */
  readonly collateral: ReadonlySet<number>;
  /** Scaled aToken balances by reserve id, of those ever flagged; others are read when they become collateral. */
  readonly supplied: ReadonlyMap<number, bigint>;
  /** Scaled debts by reserve id; none is 0. */
  readonly owed: ReadonlyMap<number, bigint>;
  /** Debts at a fixed rate by reserve id; no principal is 0. */
  readonly fixed: ReadonlyMap<number, FixedDebt>;
};

/** Ids of the reserves that the account owes to. */
export function debtIds({ owed, fixed }: Account): readonly number[] {
  return fixed.size === 0 ? [...owed.keys()] : [...new Set([...owed.keys(), ...fixed.keys()])];
}

/** An account by itself, with its slot: for what would be, were it so. */
export function alone({ address, known, eMode, collateral, supplied, owed, fixed }: Account): readonly [Accounts, Slot] {
  const accounts = new Accounts();
  const slot = accounts.add(address);
  accounts.setKnown(slot, known);
  accounts.setEMode(slot, eMode);
  for (const id of collateral) accounts.setFlag(slot, id, true);
  for (const [id, scaled] of supplied) accounts.setSupplied(slot, id, scaled);
  for (const [id, scaled] of owed) accounts.setOwed(slot, id, scaled);
  for (const [id, debt] of fixed) accounts.setFixed(slot, id, debt);
  return [accounts, slot];
}

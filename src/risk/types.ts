import type { Address } from '../lib/types.ts';
import type { ProtocolName, Slot } from '../protocols/types.ts';

/** Stands as protocol for what sells inventory: a child order liquidates nobody. */
export const INVENTORY = 'inventory';

/** A position judged liquidatable at a moment. */
export type Candidate = {
  readonly protocol: ProtocolName | typeof INVENTORY;
  readonly market: string;
  /** What else the operator may call that market. */
  readonly aliases: readonly string[];
  /** Id of what is mirrored: one deployment of a protocol. */
  readonly deployment: string;
  readonly slot: Slot;
  readonly account: Address;
  readonly healthFactorWad: bigint;
  /** The block at whose end it was first seen liquidatable. */
  readonly sinceBlock: number;
  /** The price update that made it so, when known. */
  readonly updateTxHash?: `0x${string}`;
};

/** Contracts that an address book names, and what shows before use that each is of its kind. `bailiff doctor` looks at it. */
import type { Address } from '../lib/types.ts';

export type ToldContract = {
  /** The deployment's name in the book: `core`. */
  readonly market: string;
  /** The field of that deployment: `poolAddressesProvider`. */
  readonly field: string;
  readonly address: Address;
  /** What no contract of another kind answers like this. */
  readonly views: readonly ExpectedView[];
};

export type ExpectedView = {
  /** Without its result: `getPool()`. */
  readonly view: string;
  readonly args?: readonly (bigint | Address)[];
  readonly answers: Answers;
  /** What the contract that was answered has to answer in its turn. */
  readonly whose?: readonly ExpectedView[];
};

export type Answers =
  /** So many words. */
  | number
  | 'bool'
  | 'address'
  /** An address with code; where it is a proxy, its implementation has code too. */
  | 'contract'
  /** A list of such addresses, with one or more. */
  | 'contracts'
  /** This address. */
  | { readonly is: Address };

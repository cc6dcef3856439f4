import type { Address } from '../lib/types.ts';

/** Somebody of whom an operator says that they have positions, before the history was gone through. */
export type Told = {
  readonly account: Address;
  /** The first part of an id; absent: whoever it may concern. */
  readonly protocol?: string;
};

/** Who is told of to this one. */
export function toldTo(told: readonly Told[], id: string): Address[] {
  const [name] = id.split('/');
  return told.flatMap(({ protocol, account }) => (protocol === undefined || protocol === name ? [account] : []));
}

/** A parent order as the ledger keeps it: JSON, whose bigints are marked text. */
import type { Unwind } from '../guard/unwind-types.ts';

const MARK = 'n:';

export function unwindText(unwind: Unwind): string {
  return JSON.stringify(unwind, (_, value: unknown) => (typeof value === 'bigint' ? `${MARK}${value}` : value));
}

export function unwindOf(text: string): Unwind {
  const read = JSON.parse(text, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  ) as Unwind;
  // What is undefined is not written.
  return { ...read, origin: read.origin, ordered: read.ordered, sold: read.sold };
}

/**
 * Looks into a message of `eth_subscribe newPendingTransactions, true` without parsing it: a mainnet mempool is hundreds of transactions
 * a second, of which one a minute is of interest.
 */
import type { Address, Hex } from '../lib/types.ts';

/** Which transactions are wanted: those that call one of `to` with one of the selectors, and every one of these senders. */
export type Interest = {
  readonly to: ReadonlySet<Address>;
  /** Lowercase, `0x` and eight digits. */
  readonly selectors: ReadonlySet<string>;
  readonly from: ReadonlySet<Address>;
};

/** NOTE: what is not found counts as not wanted; what only looks wanted is sorted out by whoever parses it. */
export function isOfInterest(message: string, { to, selectors, from }: Interest): boolean {
  const sender = fieldOf(message, '"from"', 42);
  if (sender !== undefined && from.has(sender as Address)) return true;
  const callee = fieldOf(message, '"to"', 42);
  if (callee === undefined || !to.has(callee as Address)) return false;
  const selector = fieldOf(message, '"input"', 10) ?? fieldOf(message, '"data"', 10);
  return selector !== undefined && selectors.has(selector);
}

/** The transaction that a message announces, when it announces a bare hash. */
export function bareHashIn(message: string): Hex | undefined {
  const hash = fieldOf(message, '"result"', 67);
  return hash?.endsWith('"') ? (hash.slice(0, -1) as Hex) : undefined;
}

/** True for an answer to a call of ours, which is never passed over. */
export function isAnswer(message: string): boolean {
  return !message.includes('"eth_subscription"');
}

/** The first characters of a field's string, in lowercase; undefined where it is no `0x` string. */
function fieldOf(message: string, key: string, length: number): string | undefined {
  const at = message.indexOf(key);
  const opened = at < 0 ? -1 : message.indexOf('"', at + key.length);
  // Between key and value: a colon, and blanks at most.
  if (opened < 0 || opened - at - key.length > 4) return undefined;
  const value = message.slice(opened + 1, opened + 1 + length).toLowerCase();
  return value.startsWith('0x') && value.length === length ? value : undefined;
}

import type { Address, Hex } from './types.ts';

/**
 * Writes over the 32-byte word at `offset` (bytes into the calldata, selector included), or over the value of the call: the Executor's gain of `token` (zero for
 * the native one) since the sequence began, or the first word that `look.target` then answers to `look.data`, a selector and one word. `negated`: its negative.
 */
export type AmountPatch = { readonly offset: number | 'value'; readonly negated?: true } & (
  | { readonly token: Address }
  | { readonly look: { readonly target: Address; readonly data: Hex } }
);

/** The one callback that a step may receive: from `caller`, with `selector`, whose bytes argument number `argument` is exactly `payload`. */
export type AnnouncedCallback = {
  readonly caller: Address;
  readonly selector: Hex;
  readonly argument: number;
  /** The encoded steps to run inside the callback (`encodeSteps`). */
  readonly payload: Hex;
  /** The 32-byte word that the callback returns, or `0x` for nothing. */
  readonly answer: Hex;
};

/** What the Executor does, one after another. `pay` sends the amount in word `argument` of the running callback to its caller. */
export type Step =
  | { readonly kind: 'call'; readonly target: Address; readonly valueWei: bigint; readonly data: Hex; readonly patch?: AmountPatch }
  | { readonly kind: 'approve'; readonly token: Address; readonly spender: Address; readonly amountRaw: bigint }
  | {
      readonly kind: 'enter';
      readonly target: Address;
      readonly valueWei: bigint;
      readonly data: Hex;
      readonly patch?: AmountPatch;
      readonly callback: AnnouncedCallback;
    }
  | { readonly kind: 'pay'; readonly token: Address; readonly argument: number };

/** Steps that stand or fall together. An optional group that reverts undoes only itself. */
export type Group = {
  readonly optional: boolean;
  /** Most gas that an optional group may use, so that a hostile token cannot burn what the others need; absent for 63/64 of what is left. */
  readonly gasLimit?: bigint;
  /** Least that the numeraire must rise by over this group, before the bid. May be negative. */
  readonly minProfitRaw: bigint;
  readonly steps: readonly Step[];
};

/** One Executor transaction (contracts/Executor.sol `execute`). */
export type Sequence = {
  readonly numeraire: Address;
  /** Least realised profit after the bid, in the numeraire. A negative one needs the owner's `allowLoss`. */
  readonly minProfitRaw: bigint;
  /** Taken off the gross profit before the bid's share is. */
  readonly gasCostRaw: bigint;
  readonly bidBps: number;
  /** The sequence reverts in any later block. */
  readonly lastBlock: number;
  /** Tokens, beside the numeraire, whose gain goes to the treasury. */
  readonly sweep: readonly Address[];
  readonly groups: readonly Group[];
};

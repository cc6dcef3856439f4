/** What the unwinding of inventory (unwind.ts) knows, hears and says. */
import type { Now } from './hedge-types.ts';

export type UnwindRules = {
  /** MAX_INVENTORY_USD. */
  readonly maxInventoryUsd8: bigint;
  /** What is worth less is no inventory: what is left of one, dust. */
  readonly leastUsd8: bigint;
  /** A fall of the price since it was taken up, by the oracle and by the pools, after which it is sold without waiting. */
  readonly stopLossBps: bigint;
  /** Pools have recovered from our last order once they pay no more than this less, against the oracle, than they did before it. */
  readonly recoveredBps: bigint;
  /** They are waited for until both have passed; then what they pay is the price. */
  readonly patienceBlocks: number;
  readonly patienceSeconds: number;
};

/** `opening`: the liquidation that leaves it may be mined yet. `selling`: in child orders. `stopping`: as fast as pools take it. */
export type UnwindPhase = 'opening' | 'selling' | 'stopping';

/** Whose liquidation left it; undefined for what was found. */
export type Origin = { readonly protocol: string; readonly market: string; readonly account: string };

/** A parent order: a token in the inventory Executor, to be sold. USD has 8 decimals. */
export type Unwind = {
  readonly token: string;
  readonly phase: UnwindPhase;
  readonly origin: Origin | undefined;
  /** The last block that can include the liquidation. */
  readonly openUntil: number;
  readonly since: Now;
  readonly heldRaw: bigint;
  readonly valueUsd8: bigint;
  /** Of a whole token when it was taken up. */
  readonly entryUsd8: bigint;
  /** The next child order is so small a part of what pools take at once. */
  readonly parts: number;
  /** The last child order that was given and is not known to be done: what was held then, and how far pools paid below the oracle. */
  readonly ordered: { readonly now: Now; readonly heldRaw: bigint; readonly discountBps: bigint } | undefined;
  /** The last sale, the liquidation's own or a child order's: how things stood before it. */
  readonly sold: { readonly now: Now; readonly discountBps: bigint } | undefined;
};

export type UnwindBook = { readonly rules: UnwindRules; readonly unwinds: ReadonlyMap<string, Unwind> };

/** A token of the inventory at the end of a block. */
export type Stock = {
  readonly token: string;
  readonly heldRaw: bigint;
  readonly valueUsd8: bigint;
  /** Of a whole one, by the oracle. */
  readonly priceUsd8: bigint;
  /** How far below the oracle pools pay for a little of it; undefined where none takes any. */
  readonly discountBps: bigint | undefined;
  /** What pools take at once at a small loss, and at the larger one that a stop accepts. */
  readonly clipRaw: bigint;
  readonly stopClipRaw: bigint;
  /** A transaction of ours about it could still be mined. */
  readonly busy: boolean;
};

export type UnwindEvent =
  /** Somebody wants to keep so much of what a liquidation seizes. */
  | {
      readonly kind: 'wanted';
      readonly token: string;
      readonly valueUsd8: bigint;
      readonly priceUsd8: bigint;
      /** How far below the oracle pools pay before the liquidation moves them. */
      readonly discountBps: bigint;
      readonly lastBlock: number;
      readonly origin: Origin;
    }
  | { readonly kind: 'read'; readonly stock: Stock };

/** `token`: what it is about. */
export type UnwindCommand =
  | { readonly kind: 'save'; readonly token: string; readonly unwind: Unwind }
  | { readonly kind: 'forget'; readonly token: string }
  /** The liquidation may be sent. */
  | { readonly kind: 'open'; readonly token: string }
  | { readonly kind: 'refuse'; readonly token: string; readonly reason: string }
  /** A child order. `urgent`: at the loss that a stop accepts. */
  | { readonly kind: 'sell'; readonly token: string; readonly amountRaw: bigint; readonly urgent: boolean }
  | { readonly kind: 'wait'; readonly token: string; readonly reason: 'not-recovered' | 'no-depth' }
  | { readonly kind: 'alert'; readonly token: string; readonly about: 'found' | 'stopped'; readonly unwind: Unwind }
  /** All of it is sold, but for dust. */
  | { readonly kind: 'closed'; readonly token: string; readonly unwind: Unwind };

export type UnwindStep = readonly [UnwindBook, readonly UnwindCommand[]];

/** What the hedge (hedge.ts) knows, hears and says. */

/** A block of the chain, by its own clock. */
export type Now = { readonly block: number; readonly timestamp: number };

export type HedgeRules = {
  /** A position is late once both have passed since it was first held: blocks come at very different gaps. */
  readonly deadlineBlocks: number;
  readonly deadlineSeconds: number;
  /** MAX_INVENTORY_USD. */
  readonly maxInventoryUsd8: bigint;
};

/** `opening`: the first leg may be mined yet. `closing`: the second leg. `flattening`: the kill switch has acted. */
export type Phase = 'opening' | 'closing' | 'flattening';

/** One position of ours at a venue, above zero for a long one. */
export type Hedge = {
  readonly id: string;
  readonly deployment: string;
  readonly market: string;
  readonly phase: Phase;
  /** The last block that can include the first leg. */
  readonly openUntil: number;
  /** When the position was first seen; before that, when the first leg was given. */
  readonly since: Now;
  readonly sizeRaw: bigint;
  readonly valueUsd8: bigint;
  /** The venue's credit, 18 decimals, that was ours before the first leg: what is more than it in the end is profit. Undefined where nobody knows. */
  readonly keepWad: bigint | undefined;
  /** The next order closes one such part. */
  readonly parts: number;
  /** The last order that was given, and what was held then. */
  readonly ordered: { readonly block: number; readonly sizeRaw: bigint } | undefined;
};

export type HedgeBook = {
  readonly rules: HedgeRules;
  readonly killed: boolean;
  readonly hedges: ReadonlyMap<string, Hedge>;
};

/** What of ours is held in a market of a venue. */
export type Held = { readonly market: string; readonly sizeRaw: bigint; readonly valueUsd8: bigint };

export type HedgeEvent =
  /** Somebody wants to take a position over in two legs. */
  | {
      readonly kind: 'wanted';
      readonly deployment: string;
      readonly market: string;
      readonly valueUsd8: bigint;
      readonly lastBlock: number;
      readonly keepWad: bigint;
    }
  /** All that is held at a deployment at the end of the block. `busy`: a transaction of ours about it could still be mined. */
  | { readonly kind: 'read'; readonly deployment: string; readonly held: readonly Held[]; readonly busy: boolean }
  /** What is held there could not be read. */
  | { readonly kind: 'unread'; readonly deployment: string }
  /** The keeper's switch. */
  | { readonly kind: 'switched'; readonly killed: boolean };

/** `id`: of the hedge that it is about. */
export type HedgeCommand =
  | { readonly kind: 'save'; readonly id: string; readonly hedge: Hedge }
  | { readonly kind: 'forget'; readonly id: string }
  /** The first leg may be sent. */
  | { readonly kind: 'open'; readonly id: string }
  | { readonly kind: 'refuse'; readonly id: string; readonly reason: string }
  /** Closes so much. `whole`: all there is, as far as the venue lets it. */
  | {
      readonly kind: 'reduce';
      readonly id: string;
      readonly amountRaw: bigint;
      readonly whole: boolean;
      readonly atAnyPrice: boolean;
      readonly keepWad: bigint | undefined;
    }
  | { readonly kind: 'kill'; readonly id: string; readonly reason: string }
  | {
      readonly kind: 'alert';
      readonly id: string;
      readonly about: 'found' | 'overdue';
      readonly sizeRaw: bigint;
      readonly valueUsd8: bigint;
      readonly sinceBlock: number;
    }
  /** All of it is closed. */
  | { readonly kind: 'closed'; readonly id: string; readonly hedge: Hedge };

export type HedgeStep = readonly [HedgeBook, readonly HedgeCommand[]];

import type { Hedge } from '../guard/hedge-types.ts';
import type { Switch } from '../guard/types.ts';
import type { Unwind } from '../guard/unwind-types.ts';
import type { Address, Hex } from '../lib/types.ts';

/** How a transaction ended, and with it its attempts. */
export type OutcomeKind = 'included' | 'reverted' | 'missed' | 'replaced' | 'expired';

/** A transaction about to be signed and sent; durable before it is. */
export type IntendedTransaction = {
  readonly txHash: Hex;
  /** The signed bytes: what was sent can always be told, and sent again, after a crash. */
  readonly raw: Hex;
  readonly lane: Address;
  readonly nonce: number;
  readonly channel: 'bundle' | 'public';
  readonly targetBlock: number;
  /** It cannot execute in any later block. */
  readonly lastBlock: number;
  readonly gasLimit: bigint;
  readonly maxFeeWei: bigint;
  /** Most that it can cost when it fails, counted against the limits while it is open. */
  readonly worstGasWei: bigint;
  readonly worstGasUsd8: bigint;
  readonly attempts: readonly IntendedAttempt[];
};

export type IntendedAttempt = {
  readonly attemptId: string;
  readonly protocol: string;
  readonly market: string;
  readonly account: Address;
  readonly debtAsset: Address;
  readonly collateralAsset: Address;
  readonly repayRaw: bigint;
  readonly repayUsd8: bigint;
  readonly expectedProfitWei: bigint;
  readonly expectedProfitUsd8: bigint;
  /** The block that made the position liquidatable. */
  readonly sinceBlock: number;
  readonly updateTxHash: Hex | undefined;
};

export type OpenTransaction = IntendedTransaction & {
  /** `intended`: it may or may not have left this machine. */
  readonly status: 'intended' | 'sent' | OutcomeKind;
  /** Where it was seen mined, when it was; final only once buried. */
  readonly seen?: { readonly block: number; readonly blockHash: Hex };
};

/** What became of one attempt. Wei figures are exact shares of the transaction's, and add up to it. */
export type AttemptResult = {
  readonly attemptId: string;
  readonly outcome: OutcomeKind;
  readonly reason: string | undefined;
  readonly grossWei: bigint;
  readonly bidWei: bigint;
  readonly gasWei: bigint;
  readonly profitWei: bigint;
  readonly profitUsd8: bigint;
  /** What it made came in a token that had no price then: what it grossed and left is not known, and stands at 0 here. */
  readonly unpriced?: true;
};

export type TransactionResult = {
  readonly txHash: Hex;
  readonly outcome: OutcomeKind;
  /** Set for included and reverted. */
  readonly mined?: {
    readonly block: number;
    readonly blockHash: Hex;
    readonly gasUsed: bigint;
    readonly gasWei: bigint;
    readonly bidWei: bigint;
    /** Change of native and token balances of Executor, lanes and treasury, gas included, at oracle prices. */
    readonly netUsd8: bigint;
    /** The same by asset, raw units; the native token under the zero address. */
    readonly balanceChanges: Readonly<Record<Address, bigint>>;
    readonly nativeUsd8: bigint;
  };
  readonly attempts: readonly AttemptResult[];
};

/** Sums that the guard needs, from the durable record. */
export type Spending = {
  readonly gasUsd8: bigint;
  readonly lossUsd8: bigint;
  readonly consecutiveFailures: number;
};

export type ControlCommand = { readonly id: number; readonly command: 'pause' | 'resume' | 'kill'; readonly afterKill: boolean };

/** Every decision and attempt, durable before it is sent. A write resolves when it is on the disk, and is committed a few microtasks after the call, but for decisions. */
export interface Ledger {
  intend(transaction: IntendedTransaction): Promise<void>;
  /** The transaction left this machine (or was handed to at least one relay). */
  sent(txHash: Hex, note: Readonly<Record<string, string>>): Promise<void>;
  /** A bundle's transaction is about to be handed to the public mempool as well: from here on it can be mined whenever its nonce is free. */
  goPublic(txHash: Hex): Promise<void>;
  /** Final or provisional result; a later call for the same transaction (a reorg) replaces it. */
  settle(result: TransactionResult): Promise<void>;
  /** After a reorg removed the block that it was settled in. */
  reopen(txHash: Hex): Promise<void>;
  /** Not settled yet, or settled at or above `sinceBlock` (could still be reorganised away). */
  open(sinceBlock: number): Promise<readonly OpenTransaction[]>;
  /** Of this sender, settled as not mined while, as far as is known here, their nonce is still free: they could be mined yet, if only to revert. */
  dormant(lane: Address): Promise<readonly OpenTransaction[]>;
  /** Decisions are kept when they change, not every block, and let all other writes pass. */
  decide(decision: {
    readonly block: number;
    readonly protocol: string;
    readonly market: string;
    readonly account: Address;
    readonly kind: 'plan' | 'skip';
    readonly detail: string;
  }): Promise<void>;
  /** Sums since a unix time in ms of this machine's clock; open transactions count with their worst gas. */
  spending(sinceMs: number): Promise<Spending>;
  switchState(): Promise<{ readonly state: Switch; readonly reason: string | undefined }>;
  setSwitch(state: Switch, reason: string): Promise<void>;
  /** Consecutive failures start again at zero (an operator's resume). */
  resetFailures(): Promise<void>;
  /** Commands left by `bailiff pause|resume|kill`, oldest first; `acknowledge` answers them. */
  commands(): Promise<readonly ControlCommand[]>;
  acknowledge(id: number, answer: string): Promise<void>;
  /** Positions that are held at a venue, or may be once their first leg is mined. */
  hedges(): Promise<readonly Hedge[]>;
  saveHedge(hedge: Hedge): Promise<void>;
  forgetHedge(id: string): Promise<void>;
  /** Inventory that is being sold, or may be once the liquidation that leaves it is mined. */
  unwinds(): Promise<readonly Unwind[]>;
  saveUnwind(unwind: Unwind): Promise<void>;
  forgetUnwind(token: string): Promise<void>;
  /** Key-value facts that must outlast a restart (relay auth key, last head). */
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): Promise<void>;
  close(): Promise<void>;
}

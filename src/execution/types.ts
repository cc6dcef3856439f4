import type { Payload, Surcharge } from '../chain/rollup.ts';
import type { Address, Hex, RawLog } from '../lib/types.ts';
import type { Receipt } from './accounting.ts';

/** What a relay or our own node says of an exact signed bundle at the next block. */
export type Simulation =
  | { readonly kind: 'ok'; readonly results: readonly SimulatedTransaction[]; readonly coinbaseDiffWei: bigint; readonly source: string }
  | { readonly kind: 'reverted'; readonly results: readonly SimulatedTransaction[]; readonly source: string }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly fault?: RelayFault; readonly retryAfterMs?: number | undefined };
export type SimulatedTransaction = {
  readonly txHash: Hex;
  readonly gasUsed: bigint;
  readonly revert: Hex | undefined;
  readonly error: string | undefined;
};

export type SendResult =
  | { readonly kind: 'accepted'; readonly bundleHash: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** What kept a relay from taking a bundle: `too-late` where it said that the block has passed, `refused` for its other reasons. */
export type RelayFault = 'timeout' | 'unreachable' | 'rate-limited' | 'malformed' | 'too-late' | 'refused';

export type RelayAnswer =
  | { readonly kind: 'accepted'; readonly bundleHash: string }
  | (Failed & { readonly kind: 'refused' })
  | (Failed & { readonly kind: 'unknown' })
  /** It was not asked: it kept failing, and others do not. */
  | { readonly kind: 'resting'; readonly reason: string };
type Failed = {
  readonly fault: RelayFault;
  readonly reason: string;
  /** For so long it asked to be left alone. */
  readonly retryAfterMs?: number | undefined;
};

export type RelayBundle = { readonly txs: readonly Hex[]; readonly targetBlock: number; readonly replacementUuid: string };
export type RelayBackrun = { readonly hash: Hex; readonly tx: Hex; readonly targetBlock: number };

/** A bundle relay. Every call is bounded in time and never throws. */
export interface Relay {
  /** The host alone: the URL may carry a key. */
  readonly name: string;
  simulate(bundle: { readonly txs: readonly Hex[]; readonly targetBlock: number; readonly timestamp: number }): Promise<Simulation>;
  /** Makes what `send` of this very object needs beforehand: its body, the signature over that, and a request on an open connection. Nothing of it leaves. */
  prepare(delivery: RelayBundle | RelayBackrun): void;
  send(bundle: RelayBundle): Promise<RelayAnswer>;
  /** One transaction right behind one of which only the hash is known, in the same block. */
  sendBehind(backrun: RelayBackrun): Promise<RelayAnswer>;
  cancel(replacementUuid: string): Promise<RelayAnswer>;
}

/** Signs for one sender. */
export interface Lane {
  readonly address: Address;
  sign(transaction: UnsignedTransaction): Promise<{ readonly raw: Hex; readonly txHash: Hex }>;
}

export type UnsignedTransaction = {
  readonly chainId: number;
  readonly nonce: number;
  readonly to: Address;
  readonly data: Hex;
  readonly valueWei: bigint;
  readonly gasLimit: bigint;
  readonly maxFeeWei: bigint;
  readonly priorityFeeWei: bigint;
};

/** What execution asks of the chain. Every call is bounded in time; `broadcast` never throws. */
export interface ExecutionChain {
  /** The receipt by the chain's view, or undefined while the transaction is not mined, from an endpoint that knows the block `head`. */
  receipt(txHash: Hex, head: Hex): Promise<Receipt | undefined>;
  /** The sender's next nonce at the end of the latest block, or of the block `at`. */
  nonceOf(address: Address, at?: Hex): Promise<number>;
  /** Nonces, and what they hold, in one batch and in the order of the addresses. At the end of the latest block, or of the block `at`. */
  accounts(addresses: readonly Address[], at?: Hex): Promise<readonly AccountState[]>;
  balanceOf(address: Address): Promise<bigint>;
  /** Runs unsigned transactions one after another on the head's end state, as the next block would at `timestamp`. */
  simulate(
    calls: readonly SimulatedCall[],
    at: { readonly timestamp: number; readonly baseFeeWei: bigint; readonly number: number },
  ): Promise<NodeSimulation>;
  /** Revert data of a mined transaction, or undefined where nobody can tell. */
  explain(reverted: SimulatedCall & { readonly txHash: Hex; readonly blockHash: Hex }): Promise<Hex | undefined>;
  /** What a rollup charges for such transactions beyond their gas, in their order; nothing elsewhere. Rejects when it cannot be told. */
  surcharges(transactions: readonly Payload[]): Promise<readonly Surcharge[]>;
  broadcast(raw: Hex): Promise<SendResult>;
  /** What the endpoint suggests as tip. */
  priorityFeeWei(): Promise<bigint>;
}
export type AccountState = { readonly nonce: number; readonly balanceWei: bigint };
/** Somebody else's signed transaction that ours goes behind. */
export type ForeignTransaction = SimulatedCall & { readonly txHash: Hex; readonly raw: Hex };
export type SimulatedCall = { readonly from: Address; readonly to: Address; readonly data: Hex; readonly gasLimit: bigint };
export type NodeSimulation =
  | { readonly kind: 'done'; readonly calls: readonly NodeSimulatedCall[] }
  | { readonly kind: 'unavailable'; readonly reason: string };
export type NodeSimulatedCall = {
  readonly ok: boolean;
  readonly gasUsed: bigint;
  readonly returnData: Hex;
  readonly logs: readonly Pick<RawLog, 'address' | 'topics' | 'data'>[];
};

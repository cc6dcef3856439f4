import type { Head, Hex, LogFilter, RawLog } from '../lib/types.ts';
import type { Lie, RpcErrorKind } from './errors.ts';

export type CallOptions = {
  /** For one endpoint's answer; the whole call takes at most `attempts` times as long, plus short waits. */
  readonly timeoutMs?: number;
  /** Endpoints asked in total, the same one again included. */
  readonly attempts?: number;
  /** An empty answer counts only from an endpoint that knows this block: one that lags behind would answer `[]` or null as well. */
  readonly knows?: Hex;
  /** Any endpoint will do: the one with the least to do is asked, not the preferred one. */
  readonly spread?: boolean;
  /** A longer answer is refused as too much, over HTTP. */
  readonly maxBytes?: number;
};

export type RpcCall = { readonly method: string; readonly params: readonly unknown[] };
export type RpcAnswer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: Error };

/** JSON-RPC over whatever endpoints are usable. Results are untrusted: the actions check them before anything else sees them. */
export interface Rpc {
  /** Rejects with `RpcError`. */
  request(method: string, params: readonly unknown[], options?: CallOptions): Promise<unknown>;
  /** The same, with the result checked by `parse` while another endpoint can still be asked: an answer of the wrong shape is a failed call. */
  ask<T>(call: RpcCall, parse: (result: unknown, from: Answerer) => T, options?: CallOptions): Promise<T>;
  /** One JSON-RPC batch, answers in the order of the calls. Rejects only when no endpoint answered the batch at all. */
  batch(calls: readonly RpcCall[], options?: CallOptions): Promise<readonly RpcAnswer[]>;
  /** Holds log answers against headers and receipts; absent where nobody does. */
  readonly witness?: Witness;
  /** Endpoints that calls can be spread over now; absent where there is one. */
  readonly breadth?: number;
}

/** Who gave an answer. `host` is all of its URL that may be shown. */
export type Answerer = { readonly host: string };
export type LogAnswer = { readonly head: Head; readonly filter: LogFilter; readonly logs: readonly RawLog[]; readonly from: Answerer };
export type RangeAnswer = {
  readonly range: { readonly from: number; readonly to: number };
  readonly filter: LogFilter;
  readonly logs: readonly RawLog[];
  readonly from: Answerer;
};

export interface Witness {
  /** One block's logs were answered and are used. Returns at once; what it finds out later goes the way of `ChainNotice` and `Heads`. */
  heard(answer: LogAnswer): void;
  /** A range's logs were answered. Resolves with false when samples show them to be wrong: another endpoint has to be asked. */
  vouch(answer: RangeAnswer): Promise<boolean>;
}

/** What happened to the endpoints, for logs and metrics. `host` is all of the URL that may be shown. */
export type ChainNotice =
  | {
      readonly kind: 'endpoint-failed';
      readonly host: string;
      readonly reason: string;
      readonly failure: RpcErrorKind | 'behind';
      readonly restMs: number;
    }
  | { readonly kind: 'endpoint-back'; readonly host: string }
  /** Worse than failed: it was shown to lie, and is asked nothing until it has made good. */
  | { readonly kind: 'endpoint-distrusted'; readonly host: string; readonly reason: string; readonly lie: Lie; readonly restMs: number }
  | { readonly kind: 'endpoint-trusted'; readonly host: string }
  | { readonly kind: 'none-trusted'; readonly reason: string }
  | { readonly kind: 'trusted-again'; readonly host: string }
  /** A block's logs were proved by its receipts, and were or were not what had been answered; `ok: false` has it read again. */
  | { readonly kind: 'logs-proved'; readonly host: string; readonly block: number; readonly ok: boolean; readonly reason?: string }
  | { readonly kind: 'heads-from'; readonly host: string; readonly by: 'subscription' | 'polling' }
  | { readonly kind: 'heads-late'; readonly waitedMs: number; readonly gapMs: number }
  | { readonly kind: 'call'; readonly host: string; readonly method: string; readonly ms: number; readonly ok: boolean };

export type Notify = (notice: ChainNotice) => void;

/** How the chain that we follow has changed since the block that the follower stands at. */
export type HeadEvent =
  /** `added` follow that block, oldest first; never empty. `arrivedAtMs`: performance.now() when the newest was announced. */
  | { readonly kind: 'extended'; readonly added: readonly Head[]; readonly arrivedAtMs: number }
  /** `removed` newest first, that block first; `added` oldest first on the common ancestor (empty when the chain merely shrank). */
  | {
      readonly kind: 'reorg';
      readonly removed: readonly Head[];
      readonly added: readonly Head[];
      readonly arrivedAtMs: number;
      /** Set when the removed blocks are among the added: their logs were shown to be wrong, and they are to be read again. */
      readonly reread?: true;
    }
  /** No common ancestor within reach: everything has to be synced again. */
  | { readonly kind: 'lost'; readonly head: Head; readonly arrivedAtMs: number };

/** Judged by this machine's own waiting, never by the chain's timestamps. */
export type Freshness = {
  readonly fresh: boolean;
  readonly waitedMs: number;
  /** The usual gap between heads as seen here; null until two have been seen. */
  readonly gapMs: number | null;
};

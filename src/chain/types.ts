import type { Head, Hex } from '../lib/types.ts';

export type CallOptions = {
  /** For one endpoint's answer; the whole call takes at most `attempts` times as long, plus short waits. */
  readonly timeoutMs?: number;
  /** Endpoints asked in total, the same one again included. */
  readonly attempts?: number;
  /** An empty answer counts only from an endpoint that knows this block: one that lags behind would answer `[]` or null as well. */
  readonly knows?: Hex;
};

export type RpcCall = { readonly method: string; readonly params: readonly unknown[] };
export type RpcAnswer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: Error };

/** JSON-RPC over whatever endpoints are usable. Results are untrusted: the actions check them before anything else sees them. */
export interface Rpc {
  /** Rejects with `RpcError`. */
  request(method: string, params: readonly unknown[], options?: CallOptions): Promise<unknown>;
  /** The same, with the result checked by `parse` while another endpoint can still be asked: an answer of the wrong shape is a failed call. */
  ask<T>(call: RpcCall, parse: (result: unknown, host: string) => T, options?: CallOptions): Promise<T>;
  /** One JSON-RPC batch, answers in the order of the calls. Rejects only when no endpoint answered the batch at all. */
  batch(calls: readonly RpcCall[], options?: CallOptions): Promise<readonly RpcAnswer[]>;
}

/** What happened to the endpoints, for logs and metrics. `host` is all of the URL that may be shown. */
export type ChainNotice =
  | { readonly kind: 'endpoint-failed'; readonly host: string; readonly reason: string; readonly restMs: number }
  | { readonly kind: 'endpoint-back'; readonly host: string }
  | { readonly kind: 'endpoint-refused'; readonly host: string; readonly reason: string }
  | { readonly kind: 'heads-from'; readonly host: string; readonly by: 'subscription' | 'polling' }
  | { readonly kind: 'heads-late'; readonly waitedMs: number; readonly gapMs: number }
  | { readonly kind: 'call'; readonly host: string; readonly method: string; readonly ms: number; readonly ok: boolean };

export type Notify = (notice: ChainNotice) => void;

/** How the chain that we follow has changed since the block that the follower stands at. */
export type HeadEvent =
  /** `added` follow that block, oldest first; never empty. `arrivedAtMs`: performance.now() when the newest was announced. */
  | { readonly kind: 'extended'; readonly added: readonly Head[]; readonly arrivedAtMs: number }
  /** `removed` newest first, that block first; `added` oldest first on the common ancestor (empty when the chain merely shrank). */
  | { readonly kind: 'reorg'; readonly removed: readonly Head[]; readonly added: readonly Head[]; readonly arrivedAtMs: number }
  /** No common ancestor within reach: everything has to be synced again. */
  | { readonly kind: 'lost'; readonly head: Head; readonly arrivedAtMs: number };

/** Judged by this machine's own waiting, never by the chain's timestamps. */
export type Freshness = {
  readonly fresh: boolean;
  readonly waitedMs: number;
  /** The usual gap between heads as seen here; null until two have been seen. */
  readonly gapMs: number | null;
};

/** A way to one endpoint: sends JSON, resolves with the parsed JSON that answers it. Rejects with `RpcError` of the kinds that are the endpoint's fault. */
export interface Transport {
  /** NOTE: a WebSocket knows no bound of a single answer. */
  send(message: JsonRpcRequest | readonly JsonRpcRequest[], timeoutMs: number, maxBytes?: number): Promise<unknown>;
  /** Counts the connections made so far, where there are such: behind each may be another node. */
  readonly connection: number;
  close(): void;
}

export type JsonRpcRequest = { readonly jsonrpc: '2.0'; readonly id: number; readonly method: string; readonly params: readonly unknown[] };

/** No answer may be larger: 64 MiB hold some 100,000 logs. */
export const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

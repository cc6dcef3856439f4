import { errorFromAnswer } from '../../src/chain/errors.ts';
import type { Answerer, CallOptions, Rpc, RpcAnswer, RpcCall } from '../../src/chain/types.ts';

export type Limits = { readonly maxLogs?: number; readonly maxBlocks?: number; readonly message?: string; readonly code?: number };

/** A node with limits on `eth_getLogs`, as hosted ones have. */
export class LimitingNodeDouble implements Rpc {
  refused = 0;
  readonly #node: Rpc;
  readonly #limits: Limits;

  constructor(node: Rpc, limits: Limits) {
    this.#node = node;
    this.#limits = limits;
  }

  request(method: string, params: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return this.ask({ method, params }, (result) => result, options);
  }

  ask<T>(call: RpcCall, parse: (result: unknown, from: Answerer) => T, options?: CallOptions): Promise<T> {
    const [{ fromBlock, toBlock }] = call.params as [{ fromBlock: string; toBlock: string }];
    if (Number(toBlock) - Number(fromBlock) >= (this.#limits.maxBlocks ?? Number.POSITIVE_INFINITY))
      this.#refuse('block range is too wide');
    return this.#node.ask(
      call,
      (result, from) => {
        if ((result as unknown[]).length > (this.#limits.maxLogs ?? Number.POSITIVE_INFINITY))
          this.#refuse('query returned more than 10000 results');
        return parse(result, from);
      },
      options,
    );
  }

  batch(calls: readonly RpcCall[], options?: CallOptions): Promise<readonly RpcAnswer[]> {
    return this.#node.batch(calls, options);
  }

  #refuse(message: string): never {
    this.refused++;
    throw errorFromAnswer('double', 'eth_getLogs', { code: this.#limits.code ?? -32005, message: this.#limits.message ?? message });
  }
}

import type { Answerer, CallOptions, Rpc, RpcAnswer, RpcCall } from '../../src/chain/types.ts';

/** A real chain as it was: the newest and the final block are an earlier one. Counts what is asked for. */
export class EarlierDouble implements Rpc {
  readonly #chain: Rpc;
  readonly #block: string;
  readonly calls: RpcCall[] = [];

  constructor(chain: Rpc, block: number) {
    this.#chain = chain;
    this.#block = `0x${block.toString(16)}`;
  }

  request(method: string, params: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return this.#chain.request(method, this.#earlier(params), options);
  }

  ask<T>(call: RpcCall, parse: (result: unknown, from: Answerer) => T, options?: CallOptions): Promise<T> {
    this.calls.push(call);
    return this.#chain.ask({ ...call, params: this.#earlier(call.params) }, parse, options);
  }

  batch(calls: readonly RpcCall[], options?: CallOptions): Promise<readonly RpcAnswer[]> {
    this.calls.push(...calls);
    return this.#chain.batch(
      calls.map((call) => ({ ...call, params: this.#earlier(call.params) })),
      options,
    );
  }

  #earlier(params: readonly unknown[]): readonly unknown[] {
    return params.map((param) => (param === 'latest' || param === 'finalized' ? this.#block : param));
  }
}

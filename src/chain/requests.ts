import type { JsonRpcRequest } from './transport.ts';
import type { RpcCall } from './types.ts';

export const LATEST: RpcCall = { method: 'eth_getBlockByNumber', params: ['latest', false] };

let lastId = 0;

export function byNumber(number: number): RpcCall {
  return { method: 'eth_getBlockByNumber', params: [`0x${number.toString(16)}`, false] };
}

/** Can less be asked for where this brings too much? Of one block's logs, there is no less. */
export function canBeLess({ method, params }: RpcCall): boolean {
  return method === 'eth_call' || (method === 'eth_getLogs' && !('blockHash' in Object(params[0])));
}

export function toRequest({ method, params }: RpcCall): JsonRpcRequest {
  lastId = (lastId % Number.MAX_SAFE_INTEGER) + 1;
  return { jsonrpc: '2.0', id: lastId, method, params };
}

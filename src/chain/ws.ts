import type { SecretUrl } from '../lib/secret.ts';
import { RpcError } from './errors.ts';
import { Socket } from './socket.ts';
import { type JsonRpcRequest, MAX_ANSWER_BYTES, type Transport } from './transport.ts';

/** Requests over a WebSocket of their own (subscriptions have another), opened when first needed and again after it was lost. */
export function wsTransport(url: SecretUrl, maxBytes = MAX_ANSWER_BYTES): Transport {
  let closed = false;
  let opening: Promise<Socket> | null = null;
  let connection = 0;

  const socket = async (timeoutMs: number): Promise<Socket> => {
    if (closed) throw new RpcError('unreachable', url.host, 'closed');
    const present = await opening?.catch(() => null);
    if (present && !present.ended) return present;
    const fresh = Socket.open(url, { timeoutMs, maxBytes });
    opening = fresh;
    fresh.then((opened) => (closed ? opened.close() : connection++)).catch(() => {});
    return fresh;
  };

  return {
    async send(message: JsonRpcRequest | readonly JsonRpcRequest[], timeoutMs: number): Promise<unknown> {
      return (await socket(timeoutMs)).send(message, timeoutMs);
    },
    get connection() {
      return connection;
    },
    close() {
      closed = true;
      opening?.then((opened) => opened.close()).catch(() => {});
    },
  };
}

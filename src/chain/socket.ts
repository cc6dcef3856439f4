import type { SecretUrl } from '../lib/secret.ts';
import { asRpcError, RpcError } from './errors.ts';
import { whatInstead } from './http.ts';
import { type JsonRpcRequest, MAX_ANSWER_BYTES } from './transport.ts';

/** Calls under way on one socket; more are refused rather than queued without end. */
const MAX_PENDING = 1_000;

type Pending = { resolve(answer: unknown): void; reject(error: Error): void; readonly timer: NodeJS.Timeout };

export type SocketOptions = {
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  /** Looks at a message before it is parsed; false: it is passed over. */
  readonly wants?: (message: string) => boolean;
  /** `eth_subscription` messages: subscription id and result. */
  readonly onPush?: (subscription: string, result: unknown) => void;
  /** Called once, when an open socket has ended. */
  readonly onEnd?: (error: RpcError) => void;
};

/** One WebSocket to one endpoint, once open until it ends: it never reconnects, its user opens another. */
export class Socket {
  readonly #host: string;
  readonly #ws: WebSocket;
  readonly #options: SocketOptions;
  /** By the id of the call, for a batch by the id of its first call. */
  readonly #pending = new Map<number, Pending>();
  #ended: RpcError | null = null;

  private constructor(host: string, ws: WebSocket, options: SocketOptions) {
    this.#host = host;
    this.#ws = ws;
    this.#options = options;
    ws.onmessage = (event) => this.#receive(event.data);
    ws.onclose = () => this.#end(new RpcError('unreachable', host, 'connection lost'));
    ws.onerror = () => this.#end(new RpcError('unreachable', host, 'connection lost'));
  }

  /** Rejects with `RpcError` when there is no open socket within `timeoutMs`. */
  static open(url: SecretUrl, options: SocketOptions): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const ws = connect(url);
      const fail = (error: RpcError) => {
        clearTimeout(timer);
        ws.onopen = null;
        ws.onerror = () => {};
        ws.onclose = null;
        ws.close();
        reject(error);
      };
      const timer = setTimeout(
        () => fail(new RpcError('timeout', url.host, `no connection within ${options.timeoutMs} ms`)),
        options.timeoutMs,
      );
      ws.onopen = () => {
        clearTimeout(timer);
        resolve(new Socket(url.host, ws, options));
      };
      ws.onerror = () => fail(new RpcError('unreachable', url.host, 'WebSocket connection refused'));
      ws.onclose = () => fail(new RpcError('unreachable', url.host, 'WebSocket connection refused'));
    });
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  send(message: JsonRpcRequest | readonly JsonRpcRequest[], timeoutMs: number): Promise<unknown> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    if (this.#pending.size >= MAX_PENDING)
      return Promise.reject(new RpcError('rate-limited', this.#host, `${MAX_PENDING} calls wait already`));
    const id = 'id' in message ? message.id : message[0]?.id;
    if (id === undefined) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new RpcError('timeout', this.#host, `no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#ws.send(JSON.stringify(message));
    });
  }

  close(): void {
    this.#end(new RpcError('unreachable', this.#host, 'closed'));
  }

  #receive(data: unknown): void {
    const limit = this.#options.maxBytes ?? MAX_ANSWER_BYTES;
    try {
      if (typeof data !== 'string') throw new RpcError('bad-answer', this.#host, 'answered with a binary message');
      // NOTE: which call it answers is unknown without parsing it, so all calls of this socket are told to ask for less.
      if (data.length > limit) throw new RpcError('too-much', this.#host, `the answer is larger than ${limit} bytes`);
      if (this.#options.wants?.(data) === false) return;
      this.#route(parse(this.#host, data));
    } catch (error) {
      this.#end(asRpcError(this.#host, error));
    }
  }

  #route(json: unknown): void {
    if (Array.isArray(json)) {
      for (const answer of json) if (this.#settle(idOf(answer), json)) return;
      return;
    }
    const { method, params } = json as { method?: unknown; params?: { subscription?: unknown; result?: unknown } };
    if (method === 'eth_subscription') this.#options.onPush?.(String(params?.subscription), params?.result);
    else if (!this.#settle(idOf(json), json)) this.#settleOnly(json);
  }

  #settle(id: number | null, answer: unknown): boolean {
    const pending = id === null ? undefined : this.#pending.get(id);
    if (id === null || pending === undefined) return false;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    pending.resolve(answer);
    return true;
  }

  /** An error without an id (a batch refused as a whole) can only belong to the one call under way. */
  #settleOnly(answer: unknown): void {
    const [only, another] = this.#pending.keys();
    if (only !== undefined && another === undefined && typeof answer === 'object' && answer !== null && 'error' in answer)
      this.#settle(only, answer);
  }

  #end(error: RpcError): void {
    if (this.#ended !== null) return;
    this.#ended = error;
    this.#ws.close();
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#pending.clear();
    this.#options.onEnd?.(error);
  }
}

function connect(url: SecretUrl): WebSocket {
  try {
    return new WebSocket(url.reveal());
  } catch {
    throw new RpcError('unreachable', url.host, 'its URL is not one of a WebSocket');
  }
}

function parse(host: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RpcError('bad-answer', host, whatInstead(text));
  }
}

function idOf(answer: unknown): number | null {
  const id = typeof answer === 'object' && answer !== null && 'id' in answer ? answer.id : null;
  return typeof id === 'number' ? id : null;
}

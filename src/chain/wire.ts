/**
 * JSON-RPC over HTTP POST where every tenth of a millisecond counts: on connections that are kept open, written in one go. Does what `postJson` does, and most of it
 * before the moment when something may be sent.
 */
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { explainError } from '../lib/errors.ts';
import type { SecretUrl } from '../lib/secret.ts';
import { RpcError } from './errors.ts';
import { readAnswer, splitCredentials } from './http.ts';

export type WireOptions = { readonly timeoutMs: number; readonly maxBytes: number };

/** A request of which nothing was written yet. */
export type Unsent = {
  /** What is answered. Rejects with RpcError, which names no more of the URL than its host. Once at most. NOTE: redirects are not followed. */
  send(): Promise<unknown>;
};

/** `late`: its time is over. */
type Call = { readonly body: Uint8Array; readonly headers: Readonly<Record<string, string>>; asking?: ClientRequest; late: boolean };
type Opened = { readonly asking: ClientRequest; readonly answered: Promise<IncomingMessage> };

/** Idle connections that are kept: as many as bundles are sent at once. */
const MOST_IDLE = 8;

export class Wire {
  readonly #url: SecretUrl;
  readonly #options: WireOptions;
  readonly #request: typeof request;
  readonly #target: RequestOptions;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: SecretUrl, options: WireOptions) {
    const { target, authorization } = splitCredentials(url);
    const { protocol, hostname, port, pathname, search } = new URL(target);
    const secure = protocol === 'https:';
    const agent = new (secure ? SecureAgent : Agent)({ keepAlive: true, maxFreeSockets: MOST_IDLE });
    this.#url = url;
    this.#options = options;
    this.#request = secure ? secureRequest : request;
    this.#target = {
      method: 'POST',
      agent,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      path: `${pathname}${search}`,
      ...(port && { port }),
    };
    this.#headers = { 'content-type': 'application/json', accept: 'application/json', ...authorization };
  }

  /**
   * Lays a request with a body of JSON out, and takes or opens a connection for it, so that sending it is a single write. It holds the connection until it is
   * answered, or, where it is never sent, for as long as an answer may take.
   */
  prepare(body: Uint8Array, headers: Readonly<Record<string, string>>): Unsent {
    const call: Call = { body, headers, late: false };
    // NOTE: a signal does the same, in a quarter of the time that a request takes until it is on its way.
    const timer = setTimeout(() => {
      call.late = true;
      call.asking?.destroy();
    }, this.#options.timeoutMs);
    const opened = this.#open(call);
    return {
      send: () => {
        // Nobody sent it for so long that its connection was given up.
        if (call.late) return this.prepare(body, headers).send();
        timer.refresh();
        return this.#sent(call, opened).finally(() => clearTimeout(timer));
      },
    };
  }

  #open(call: Call): Opened {
    const headers = { ...this.#headers, ...call.headers, 'content-length': call.body.length };
    const asking = this.#request({ ...this.#target, headers });
    call.asking = asking;
    const answered = answerTo(asking);
    // A connection may fail before anything is sent on it: whoever sends meets that.
    answered.catch(() => {});
    return { asking, answered };
  }

  async #sent(call: Call, opened: Opened): Promise<unknown> {
    const { host } = this.#url;
    try {
      return await this.#ask(call, opened, true);
    } catch (error) {
      if (error instanceof RpcError) throw error;
      if (call.late) throw new RpcError('timeout', host, `no answer within ${this.#options.timeoutMs} ms`);
      throw new RpcError('unreachable', host, explainError(error));
    }
  }

  async #ask(call: Call, { asking, answered }: Opened, again: boolean): Promise<unknown> {
    try {
      asking.end(call.body);
      const response = await answered;
      const head = { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] ?? null };
      return readAnswer(this.#url.host, head, await this.#read(response));
    } catch (error) {
      // The other side had closed a connection that was kept: nothing of it was read there.
      if (again && !call.late && asking.reusedSocket && (error as { code?: unknown }).code === 'ECONNRESET')
        return this.#ask(call, this.#open(call), false);
      throw error;
    }
  }

  async #read(response: IncomingMessage): Promise<string> {
    const { maxBytes } = this.#options;
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      // Leaving the loop ends the connection.
      if (bytes > maxBytes) throw new RpcError('too-much', this.#url.host, `the answer is larger than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, bytes).toString('utf8');
  }
}

function answerTo(asking: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asking.once('response', resolve);
    asking.on('error', reject);
  });
}

/**
 * JSON-RPC over HTTP POST where every tenth of a millisecond counts: on connections that are kept open, written in one go. Does what `postJson` does, in a
 * third of its time until the first byte is on its way.
 */
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { explainError } from '../lib/errors.ts';
import type { SecretUrl } from '../lib/secret.ts';
import { RpcError } from './errors.ts';
import { readAnswer, splitCredentials } from './http.ts';

export type WireOptions = { readonly timeoutMs: number; readonly maxBytes: number };

/** The request that is under way, and whether its time is over. */
type Watch = { asking: ClientRequest | undefined; late: boolean };

/** Idle connections that are kept: as many as bundles are sent at once. */
const MOST_IDLE = 8;

export class Wire {
  readonly #url: SecretUrl;
  readonly #options: WireOptions;
  readonly #open: typeof request;
  readonly #target: RequestOptions;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: SecretUrl, options: WireOptions) {
    const { target, authorization } = splitCredentials(url);
    const { protocol, hostname, port, pathname, search } = new URL(target);
    const secure = protocol === 'https:';
    const agent = new (secure ? SecureAgent : Agent)({ keepAlive: true, maxFreeSockets: MOST_IDLE });
    this.#url = url;
    this.#options = options;
    this.#open = secure ? secureRequest : request;
    this.#target = {
      method: 'POST',
      agent,
      hostname: hostname.replace(/^\[|\]$/g, ''),
      path: `${pathname}${search}`,
      ...(port && { port }),
    };
    this.#headers = { 'content-type': 'application/json', accept: 'application/json', ...authorization };
  }

  /** What is answered to a body of JSON. Rejects with RpcError, which names no more of the URL than its host. NOTE: redirects are not followed. */
  async post(body: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
    const { host } = this.#url;
    const { timeoutMs } = this.#options;
    const watch: Watch = { asking: undefined, late: false };
    // NOTE: a signal does the same, in a quarter of the time that a request takes until it is on its way.
    const timer = setTimeout(() => {
      watch.late = true;
      watch.asking?.destroy();
    }, timeoutMs);
    try {
      return await this.#ask(body, headers, watch, true);
    } catch (error) {
      if (error instanceof RpcError) throw error;
      if (watch.late) throw new RpcError('timeout', host, `no answer within ${timeoutMs} ms`);
      throw new RpcError('unreachable', host, explainError(error));
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(body: string, headers: Readonly<Record<string, string>>, watch: Watch, again: boolean): Promise<unknown> {
    const bytes = Buffer.from(body);
    const asking = this.#open({ ...this.#target, headers: { ...this.#headers, ...headers, 'content-length': bytes.length } });
    watch.asking = asking;
    try {
      const answered = answerTo(asking);
      asking.end(bytes);
      const response = await answered;
      const head = { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] ?? null };
      return readAnswer(this.#url.host, head, await this.#read(response));
    } catch (error) {
      // The other side had closed a connection that was kept: nothing of it was read there.
      if (again && !watch.late && asking.reusedSocket && (error as { code?: unknown }).code === 'ECONNRESET')
        return this.#ask(body, headers, watch, false);
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

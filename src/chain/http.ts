import { explainError } from '../lib/errors.ts';
import type { SecretUrl } from '../lib/secret.ts';
import { RpcError } from './errors.ts';
import { type JsonRpcRequest, MAX_ANSWER_BYTES, type Transport } from './transport.ts';

/** JSON-RPC over HTTP POST. NOTE: redirects are not followed, they could carry the URL's key to another host. */
export function httpTransport(url: SecretUrl, maxBytes = MAX_ANSWER_BYTES): Transport {
  const closed = new AbortController();
  return {
    async send(message: JsonRpcRequest | readonly JsonRpcRequest[], timeoutMs: number, mostBytes = maxBytes): Promise<unknown> {
      const options = { timeoutMs, maxBytes: Math.min(mostBytes, maxBytes), closed: closed.signal };
      return checkIds(url.host, message, await postJson(url, JSON.stringify(message), options));
    },
    connection: 0,
    close: () => closed.abort(),
  };
}

export type PostOptions = {
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends it early. */
  readonly closed?: AbortSignal;
};

/** What is answered to a body of JSON. Throws RpcError, which names no more of the URL than its host. */
export async function postJson(url: SecretUrl, body: string, options: PostOptions): Promise<unknown> {
  const { timeoutMs, maxBytes = MAX_ANSWER_BYTES, closed } = options;
  const { target, authorization } = splitCredentials(url);
  const headers = { 'content-type': 'application/json', accept: 'application/json', ...authorization, ...options.headers };
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const signal = closed === undefined ? timeout : AbortSignal.any([timeout, closed]);
    const response = await fetch(target, { method: 'POST', headers, body, signal, redirect: 'error' });
    const head = { status: response.status, retryAfter: response.headers.get('retry-after') };
    return readAnswer(url.host, head, await bodyOf(url.host, response, maxBytes));
  } catch (error) {
    if (error instanceof RpcError) throw error;
    if (timeout.aborted) throw new RpcError('timeout', url.host, `no answer within ${timeoutMs} ms`);
    throw new RpcError('unreachable', url.host, closed?.aborted ? 'closed' : explainError(error));
  }
}

/** fetch refuses a URL with user and password in it. */
export function splitCredentials(url: SecretUrl): { target: string; authorization: Record<string, string> } {
  const target = new URL(url.reveal());
  if (target.username === '' && target.password === '') return { target: target.href, authorization: {} };
  const pair = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`;
  target.username = '';
  target.password = '';
  return { target: target.href, authorization: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

async function bodyOf(host: string, response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest of the body.
    if (bytes > maxBytes) throw new RpcError('too-much', host, `the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString('utf8');
}

export type AnswerHead = { readonly status: number; readonly retryAfter: string | null };

/** The JSON that an HTTP answer brings. Throws RpcError where it brings none, or is one of refusal. */
export function readAnswer(host: string, { status, retryAfter }: AnswerHead, body: string): unknown {
  if (status === 429) throw new RpcError('rate-limited', host, 'too many requests (HTTP 429)', retryAfterMs(retryAfter));
  if (status === 413) throw new RpcError('too-much', host, 'the answer would be too large (HTTP 413)');
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw new RpcError('bad-answer', host, `${whatInstead(body)} (HTTP ${status})`);
  }
  // Some nodes put a JSON-RPC error under an HTTP error status: then the JSON says more.
  const ok = status >= 200 && status < 300;
  if (ok || (typeof json === 'object' && json !== null && ('error' in json || Array.isArray(json)))) return json;
  throw new RpcError('bad-answer', host, `HTTP ${status}`);
}

/** NOTE: an answer to another call would be believed: gateways that mix up their connections do that. An error may come without an id. */
function checkIds(host: string, message: JsonRpcRequest | readonly JsonRpcRequest[], answer: unknown): unknown {
  if (!('id' in message) || typeof answer !== 'object' || answer === null) return answer;
  const { id, error } = answer as { id?: unknown; error?: unknown };
  if (id === message.id || (error !== undefined && id == null)) return answer;
  throw new RpcError('bad-answer', host, `${message.method}: answered with the id of another call`);
}

/** In seconds; the other form of the header, a date, is not compared with a clock that may be wrong. */
function retryAfterMs(retryAfter: string | null): { retryAfterMs?: number } {
  const seconds = Number(retryAfter ?? Number.NaN);
  return seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {};
}

export function whatInstead(body: string): string {
  const start = body.trimStart();
  if (start === '') return 'answered with nothing instead of JSON';
  if (start.startsWith('<')) return 'answered with HTML instead of JSON; is this the address of a JSON-RPC endpoint?';
  if (start.startsWith('{') || start.startsWith('[')) return 'answered with JSON that is cut off or malformed';
  return 'answered with something that is not JSON';
}

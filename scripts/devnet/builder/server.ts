/**
 * HTTP on loopback: `POST /` is the relay (JSON-RPC, signed), `POST /control` the control API, `GET /hints` the stream of order-flow hints. A relay request goes through: read and parse,
 * faults, signature, method. Whatever it holds, the answer is a JSON-RPC error, never a crash.
 */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Authenticated, authenticate } from './auth.ts';
import type { Builder } from './builder.ts';
import { readCommand } from './control.ts';
import { streamHints } from './hints.ts';
import type { Log } from './log.ts';
import type { Fault } from './protocol.ts';
import { RelayError } from './requests.ts';

/** 300 kB of transactions are 600 kB of hex. */
const MAX_BODY_BYTES = 2_000_000;
const MAX_UNANSWERED = 256;
/** NOTE: a client that sends on a connection in the very moment in which it is given up sees a reset; one slot is far shorter than this. */
const KEEP_ALIVE_MS = 75_000;

type Answer = { status: number; body: string; headers?: Record<string, string> };
type RpcRequest = { id: string | number | null; method: string; params: unknown };

export type BuilderServer = { url: string; close(): Promise<void> };

export async function serve(builder: Builder, port: number, log: Log): Promise<BuilderServer> {
  const unanswered = new Set<ServerResponse>();
  const server = http.createServer((request, response) => {
    if (request.method === 'GET' && request.url?.split('?')[0] === '/hints') return streamHints(builder.orderFlow, response);
    answer(builder, request, unanswered, response)
      .catch((error: Error) => {
        log('request.failed', { error: error.message });
        return { status: 500, body: rpcError(null, -32603, 'internal error') };
      })
      .then((result) => result && send(response, result));
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** undefined: the request is never answered. */
async function answer(
  builder: Builder,
  request: IncomingMessage,
  unanswered: Set<ServerResponse>,
  response: ServerResponse,
): Promise<Answer | undefined> {
  const path = request.url?.split('?')[0];
  if (request.method !== 'POST' || (path !== '/' && path !== '/control'))
    return { status: 404, body: rpcError(null, -32600, 'POST / or /control') };
  const body = await readBody(request);
  if (body === undefined) return { status: 413, body: rpcError(null, -32600, `request is larger than ${MAX_BODY_BYTES} bytes`) };
  if (path === '/control') return control(builder, body, request.headers['content-type']);
  const call = readCall(body);
  if ('error' in call) return { status: 400, body: call.error };
  const faults = builder.faults.take(call.method);
  for (const { delayMs } of faults.filter(({ kind }) => kind === 'delay')) await sleep(delayMs ?? 1_000);
  const broken = brokenAnswer(faults, call.id);
  if (broken) return broken;
  const result = await relay(builder, call, body, request, faults);
  if (!faults.some(({ kind }) => kind === 'silent')) return result;
  keepOpen(unanswered, response);
  return undefined;
}

async function relay(
  builder: Builder,
  call: RpcRequest,
  body: string,
  request: IncomingMessage,
  faults: readonly Fault[],
): Promise<Answer> {
  const signer = signerOf(body, request);
  if (!signer.ok) return { status: 403, body: rpcError(call.id, -32600, signer.message) };
  const method = builder.methods.get(call.method);
  if (!method) return { status: 200, body: rpcError(call.id, -32601, `the method ${call.method} does not exist`) };
  try {
    const dropped = faults.some(({ kind }) => kind === 'drop');
    const result = await method(call.params, { signer: signer.signer, dropped });
    return { status: 200, body: JSON.stringify({ jsonrpc: '2.0', id: call.id, result }) };
  } catch (error) {
    const code = error instanceof RelayError ? error.code : -32603;
    return { status: 200, body: rpcError(call.id, code, (error as Error).message) };
  }
}

function signerOf(body: string, request: IncomingMessage): Authenticated {
  const header = request.headers['x-flashbots-signature'];
  return authenticate(body, typeof header === 'string' ? header : undefined);
}

function brokenAnswer(faults: readonly Fault[], id: RpcRequest['id']): Answer | undefined {
  const fault = faults.find(({ kind }) => kind === 'http429' || kind === 'http500' || kind === 'wrong');
  if (!fault) return undefined;
  if (fault.kind === 'http429') return { status: 429, body: rpcError(id, -32005, 'rate limit exceeded'), headers: { 'retry-after': '1' } };
  if (fault.kind === 'http500') return { status: 500, body: 'internal server error', headers: { 'content-type': 'text/plain' } };
  if (fault.wrong === 'html')
    return { status: 200, body: '<html><body>Bad gateway</body></html>', headers: { 'content-type': 'text/html' } };
  if (fault.wrong === 'text') return { status: 200, body: '{"jsonrpc":"2.0","id":' };
  return { status: 200, body: JSON.stringify({ jsonrpc: '2.0', id, result: { nonsense: [1, '0xzz', null] } }) };
}

async function control(builder: Builder, body: string, contentType: string | undefined): Promise<Answer> {
  // NOTE: a web page can post to loopback, but not with this content type unless it is asked first.
  if (!contentType?.startsWith('application/json')) return { status: 415, body: controlError('content-type must be application/json') };
  try {
    const result = await builder.control(readCommand(body));
    return { status: 200, body: JSON.stringify({ ok: true, result }) };
  } catch (error) {
    return { status: 400, body: controlError((error as Error).message) };
  }
}

function controlError(error: string): string {
  return JSON.stringify({ ok: false, error });
}

function readCall(body: string): RpcRequest | { error: string } {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return { error: rpcError(null, -32700, 'parse error: the body is not JSON') };
  }
  if (Array.isArray(parsed)) return { error: rpcError(null, -32600, 'batches are not supported') };
  const { id, method, params } = (typeof parsed === 'object' ? (parsed ?? {}) : {}) as Partial<RpcRequest>;
  const known = typeof id === 'string' || typeof id === 'number' ? id : null;
  if (typeof method !== 'string') return { error: rpcError(known, -32600, 'invalid request: no method') };
  return { id: known, method, params };
}

function rpcError(id: RpcRequest['id'], code: number, message: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });
}

/** undefined: too large. It is then read to its end (within bounds), so that the sender gets to read the answer. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
    if (bytes > 10 * MAX_BODY_BYTES) break;
  }
  return bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString('utf8');
}

function keepOpen(unanswered: Set<ServerResponse>, response: ServerResponse): void {
  unanswered.add(response);
  response.once('close', () => unanswered.delete(response));
  if (unanswered.size > MAX_UNANSWERED) unanswered.values().next().value!.destroy();
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}

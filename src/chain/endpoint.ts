import type { SecretUrl } from '../lib/secret.ts';
import type { Head, Hex } from '../lib/types.ts';
import { asRpcError, errorFromAnswer, RpcError } from './errors.ts';
import { httpTransport } from './http.ts';
import { parseHead, parseQuantity } from './parse.ts';
import type { JsonRpcRequest, Transport } from './transport.ts';
import type { Notify, RpcAnswer, RpcCall } from './types.ts';
import { wsTransport } from './ws.ts';

const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;
/** An endpoint of another chain is asked again now and then: its operator may have mended it. */
const REFUSED_REST_MS = 60_000;
const REMEMBERED_BLOCKS = 64;
const LATEST = { method: 'eth_getBlockByNumber', params: ['latest', false] };

let lastId = 0;

/** The chain that all endpoints have to be on. Unset until the first endpoint has told it, when the operator did not. */
export type ChainIdentity = { expected: number | null };

/** One endpoint: is it on our chain, is it resting after a failure, which blocks is it known to have. */
export class Endpoint {
  readonly url: SecretUrl;
  readonly host: string;
  readonly subscribes: boolean;
  readonly #transport: Transport;
  readonly #identity: ChainIdentity;
  readonly #notify: Notify;
  readonly #known = new Set<Hex>();
  #verified: Promise<void> | null = null;
  #failures = 0;
  #refused = false;
  #restUntil = 0;
  #behindUntil = 0;

  constructor(url: SecretUrl, identity: ChainIdentity, notify: Notify) {
    this.url = url;
    this.host = url.host;
    this.subscribes = url.protocol === 'ws:' || url.protocol === 'wss:';
    this.#transport = this.subscribes ? wsTransport(url) : httpTransport(url);
    this.#identity = identity;
    this.#notify = notify;
  }

  /** Milliseconds for which it should be left alone; 0 when it may be asked. */
  get restMs(): number {
    return Math.max(0, this.#restUntil - performance.now(), this.#behindUntil - performance.now());
  }

  /** It is on another chain, and it is too early to look again. */
  get refused(): boolean {
    return this.#refused && this.restMs > 0;
  }

  get behind(): boolean {
    return this.#behindUntil > performance.now();
  }

  /** Asks for the chain id, once until the next failure; rejects with kind `wrong-chain` on another chain than ours. */
  async verify(timeoutMs: number): Promise<void> {
    this.#verified ??= this.#checkChain(timeoutMs);
    try {
      await this.#verified;
    } catch (error) {
      this.#verified = null;
      throw error;
    }
  }

  async call(call: RpcCall, timeoutMs: number, knows?: Hex): Promise<unknown> {
    await this.verify(timeoutMs);
    const result = await this.#single(call, timeoutMs);
    const empty = result === null || (Array.isArray(result) && result.length === 0);
    if (knows !== undefined && empty) await this.#mustKnow(knows, timeoutMs);
    return result;
  }

  async batch(calls: readonly RpcCall[], timeoutMs: number): Promise<RpcAnswer[]> {
    await this.verify(timeoutMs);
    const requests = calls.map(toRequest);
    const answer = await this.#timed(calls, () => this.#transport.send(requests, timeoutMs));
    if (!Array.isArray(answer)) throw errorOf(this.host, 'batch', answer);
    const byId = new Map(answer.map((one: unknown) => [(one as { id?: unknown } | null)?.id, one]));
    return requests.map(({ id, method }) => {
      try {
        return { ok: true, result: resultOf(this.host, method, byId.get(id)) };
      } catch (error) {
        return { ok: false, error: error as Error };
      }
    });
  }

  /** This endpoint announced the block, or answered for it. */
  learn(block: Hex): void {
    this.#known.add(block);
    for (const oldest of this.#known) {
      if (this.#known.size <= REMEMBERED_BLOCKS) break;
      this.#known.delete(oldest);
    }
  }

  succeeded(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#restUntil = 0;
    this.#notify({ kind: 'endpoint-back', host: this.host });
  }

  failed(error: RpcError): void {
    this.#verified = null;
    // Calls that were under way together fail together, and count once.
    if (this.restMs > 0) return;
    const refused = error.kind === 'wrong-chain';
    this.#refused = refused;
    this.#failures++;
    const restMs = refused ? REFUSED_REST_MS : Math.min(FIRST_REST_MS * 2 ** (this.#failures - 1), LONGEST_REST_MS);
    this.#restUntil = performance.now() + restMs;
    if (refused) this.#notify({ kind: 'endpoint-refused', host: this.host, reason: error.message });
    else this.#notify({ kind: 'endpoint-failed', host: this.host, reason: error.message, restMs });
  }

  /** It works, but its chain is not up to date. */
  fellBehind(blocks: number, restMs: number): void {
    this.#behindUntil = performance.now() + restMs;
    this.#notify({ kind: 'endpoint-failed', host: this.host, reason: `${this.host}: is ${blocks} blocks behind`, restMs });
  }

  /** Its newest block, which it then is known to have. */
  async latest(timeoutMs: number): Promise<Head> {
    try {
      const head = parseHead(await this.call(LATEST, timeoutMs));
      this.learn(head.hash);
      return head;
    } catch (error) {
      throw asRpcError(this.host, error);
    }
  }

  close(): void {
    this.#transport.close();
  }

  async #checkChain(timeoutMs: number): Promise<void> {
    const chainId = parseQuantity(await this.#single({ method: 'eth_chainId', params: [] }, timeoutMs), 'eth_chainId');
    this.#identity.expected ??= chainId;
    const { expected } = this.#identity;
    if (chainId !== expected) throw new RpcError('wrong-chain', this.host, `is on chain ${chainId}, not on chain ${expected}`);
  }

  async #mustKnow(block: Hex, timeoutMs: number): Promise<void> {
    if (this.#known.has(block)) return;
    const header = await this.#single({ method: 'eth_getBlockByHash', params: [block, false] }, timeoutMs);
    if (header === null) throw new RpcError('unknown-block', this.host, `does not know block ${block} yet`);
    this.learn(block);
  }

  async #single(call: RpcCall, timeoutMs: number): Promise<unknown> {
    const answer = await this.#timed([call], () => this.#transport.send(toRequest(call), timeoutMs));
    return resultOf(this.host, call.method, answer);
  }

  async #timed<T>(calls: readonly RpcCall[], work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    let ok = false;
    try {
      const answer = await work();
      ok = true;
      return answer;
    } finally {
      const ms = performance.now() - began;
      for (const { method } of calls) this.#notify({ kind: 'call', host: this.host, method, ms, ok });
    }
  }
}

function toRequest({ method, params }: RpcCall): JsonRpcRequest {
  lastId = (lastId % Number.MAX_SAFE_INTEGER) + 1;
  return { jsonrpc: '2.0', id: lastId, method, params };
}

function resultOf(host: string, method: string, answer: unknown): unknown {
  if (typeof answer === 'object' && answer !== null && 'result' in answer) return answer.result;
  throw errorOf(host, method, answer);
}

function errorOf(host: string, method: string, answer: unknown): RpcError {
  if (typeof answer === 'object' && answer !== null && 'error' in answer) return errorFromAnswer(host, method, answer.error);
  return new RpcError('bad-answer', host, `${method}: answered with JSON that is no JSON-RPC answer`);
}

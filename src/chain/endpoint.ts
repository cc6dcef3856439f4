import type { SecretUrl } from '../lib/secret.ts';
import type { Head, Hex } from '../lib/types.ts';
import { type Amends, AmendsClock } from './amends.ts';
import { asRpcError, errorFromAnswer, type Lie, RpcError } from './errors.ts';
import { sealOf } from './header.ts';
import { httpTransport } from './http.ts';
import { parseHead, parseQuantity } from './parse.ts';
import { byNumber, canBeLess, LATEST, toRequest } from './requests.ts';
import { Standing } from './standing.ts';
import type { Transport } from './transport.ts';
import type { Answerer, CallOptions, Notify, RpcAnswer, RpcCall } from './types.ts';
import { wsTransport } from './ws.ts';

const REMEMBERED_BLOCKS = 64;
/** A gateway may lead to another node, and that to another chain, at any time: the chain id is asked for again, beside other calls. */
const RECHECK_MS = 60_000;
const AMENDS_TIMEOUT_MS = 5_000;
const HEADERS = new Set(['eth_getBlockByNumber', 'eth_getBlockByHash']);

export type ChainIdentity = {
  /** The chain that all endpoints have to be on. Null until the first endpoint has told it, when the operator did not. */
  expected: number | null;
  /** The most fields of later forks in a header whose fields made its hash, whoever told it; null while there was none: some chains hash otherwise. */
  sealed: number | null;
};

/** One endpoint: is it on our chain, can it be asked, can it be trusted, which blocks is it known to have. */
export class Endpoint implements Answerer {
  readonly url: SecretUrl;
  readonly host: string;
  readonly subscribes: boolean;
  readonly #transport: Transport;
  readonly #identity: ChainIdentity;
  readonly #notify: Notify;
  readonly #alone: () => boolean;
  readonly #standing = new Standing();
  readonly #known = new Set<Hex>();
  #checking: Promise<void> | null = null;
  /** The connection on which the chain id was last right; null when it has to be asked for before anything else. */
  #verifiedOn: number | null = null;
  #verifiedAt = 0;
  #amends: AmendsClock | undefined;

  /** `alone`: can no endpoint be trusted? */
  constructor(url: SecretUrl, identity: ChainIdentity, notify: Notify, alone: () => boolean) {
    this.url = url;
    this.host = url.host;
    this.subscribes = url.protocol === 'ws:' || url.protocol === 'wss:';
    this.#transport = this.subscribes ? wsTransport(url) : httpTransport(url);
    this.#identity = identity;
    this.#notify = notify;
    this.#alone = alone;
  }

  /** Milliseconds for which it should be left alone; 0 when it may be asked. */
  get restMs(): number {
    return this.#standing.restMs(performance.now());
  }

  /** Milliseconds for which it asked to be left alone. */
  get limitedMs(): number {
    return this.#standing.limitedMs(performance.now());
  }

  /** Why nothing it says counts; null while it is trusted. */
  get distrust(): string | null {
    return this.#standing.lie?.reason ?? null;
  }

  get lie(): Lie | null {
    return this.#standing.lie?.lie ?? null;
  }

  get behind(): boolean {
    return this.#standing.behind(performance.now());
  }

  /** Asks for the chain id where that is not known of this connection; rejects with kind `wrong-chain` on another chain than ours. */
  async verify(timeoutMs: number): Promise<void> {
    // Twice: the connection may have been lost while it was asked.
    for (let attempt = 0; attempt < 2 && this.#verifiedOn !== this.#transport.connection; attempt++) await this.#check(timeoutMs);
    if (performance.now() - this.#verifiedAt > RECHECK_MS) this.#recheck(timeoutMs);
  }

  /** Throws with kind `wrong-chain` when this is not the chain id that all endpoints share. */
  mustBeOurs(answered: unknown): void {
    const chainId = parseQuantity(answered, 'eth_chainId');
    this.#identity.expected ??= chainId;
    const { expected } = this.#identity;
    if (chainId !== expected) throw new RpcError('wrong-chain', this.host, `is on chain ${chainId}, not on chain ${expected}`);
  }

  /** What it says does not fit: the next call asks for the chain id first. */
  suspect(): void {
    this.#verifiedOn = null;
  }

  async call(call: RpcCall, timeoutMs: number, { knows, maxBytes }: Pick<CallOptions, 'knows' | 'maxBytes'> = {}): Promise<unknown> {
    await this.verify(timeoutMs);
    const result = await this.#single(call, timeoutMs, maxBytes);
    // NOTE: the call may have opened a new connection, to who knows whom.
    await this.verify(timeoutMs);
    const empty = result === null || (Array.isArray(result) && result.length === 0);
    if (knows !== undefined && empty) await this.#mustKnow(knows, timeoutMs);
    return result;
  }

  async batch(calls: readonly RpcCall[], timeoutMs: number): Promise<RpcAnswer[]> {
    await this.verify(timeoutMs);
    const requests = calls.map(toRequest);
    const answer = await this.#timed(calls, () => this.#transport.send(requests, timeoutMs));
    await this.verify(timeoutMs);
    if (!Array.isArray(answer)) throw errorOf(this.host, 'batch', answer);
    const byId = new Map(answer.map((one: unknown) => [(one as { id?: unknown } | null)?.id, one]));
    return requests.map(({ id, method }) => {
      try {
        return { ok: true, result: this.#resultOf(method, byId.get(id)) };
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
    if (this.#standing.succeeded()) this.#notify({ kind: 'endpoint-back', host: this.host });
  }

  failed(error: RpcError): void {
    this.suspect();
    if (error.lie !== undefined) {
      this.distrustFor(error.lie, error.message, async () => true);
      return;
    }
    // Calls that were under way together fail together, and count once.
    if (this.restMs > 0) return;
    const restMs = this.#standing.failed(performance.now(), error.kind === 'rate-limited' ? error.retryAfterMs : undefined);
    this.#notify({ kind: 'endpoint-failed', host: this.host, reason: error.message, failure: error.kind, restMs });
  }

  /**
   * It was shown to lie: it is asked nothing more until it is on our chain, tells a sound head, and has made `amends`; that is tried after pauses that
   * grow from 5 s to 10 min, and every 5 s while no endpoint can be trusted.
   */
  distrustFor(lie: Lie, reason: string, amends: Amends): void {
    if (this.distrust !== null) return;
    const restMs = this.#standing.lied(performance.now(), lie, reason);
    this.#notify({ kind: 'endpoint-distrusted', host: this.host, reason, lie, restMs });
    const madeGood = async () => {
      this.suspect();
      await this.latest(AMENDS_TIMEOUT_MS);
      if (!(await amends())) return false;
      this.#standing.madeGood();
      this.#notify({ kind: 'endpoint-trusted', host: this.host });
      return true;
    };
    const again = () => this.#standing.lied(performance.now(), lie, reason);
    this.#amends = new AmendsClock({ alone: this.#alone, madeGood, again });
    this.#amends.begin(restMs);
  }

  /** It works, but its chain is not up to date. */
  fellBehind(blocks: number, restMs: number): void {
    this.#standing.fellBehind(performance.now(), restMs);
    const reason = `${this.host}: is ${blocks} blocks behind`;
    this.#notify({ kind: 'endpoint-failed', host: this.host, reason, failure: 'behind', restMs });
  }

  /** Its newest block, which it then is known to have. */
  async latest(timeoutMs: number): Promise<Head> {
    const head = await this.#head(LATEST, timeoutMs);
    if (head === null) throw new RpcError('bad-answer', this.host, 'has no newest block');
    this.learn(head.hash);
    return head;
  }

  /** Its block of this number or hash; null when it has none. */
  async block(at: number | Hex, timeoutMs: number): Promise<Head | null> {
    const call = typeof at === 'number' ? byNumber(at) : { method: 'eth_getBlockByHash', params: [at, false] };
    const head = await this.#head(call, timeoutMs);
    if (head !== null && head.number !== at && head.hash !== at) throw new RpcError('bad-answer', this.host, 'answered with another block');
    return head;
  }

  /** Some announce heads with fields left out. Where headers are known to make their hashes, one that does not is asked for. */
  async announced(header: unknown, timeoutMs: number): Promise<Head> {
    const head = parseHead(header);
    if (this.#identity.sealed === null || sealOf(header)?.fits) return head;
    const asked = await this.block(head.hash, timeoutMs);
    if (asked === null) throw new RpcError('bad-answer', this.host, `announced block ${head.number} and does not have it`);
    return asked;
  }

  close(): void {
    this.#amends?.close();
    this.#transport.close();
  }

  async #head(call: RpcCall, timeoutMs: number): Promise<Head | null> {
    try {
      const result = await this.call(call, timeoutMs);
      return result === null ? null : parseHead(result);
    } catch (error) {
      throw asRpcError(this.host, error);
    }
  }

  #check(timeoutMs: number): Promise<void> {
    this.#checking ??= this.#checkChain(timeoutMs).finally(() => {
      this.#checking = null;
    });
    return this.#checking;
  }

  #recheck(timeoutMs: number): void {
    this.#verifiedAt = performance.now();
    this.#check(timeoutMs).catch((error) => {
      if (error instanceof RpcError) this.failed(error);
    });
  }

  async #checkChain(timeoutMs: number): Promise<void> {
    this.mustBeOurs(await this.#single({ method: 'eth_chainId', params: [] }, timeoutMs));
    this.#verifiedOn = this.#transport.connection;
    this.#verifiedAt = performance.now();
  }

  async #mustKnow(block: Hex, timeoutMs: number): Promise<void> {
    if (this.#known.has(block)) return;
    const header = await this.#single({ method: 'eth_getBlockByHash', params: [block, false] }, timeoutMs);
    if (header === null) throw new RpcError('unknown-block', this.host, `does not know block ${block} yet`);
    this.learn(block);
  }

  async #single(call: RpcCall, timeoutMs: number, maxBytes?: number): Promise<unknown> {
    try {
      return this.#resultOf(call.method, await this.#timed([call], () => this.#transport.send(toRequest(call), timeoutMs, maxBytes)));
    } catch (error) {
      if (error instanceof RpcError && error.kind === 'too-much' && !canBeLess(call))
        throw new RpcError('bad-answer', this.host, `${call.method}: answered with far too much`, { cause: error });
      throw error;
    }
  }

  #resultOf(method: string, answer: unknown): unknown {
    if (typeof answer !== 'object' || answer === null || !('result' in answer)) throw errorOf(this.host, method, answer);
    if (HEADERS.has(method)) this.#checkSeal(answer.result);
    return answer.result;
  }

  /** Throws with kind `lied` when a header's fields do not make its hash, where as many did. NOTE: one with fewer has some left out, and shows nothing. */
  #checkSeal(header: unknown): void {
    const seal = sealOf(header);
    if (seal === null) return;
    const { sealed } = this.#identity;
    if (seal.fits) this.#identity.sealed = Math.max(sealed ?? 0, seal.fields);
    else if (sealed !== null && seal.fields >= sealed) {
      const { hash } = header as { hash: string };
      throw new RpcError('lied', this.host, `the fields of block ${hash} do not make its hash`, { lie: 'forged-head' });
    }
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

function errorOf(host: string, method: string, answer: unknown): RpcError {
  if (typeof answer === 'object' && answer !== null && 'error' in answer) return errorFromAnswer(host, method, answer.error);
  return new RpcError('bad-answer', host, `${method}: answered with JSON that is no JSON-RPC answer`);
}

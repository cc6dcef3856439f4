import { sleep } from '../lib/async.ts';
import { OperatorError } from '../lib/errors.ts';
import type { SecretUrl } from '../lib/secret.ts';
import type { Head } from '../lib/types.ts';
import { type ChainIdentity, Endpoint } from './endpoint.ts';
import { asRpcError, RpcError } from './errors.ts';
import { LogAudit } from './log-audit.ts';
import { LogProver } from './log-proof.ts';
import { RangeAudit } from './range-audit.ts';
import type { Answerer, CallOptions, Notify, Rpc, RpcAnswer, RpcCall, Witness } from './types.ts';

const TIMEOUT_MS = 10_000;
const LONGEST_TIMEOUT_MS = 30_000;
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 1_000;
/** An endpoint that asks to be left alone for longer is not waited for. */
const LONGEST_LIMITED_MS = 5_000;
const MOST_REFUTED = 128;

export type RpcOptions = {
  /** Refuse endpoints of any other chain; when absent, the first endpoint that answers decides. */
  readonly chainId?: number;
  /** No answer is waited for longer, whatever the call asks for. */
  readonly timeoutMs?: number;
  readonly notify?: Notify;
};

/**
 * Calls over several endpoints. The first in the operator's order that is not resting is asked; when it fails (down, slow, rate limit, nonsense)
 * it rests, from 1 s doubling to 30 s, and the next is asked. One that was shown to lie is not asked at all before it has made good; when all were, calls reject
 * with kind `untrusted`. A revert or a refusal is an answer and goes to the caller at once.
 */
export class RpcPool implements Rpc {
  readonly chainId: number;
  readonly endpoints: readonly Endpoint[];
  readonly witness: Witness;
  readonly #timeoutMs: number;
  /** Calls that each has to answer now. */
  readonly #underWay = new Map<Endpoint, number>();
  readonly #audit: LogAudit;
  /** Blocks whose logs were shown to be wrong after they were used, for whoever follows the chain. */
  readonly #refuted: Head[] = [];
  #onRefuted: () => void = () => {};

  private constructor(endpoints: readonly Endpoint[], chainId: number, timeoutMs: number, notify: Notify) {
    this.endpoints = endpoints;
    this.chainId = chainId;
    this.#timeoutMs = timeoutMs;
    const audit = new LogAudit({ endpoints, prover: new LogProver(endpoints), notify, refuted: (heads) => this.#refute(heads) });
    const ranges = new RangeAudit({ rpc: this, endpoints, audit });
    this.#audit = audit;
    this.witness = { heard: (answer) => audit.heard(answer), vouch: (answer) => ranges.vouch(answer) };
  }

  /** Resolves once the chain id is known from an endpoint; throws `OperatorError` naming every host and its fault when there is none. */
  static async open(urls: readonly SecretUrl[], options: RpcOptions = {}): Promise<RpcPool> {
    const { timeoutMs = LONGEST_TIMEOUT_MS, notify = () => {} } = options;
    const firstMs = Math.min(timeoutMs, TIMEOUT_MS);
    const identity: ChainIdentity = { expected: options.chainId ?? null, sealed: null };
    let audit: LogAudit | undefined;
    const heardOf: Notify = (notice) => {
      notify(notice);
      if (notice.kind === 'endpoint-distrusted' && notice.lie === 'wrong-logs') audit?.forsake(notice.host);
    };
    const endpoints: Endpoint[] = urls.map(
      (url) =>
        new Endpoint(
          url,
          identity,
          tellTrust(() => endpoints, heardOf),
          () => distrustOf(endpoints) !== null,
        ),
    );
    const faults: string[] = [];
    // In the operator's order, so that the preferred endpoint and not the fastest decides which chain it is.
    for (const endpoint of endpoints) {
      try {
        await endpoint.verify(firstMs);
        verifyRest(endpoints, firstMs);
        const pool = new RpcPool(endpoints, identity.expected!, timeoutMs, notify);
        audit = pool.#audit;
        return pool;
      } catch (error) {
        const fault = asRpcError(endpoint.host, error);
        endpoint.failed(fault);
        faults.push(fault.message);
      }
    }
    for (const endpoint of endpoints) endpoint.close();
    throw new OperatorError(`no endpoint of RPC_URLS is usable: ${faults.join('; ') || 'none was given'}`);
  }

  request(method: string, params: readonly unknown[], options: CallOptions = {}): Promise<unknown> {
    return this.#withFailover(options, (endpoint, timeoutMs) => endpoint.call({ method, params }, timeoutMs, options));
  }

  ask<T>(call: RpcCall, parse: (result: unknown, from: Answerer) => T, options: CallOptions = {}): Promise<T> {
    return this.#withFailover(options, async (endpoint, timeoutMs) => parse(await endpoint.call(call, timeoutMs, options), endpoint));
  }

  batch(calls: readonly RpcCall[], options: CallOptions = {}): Promise<readonly RpcAnswer[]> {
    if (calls.length === 0) return Promise.resolve([]);
    return this.#withFailover(options, async (endpoint, timeoutMs) => {
      const answers = await endpoint.batch(calls, timeoutMs);
      // What another endpoint may do better is worth asking it for the whole batch.
      for (const answer of answers) if (!answer.ok && answer.error instanceof RpcError && elsewhere(answer.error)) throw answer.error;
      return answers;
    });
  }

  get breadth(): number {
    return Math.max(1, this.endpoints.filter(({ restMs }) => restMs === 0).length);
  }

  /** Why no endpoint can be trusted; null while one can. */
  get distrust(): string | null {
    return distrustOf(this.endpoints);
  }

  /** Blocks whose logs turned out wrong after they had been used, each told once; `changed` is called when there are more. */
  refuted(changed: () => void): readonly Head[] {
    this.#onRefuted = changed;
    return this.#refuted.splice(0);
  }

  close(): void {
    this.#audit.close();
    for (const endpoint of this.endpoints) endpoint.close();
  }

  async #withFailover<T>(options: CallOptions, ask: (endpoint: Endpoint, timeoutMs: number) => Promise<T>): Promise<T> {
    const { attempts = ATTEMPTS } = options;
    const timeoutMs = Math.min(options.timeoutMs ?? TIMEOUT_MS, this.#timeoutMs);
    const tried = new Set<Endpoint>();
    let rounds = 0;
    for (let attempt = 1; ; attempt++) {
      const endpoint = this.#next(tried, options.spread);
      const { limitedMs } = endpoint;
      if (limitedMs > LONGEST_LIMITED_MS)
        throw new RpcError('rate-limited', endpoint.host, `asked to be left alone for ${Math.ceil(limitedMs / 1_000)} s more`);
      if (limitedMs > 0) await sleep(limitedMs);
      this.#underWay.set(endpoint, this.#load(endpoint) + 1);
      try {
        const answer = await ask(endpoint, timeoutMs).finally(() => this.#underWay.set(endpoint, this.#load(endpoint) - 1));
        endpoint.succeeded();
        return answer;
      } catch (thrown) {
        const error = asRpcError(endpoint.host, thrown);
        if (error.endpointAtFault) endpoint.failed(error);
        // A gateway may have led it elsewhere.
        if (error.kind === 'unknown-block') endpoint.suspect();
        tried.add(endpoint);
        const allTried = this.endpoints.every((one) => tried.has(one) || one.distrust !== null);
        if (attempt >= attempts || !elsewhere(error) || (allTried && error.kind === 'unsupported')) throw error;
        if (!allTried) continue;
        tried.clear();
        await sleep(Math.min(FIRST_WAIT_MS * 2 ** rounds++, LONGEST_WAIT_MS));
      }
    }
  }

  #load(endpoint: Endpoint): number {
    return this.#underWay.get(endpoint) ?? 0;
  }

  #refute(heads: readonly Head[]): void {
    this.#refuted.push(...heads);
    this.#refuted.splice(0, this.#refuted.length - MOST_REFUTED);
    this.#onRefuted();
  }

  /** The preferred endpoint that is not resting, or the least loaded of those; when all rest, the one that has rested most. Never one that is distrusted. */
  #next(tried: ReadonlySet<Endpoint>, spread = false): Endpoint {
    const trusted = this.endpoints.filter(({ distrust }) => distrust === null);
    const untried = trusted.filter((endpoint) => !tried.has(endpoint));
    const open = untried.length > 0 ? untried : trusted;
    if (open.length === 0) throw new RpcError('untrusted', 'RPC_URLS', `no endpoint can be trusted: ${this.distrust}`);
    const rested = open.filter(({ restMs }) => restMs === 0);
    const [first] = spread ? rested.toSorted((a, b) => this.#load(a) - this.#load(b)) : rested;
    return first ?? open.reduce((best, endpoint) => (endpoint.restMs < best.restMs ? endpoint : best));
  }
}

/** The others are checked beside, so that the operator hears of a wrong or dead one at the start and not when it is needed. */
function verifyRest(endpoints: readonly Endpoint[], timeoutMs: number): void {
  for (const endpoint of endpoints)
    if (endpoint.restMs === 0)
      endpoint.verify(timeoutMs).catch((error) => {
        if (error instanceof RpcError) endpoint.failed(error);
      });
}

function distrustOf(endpoints: readonly Endpoint[]): string | null {
  return endpoints.every(({ distrust }) => distrust !== null) ? endpoints.map(({ distrust }) => distrust).join('; ') : null;
}

/** Says so when the last endpoint has lost trust, and when one can be trusted again. */
function tellTrust(endpoints: () => readonly Endpoint[], notify: Notify): Notify {
  return (notice) => {
    notify(notice);
    const reason = notice.kind === 'endpoint-distrusted' ? distrustOf(endpoints()) : null;
    if (reason !== null) notify({ kind: 'none-trusted', reason });
    const others = notice.kind === 'endpoint-trusted' && endpoints().filter(({ distrust }) => distrust === null).length === 1;
    if (others) notify({ kind: 'trusted-again', host: notice.host });
  };
}

function elsewhere(error: RpcError): boolean {
  return error.endpointAtFault || error.kind === 'unknown-block' || error.kind === 'unsupported';
}

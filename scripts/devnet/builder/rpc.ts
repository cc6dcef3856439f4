/** JSON-RPC to the anvil that the builder drives: kept-alive connections, one timeout, per-call results for batches. */
import http from 'node:http';

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export type RpcCall = { method: string; params: readonly unknown[] };
export type RpcResult = { ok: true; value: unknown } | { ok: false; message: string };

export class RpcFailure extends Error {
  override name = 'RpcFailure';
}

export class Rpc {
  readonly url: URL;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 6 });

  /** Throws unless `url` is plain http. */
  constructor(url: string) {
    this.url = new URL(url);
    if (this.url.protocol !== 'http:') throw new Error(`the builder needs the chain's http:// endpoint, not ${this.url.protocol}//`);
  }

  /** Throws an RpcFailure with the chain's message. */
  async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const [result] = await this.batch([{ method, params }]);
    if (!result!.ok) throw new RpcFailure(`${method}: ${result!.message}`);
    return result!.value;
  }

  /** Results in the order of the calls. NOTE: anvil runs the calls of a batch concurrently; what must happen in order goes elsewhere. */
  async batch(calls: readonly RpcCall[]): Promise<RpcResult[]> {
    if (calls.length === 0) return [];
    const body = calls.map(({ method, params }, id) => ({ jsonrpc: '2.0', id, method, params }));
    const answer: unknown = JSON.parse(await this.#post(JSON.stringify(body)));
    if (!Array.isArray(answer)) throw new RpcFailure(`${calls[0]!.method}: the chain did not answer a batch with a batch`);
    const byId = new Map<unknown, RpcResult>();
    for (const item of answer) byId.set((item as { id?: unknown }).id, resultOf(item));
    return calls.map(({ method }, id) => byId.get(id) ?? { ok: false, message: `${method}: no answer` });
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const request = http.request(
        this.url,
        { method: 'POST', agent: this.#agent, headers, signal: AbortSignal.timeout(TIMEOUT_MS) },
        (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > MAX_ANSWER_BYTES) request.destroy(new RpcFailure('the chain answered with more than 64 MiB'));
            chunks.push(chunk);
          });
          response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
          response.on('error', reject);
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }
}

/** A JSON-RPC answer as a result; anything else is an error, too. */
export function resultOf(answer: unknown): RpcResult {
  const { result, error } = (answer ?? {}) as { result?: unknown; error?: { message?: unknown } | null };
  if (error) return { ok: false, message: String(error.message ?? 'unnamed error') };
  if (result === undefined) return { ok: false, message: 'neither result nor error' };
  return { ok: true, value: result };
}

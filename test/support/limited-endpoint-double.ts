/** In front of a real node: an HTTP endpoint with the limits that hosted ones have on `eth_getLogs`. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What it says to a request, before or after its node was asked; undefined lets it through. */
export type Limit = (asked: {
  readonly blocks: number;
  readonly logs?: number;
  readonly bytes?: number;
  readonly calls: number;
}) => Refusal | undefined;
export type Refusal = { readonly status?: number; readonly headers?: Record<string, string>; readonly body: string | object };

export class LimitedEndpointDouble {
  refused = 0;
  /** Of ranges of logs that were answered. */
  answered = 0;
  /** Ranges that it had to answer at once. */
  mostAtOnce = 0;
  #atOnce = 0;
  #calls = 0;
  readonly #node: string;
  readonly #limit: Limit;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(node: string, limit: Limit) {
    this.#node = node;
    this.#limit = limit;
  }

  static async start(node: string, limit: Limit = () => undefined): Promise<LimitedEndpointDouble> {
    const double = new LimitedEndpointDouble(node, limit);
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const asked = JSON.parse(body) as { id?: number; method?: string; params?: [{ fromBlock?: string; toBlock?: string }] };
    const range = asked.method === 'eth_getLogs' && asked.params?.[0].fromBlock !== undefined ? asked.params[0] : undefined;
    if (range === undefined) return void response.end(await this.#ask(body));
    const blocks = Number(range.toBlock) - Number(range.fromBlock) + 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    const calls = ++this.#calls;
    const early = this.#limit({ blocks, calls });
    const answer = early === undefined ? await this.#ask(body) : '';
    const logs = early === undefined ? (JSON.parse(answer) as { result: unknown[] }).result.length : 0;
    const refusal = early ?? this.#limit({ blocks, logs, bytes: answer.length, calls });
    this.#atOnce--;
    if (refusal === undefined) {
      this.answered++;
      return void response.end(answer);
    }
    this.refused++;
    response.writeHead(refusal.status ?? 200, refusal.headers);
    response.end(typeof refusal.body === 'string' ? refusal.body : JSON.stringify({ jsonrpc: '2.0', id: asked.id, error: refusal.body }));
  }

  async #ask(body: string): Promise<string> {
    const response = await fetch(this.#node, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return response.text();
  }
}

/** A server of MEV-Share's event stream that writes what a test tells it to, byte by byte if need be. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class HintStreamDouble {
  readonly #server: Server;
  readonly #responses = new Set<ServerResponse>();
  #connected: (() => void)[] = [];
  /** The next requests are answered like this instead. */
  refusals: { status: number; headers?: Record<string, string>; body?: string }[] = [];
  requests = 0;

  private constructor() {
    this.#server = createServer((_, response) => {
      this.requests++;
      const refusal = this.refusals.shift();
      response.writeHead(refusal?.status ?? 200, refusal?.headers ?? { 'content-type': 'text/event-stream' });
      if (refusal !== undefined) {
        response.end(refusal.body);
        return;
      }
      response.flushHeaders();
      this.#responses.add(response);
      response.on('close', () => this.#responses.delete(response));
      for (const resolve of this.#connected.splice(0)) resolve();
    });
  }

  static async start(): Promise<HintStreamDouble> {
    const double = new HintStreamDouble();
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve));
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** When the next listener is there. */
  connected(): Promise<void> {
    return new Promise((resolve) => this.#connected.push(resolve));
  }

  write(text: string): void {
    for (const response of this.#responses) response.write(text);
  }

  tell(hint: unknown): void {
    this.write(`data: ${JSON.stringify(hint)}\n\n`);
  }

  end(): void {
    for (const response of this.#responses) response.end();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

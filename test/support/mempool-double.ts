/** A node's WebSocket as far as `newPendingTransactions` goes: it announces what a test tells it to. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** `full`: accepts the flag for full bodies; `refuses`: an error for it. */
export type Manner = 'full' | 'refuses';

export class MempoolDouble {
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #subscribed: (() => void)[] = [];
  /** How often somebody subscribed. */
  subscriptions = 0;

  private constructor(manner: Manner) {
    this.#server = createServer();
    this.#server.on('upgrade', (request, socket) => {
      const accept = createHash('sha1')
        .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64');
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
      // The first message is the one subscription.
      socket.once('data', () => {
        const answer = manner === 'full' ? { result: '0x1' } : { error: { code: -32602, message: 'invalid params' } };
        write(socket, JSON.stringify({ jsonrpc: '2.0', id: 1, ...answer }));
        this.subscriptions++;
        for (const resolve of this.#subscribed.splice(0)) resolve();
      });
    });
  }

  static async start(manner: Manner = 'full'): Promise<MempoolDouble> {
    const double = new MempoolDouble(manner);
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve));
    return double;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** When the next subscription has been answered. */
  subscribed(): Promise<void> {
    return new Promise((resolve) => this.#subscribed.push(resolve));
  }

  announce(result: unknown): void {
    const message = JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: '0x1', result } });
    for (const socket of this.#sockets) write(socket, message);
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.hangUp();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

/** One unmasked text frame. */
function write(socket: Duplex, text: string): void {
  const payload = Buffer.from(text);
  const header =
    payload.length < 126 ? Buffer.from([0x81, payload.length]) : Buffer.from([0x81, 126, payload.length >> 8, payload.length & 255]);
  socket.write(Buffer.concat([header, payload]));
}

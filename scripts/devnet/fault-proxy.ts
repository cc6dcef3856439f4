/** An endpoint between the keeper and a node, HTTP and WebSocket on one port, that fails as real ones do, when a test says so. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Answer, type Asked, behind, type Fault, tamper, tamperHead } from './faults.ts';

export type { Fault } from './faults.ts';

export class FaultProxy {
  fault: Fault = { kind: 'none' };
  /** Methods asked for, in order. */
  readonly calls: string[] = [];
  readonly #node: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  private constructor(node: string) {
    this.#node = node;
    this.#server = createServer((request, response) => void this.#http(request, response).catch(() => response.destroy()));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    this.#server.on('upgrade', (request, socket) => this.#upgrade(request, socket));
  }

  /** `node`: where the real one is, `http://127.0.0.1:8545`; it must serve WebSocket on the same port. */
  static async start(node: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(node);
    await proxy.up();
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get http(): string {
    return `http://${this.host}`;
  }

  get ws(): string {
    return `ws://${this.host}`;
  }

  /** Listens again on the port that it had. */
  async up(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections and cuts those it has. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.dropSockets();
    await closed;
  }

  dropSockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends for good. */
  async stop(): Promise<void> {
    if (this.#server.listening) await this.down();
  }

  async #http(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const answer = await this.#answer(body);
    if (answer === null) return;
    const page = this.fault.kind === 'page' ? this.fault : null;
    response.writeHead(page?.status ?? 200, { 'content-type': page === null ? 'application/json' : 'text/html', ...page?.headers });
    response.end(page?.body ?? answer);
  }

  /** Null: none, ever. */
  async #answer(body: string): Promise<string | null> {
    const message: Asked | Asked[] = JSON.parse(body);
    const asked = Array.isArray(message) ? message : [message];
    for (const { method } of asked) this.calls.push(String(method));
    const { fault } = this;
    if (fault.kind === 'silent') return null;
    if (fault.kind === 'only' && !asked.every(({ method }) => fault.methods.includes(String(method)))) return null;
    if (fault.kind === 'held') await fault.until;
    if (fault.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    if (fault.kind === 'page') return fault.body;
    const head = fault.kind === 'lag' ? await this.#head() : 0;
    const changed = asked.map((one) => behind(fault, one, head));
    const text = await this.#ask(JSON.stringify(Array.isArray(message) ? changed : changed[0]));
    if (fault.kind === 'truncated') return text.slice(0, Math.ceil(text.length / 2));
    const answers: Answer[] = [JSON.parse(text)].flat();
    const told = asked.map((one) => tamper(fault, one, answers.find(({ id }) => id === one.id) ?? answers[0]!, head));
    return JSON.stringify(Array.isArray(message) ? told : told[0]);
  }

  async #head(): Promise<number> {
    const { result } = JSON.parse(await this.#ask(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] })));
    return Number(result);
  }

  async #ask(body: string): Promise<string> {
    const answer = await fetch(this.#target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return answer.text();
  }

  get #target(): string {
    return this.fault.kind === 'elsewhere' ? this.fault.node : this.#node;
  }

  /** One WebSocket of the client's is one of the node's: subscriptions are the node's own. */
  #upgrade(request: IncomingMessage, client: Duplex): void {
    if (this.fault.kind === 'page') {
      client.end(`HTTP/1.1 ${this.fault.status} No\r\ncontent-type: text/html\r\n\r\n${this.fault.body}`);
      return;
    }
    const key = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    client.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
    const node = new WebSocket(this.#target.replace('http', 'ws'));
    const waiting: string[] = [];
    const open = () => node.readyState === WebSocket.OPEN;
    node.onopen = () => {
      for (const text of waiting) node.send(text);
    };
    node.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.method === undefined) return void client.write(frame(data));
      const head = tamperHead(this.fault, message.params.result);
      if (head !== null) client.write(frame(JSON.stringify({ ...message, params: { ...message.params, result: head } })));
    };
    node.onclose = () => client.destroy();
    node.onerror = () => client.destroy();
    client.on('error', () => {});
    client.on('close', () => node.close());
    readFrames(client, (text) => {
      // What the node pushes belongs to this connection, so subscribing goes straight through; all else can be tampered with.
      if (text.includes('"eth_subscribe"') && this.fault.kind !== 'silent') {
        this.calls.push('eth_subscribe');
        if (open()) node.send(text);
        else waiting.push(text);
      } else
        void this.#answer(text).then(
          (answer) => void (answer !== null && !client.destroyed && client.write(frame(answer))),
          () => client.destroy(),
        );
    });
  }
}

function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([0x81, length]), payload]);
  const head = Buffer.alloc(length < 65_536 ? 4 : 10);
  head[0] = 0x81;
  head[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) head.writeUInt16BE(length, 2);
  else head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

/** Whole text messages of a client, which masks them; pings are not answered. */
function readFrames(socket: Duplex, onText: (text: string) => void): void {
  let buffer = Buffer.alloc(0);
  let message = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      if (buffer.length < 2) return;
      const short = buffer[1]! & 0x7f;
      const headLength = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (buffer.length < headLength + 4) return;
      const length = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short;
      const end = headLength + 4 + length;
      if (buffer.length < end) return;
      const [final, opcode] = [buffer[0]! & 0x80, buffer[0]! & 0x0f];
      const mask = buffer.subarray(headLength, headLength + 4);
      const payload = Buffer.from(buffer.subarray(headLength + 4, end).map((byte, i) => byte ^ mask[i % 4]!));
      buffer = buffer.subarray(end);
      if (opcode === 8) socket.end();
      if (opcode > 1) continue;
      message = Buffer.concat([message, payload]);
      if (final === 0) continue;
      onText(message.toString());
      message = Buffer.alloc(0);
    }
  });
}

import type { Log } from '../telemetry/log.ts';
import { attemptJson, happeningJson, positionJson, statusJson } from './json.ts';
import type { Happening, KeeperView } from './view.ts';

/** Server-sent events for dashboards. Bounded in clients and in what waits for each of them. */

const MOST_CLIENTS = 32;
/** A client that reads so slowly is let go; it comes back by itself and begins with fresh figures. */
const MOST_WAITING_BYTES = 1 << 20;
/** Happenings come in bursts; figures are sent once for all of a burst. */
const GATHER_MS = 200;
const HEARTBEAT_MS = 15_000;
const SHOWN_POSITIONS = 25;
const SHOWN_ATTEMPTS = 25;

type Client = { send(bytes: Uint8Array): void; end(): void };

export class EventHub {
  readonly #view: KeeperView;
  readonly #log: Log;
  readonly #clients = new Set<Client>();
  #unsubscribe: (() => void) | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(view: KeeperView, log: Log) {
    this.#view = view;
    this.#log = log;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** The body of one client's stream, or undefined when there are too many clients already. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#clients.size >= MOST_CLIENTS) return undefined;
    let client: Client | undefined;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          client = {
            send: (bytes) => {
              if ((controller.desiredSize ?? 0) < bytes.length) this.#leave(client);
              else controller.enqueue(bytes);
            },
            end: () => controller.close(),
          };
          this.#enter(client);
        },
        cancel: () => {
          if (client !== undefined) this.#forget(client);
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING_BYTES }),
    );
  }

  close(): void {
    for (const client of [...this.#clients]) this.#leave(client);
  }

  #enter(client: Client): void {
    this.#clients.add(client);
    this.#unsubscribe ??= this.#view.subscribe((happening) => this.#heard(happening));
    this.#heartbeat ??= setInterval(() => this.#broadcast(encode(': still here\n\n')), HEARTBEAT_MS);
    this.#figures().then(
      (bytes) => this.#clients.has(client) && client.send(bytes),
      (error: unknown) => this.#failed(error),
    );
  }

  #leave(client: Client | undefined): void {
    if (client === undefined || !this.#clients.has(client)) return;
    this.#forget(client);
    client.end();
  }

  #forget(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    clearInterval(this.#heartbeat);
    clearTimeout(this.#gathering);
    this.#heartbeat = undefined;
    this.#gathering = undefined;
  }

  #heard(happening: Happening): void {
    this.#broadcast(message('happening', happeningJson(happening)));
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#figures().then(
        (bytes) => this.#broadcast(bytes),
        (error: unknown) => this.#failed(error),
      );
    }, GATHER_MS);
  }

  async #figures(): Promise<Uint8Array> {
    const [status, positions, attempts] = await Promise.all([
      this.#view.status(),
      this.#view.positions(SHOWN_POSITIONS),
      this.#view.attempts(SHOWN_ATTEMPTS),
    ]);
    return message('figures', { status: statusJson(status), positions: positions.map(positionJson), attempts: attempts.map(attemptJson) });
  }

  #broadcast(bytes: Uint8Array): void {
    for (const client of [...this.#clients]) client.send(bytes);
  }

  #failed(error: unknown): void {
    this.#log.warn('server.failed', { error });
  }
}

function message(event: string, data: unknown): Uint8Array {
  return encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

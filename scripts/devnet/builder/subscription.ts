/** One `eth_subscribe` over a WebSocket of its own; after a loss it is opened again. */
const OPEN_TIMEOUT_MS = 30_000;
const REOPEN_MS = 200;

export class Subscription {
  readonly #url: string;
  readonly #params: readonly unknown[];
  #socket: WebSocket | undefined;
  #closed = false;
  #deliver: (item: unknown) => void = () => undefined;

  constructor(url: string, params: readonly unknown[]) {
    this.#url = url;
    this.#params = params;
  }

  onItem(deliver: (item: unknown) => void): void {
    this.#deliver = deliver;
  }

  /** Resolves once items flow; rejects after 5 s. */
  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no subscription at ${this.#url} within ${OPEN_TIMEOUT_MS / 1000} s`)),
        OPEN_TIMEOUT_MS,
      );
      this.#open(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #open(subscribed: () => void): void {
    if (this.#closed) return;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: this.#params }));
    socket.onmessage = ({ data }) => {
      const { id, result, params } = JSON.parse(String(data)) as { id?: number; result?: unknown; params?: { result?: unknown } };
      if (id === 1 && result !== undefined) subscribed();
      else if (params?.result !== undefined) this.#deliver(params.result);
    };
    socket.onerror = () => undefined;
    socket.onclose = () => {
      setTimeout(() => this.#open(subscribed), REOPEN_MS).unref();
    };
  }
}

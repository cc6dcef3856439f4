/**
 * Transactions of the public mempool before they are mined, from every endpoint that announces them.
 *
 * 1. Each endpoint has a socket of its own here: full bodies would delay heads and answers on a shared one.
 * 2. A message is looked at before it is parsed (`isOfInterest`); what is not wanted costs about a microsecond.
 * 3. A transaction is handed on once, however many endpoints announce it. It counts as announced when its bytes have its hash: an endpoint
 *    that makes up a body cannot keep the true one of another from coming through.
 * 4. Nothing is queued: a message is dealt with as it arrives. Under a flood of wanted ones (somebody sends forged updates) an endpoint's
 *    messages beyond `MAX_PARSED_PER_SECOND` are dropped unparsed, and the drop is reported once a second at most.
 * 5. A lost or silent socket is opened again, after pauses that grow to half a minute. An endpoint that announces bare hashes, or nothing, is
 *    reported as unsupported and asked again rarely: fetching every body would cost hundreds of calls a second.
 */
import { sleep } from '../lib/async.ts';
import type { SecretUrl } from '../lib/secret.ts';
import type { Hex } from '../lib/types.ts';
import { asRpcError, RpcError } from './errors.ts';
import { record, ShapeError } from './parse.ts';
import { type PendingTransaction, parsePendingTransaction } from './pending-body.ts';
import { bareHashIn, type Interest, isAnswer, isOfInterest } from './pending-frame.ts';
import { Socket } from './socket.ts';

const TIMEOUT_MS = 5_000;
const FIRST_REST_MS = 250;
const LONGEST_REST_MS = 30_000;
const UNSUPPORTED_REST_MS = 600_000;
/** A mempool that has announced something is not silent for this long; one that has not may be that of a quiet chain. */
const SILENCE_MS = 60_000;
const SILENCE_UNHEARD_MS = 600_000;
const WATCH_EVERY_MS = 5_000;
const MAX_PARSED_PER_SECOND = 500;
const REMEMBERED = 8_192;
/** A transaction is 128 KiB at most, in hex; blobs are announced without their content. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

export type PendingNotice =
  | { readonly kind: 'pending-from'; readonly host: string }
  | { readonly kind: 'pending-lost'; readonly host: string; readonly reason: string; readonly restMs: number }
  | { readonly kind: 'pending-unsupported'; readonly host: string; readonly reason: string }
  | { readonly kind: 'pending-dropped'; readonly host: string; readonly messages: number };

export type PendingOptions = {
  /** Those of WebSockets are used; the others announce nothing. */
  readonly urls: readonly SecretUrl[];
  /** Asked for each message, so that it may change at any time. */
  readonly interest: () => Interest;
  /** `seenAtMs`: performance.now() when the message arrived. */
  readonly onTransaction: (transaction: PendingTransaction, seenAtMs: number) => void;
  readonly notify: (notice: PendingNotice) => void;
};

export class PendingTransactions {
  readonly #options: PendingOptions;
  readonly #closed = new AbortController();
  readonly #announced = new Set<Hex>();
  readonly #streams: readonly Promise<void>[];

  /** Starts at once. */
  constructor(options: PendingOptions) {
    this.#options = options;
    const urls = options.urls.filter(({ protocol }) => protocol === 'ws:' || protocol === 'wss:');
    this.#streams = urls.map((url) => this.#run(url));
  }

  /** Resolves when every socket is closed. */
  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.all(this.#streams);
  }

  async #run(url: SecretUrl): Promise<void> {
    const { signal } = this.#closed;
    let failures = 0;
    while (!signal.aborted) {
      const began = performance.now();
      const error = await this.#stream(url).catch((reason: unknown) => asRpcError(url.host, reason));
      if (signal.aborted) return;
      failures = performance.now() - began > LONGEST_REST_MS ? 1 : failures + 1;
      const unsupported = error.kind === 'unsupported';
      const restMs = unsupported ? UNSUPPORTED_REST_MS : Math.min(FIRST_REST_MS * 2 ** (failures - 1), LONGEST_REST_MS);
      const { message: reason } = error;
      this.#options.notify(
        unsupported ? { kind: 'pending-unsupported', host: url.host, reason } : { kind: 'pending-lost', host: url.host, reason, restMs },
      );
      await sleep(restMs, signal);
    }
  }

  /** One socket, until it has ended: resolves with why, rejects when it could not be opened. */
  async #stream(url: SecretUrl): Promise<RpcError> {
    const { signal } = this.#closed;
    const { promise: ended, resolve: end } = Promise.withResolvers<RpcError>();
    const budget = new Budget((messages) => this.#options.notify({ kind: 'pending-dropped', host: url.host, messages }));
    let heard = false;
    let heardAt = performance.now();
    const wants = (message: string): boolean => {
      if (isAnswer(message)) return true;
      heardAt = performance.now();
      if (!heard && bareHashIn(message) !== undefined)
        end(new RpcError('unsupported', url.host, 'announces only the hashes of transactions'));
      heard = true;
      return isOfInterest(message, this.#options.interest()) && budget.take(heardAt);
    };
    const onPush = (_: string, body: unknown) => this.#take(body, heardAt);
    const socket = await Socket.open(url, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_MESSAGE_BYTES, wants, onPush, onEnd: end });
    try {
      const request = { jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newPendingTransactions', true] } as const;
      const answer = record(await socket.send(request, TIMEOUT_MS), 'eth_subscribe');
      if (typeof answer['result'] !== 'string') throw new RpcError('unsupported', url.host, 'does not announce pending transactions');
      this.#options.notify({ kind: 'pending-from', host: url.host });
      while (!signal.aborted) {
        const over = await Promise.race([ended, sleep(WATCH_EVERY_MS, signal)]);
        if (over !== undefined) return over;
        const silentMs = performance.now() - heardAt;
        if (silentMs > (heard ? SILENCE_MS : SILENCE_UNHEARD_MS))
          return new RpcError('timeout', url.host, `announced nothing for ${Math.round(silentMs)} ms`);
      }
      return new RpcError('unreachable', url.host, 'closed');
    } finally {
      socket.close();
    }
  }

  /** A body that is none, or not that of its hash, is passed over: one strange transaction says nothing about the endpoint. */
  #take(body: unknown, seenAtMs: number): void {
    let transaction: PendingTransaction;
    try {
      const { hash } = record(body, 'pending transaction');
      if (this.#announced.has(String(hash).toLowerCase() as Hex)) return;
      transaction = parsePendingTransaction(body);
    } catch (error) {
      if (error instanceof ShapeError) return;
      throw error;
    }
    this.#announced.add(transaction.txHash);
    for (const oldest of this.#announced) {
      if (this.#announced.size <= REMEMBERED) break;
      this.#announced.delete(oldest);
    }
    this.#options.onTransaction(transaction, seenAtMs);
  }
}

/** So many messages a second; what is beyond is counted. */
class Budget {
  readonly #onDropped: (messages: number) => void;
  #second = 0;
  #taken = 0;
  #dropped = 0;

  constructor(onDropped: (messages: number) => void) {
    this.#onDropped = onDropped;
  }

  take(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1_000);
    if (second !== this.#second) {
      if (this.#dropped > 0) this.#onDropped(this.#dropped);
      this.#second = second;
      this.#taken = 0;
      this.#dropped = 0;
    }
    if (this.#taken++ < MAX_PARSED_PER_SECOND) return true;
    this.#dropped++;
    return false;
  }
}

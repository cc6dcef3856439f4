/**
 * MEV-Share's event stream: what is told of private transactions before they are mined.
 *
 * 1. One request, streamed; a lost or silent stream is opened again, after pauses that grow to half a minute. The server writes a comment
 *    every few seconds when it has nothing to tell.
 * 2. Everything in an event is untrusted and bounded; an event that is none, or has nothing of interest, is passed over.
 * 3. Nothing is queued: an event is dealt with as it arrives. Each hint is handed on once.
 */
import { sleep } from '../lib/async.ts';
import { explainError } from '../lib/errors.ts';
import type { SecretUrl } from '../lib/secret.ts';
import type { Address, Hex } from '../lib/types.ts';
import { EventStreamParser } from './event-stream.ts';
import { splitCredentials } from './http.ts';
import { parseAddress, parseBytes, parseHash, record, ShapeError } from './parse.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const FIRST_REST_MS = 250;
const LONGEST_REST_MS = 30_000;
const SILENCE_MS = 60_000;
const MAX_EVENT_CHARS = 1024 * 1024;
/** More transactions than a bundle has none. */
const MAX_TRANSACTIONS = 100;
const REMEMBERED = 8_192;

/** What is told of one transaction that may be backrun. */
export type Hint = {
  /** Of the transaction, or of the bundle that holds it: what a bundle that follows it names. */
  readonly hash: Hex;
  readonly to: Address;
  readonly data: Hex;
};

export type HintNotice =
  | { readonly kind: 'hints-from'; readonly host: string }
  | { readonly kind: 'hints-lost'; readonly host: string; readonly reason: string; readonly restMs: number };

export type MevShareOptions = {
  readonly url: SecretUrl;
  /** Function selectors, lowercase with `0x`: an event in which none of them occurs is not parsed. */
  readonly selectors: ReadonlySet<string>;
  readonly onHint: (hint: Hint, seenAtMs: number) => void;
  readonly notify: (notice: HintNotice) => void;
  /** Without a byte for so long, the stream counts as dead. */
  readonly silenceMs?: number;
};

export class MevShareStream {
  readonly #options: MevShareOptions;
  readonly #closed = new AbortController();
  readonly #told = new Set<string>();
  readonly #running: Promise<void>;

  /** Starts at once. */
  constructor(options: MevShareOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Resolves when the stream is closed. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { url, notify } = this.#options;
    const { signal } = this.#closed;
    let failures = 0;
    while (!signal.aborted) {
      const began = performance.now();
      const reason = await this.#stream().catch((error: unknown) => explainError(error));
      if (signal.aborted) return;
      failures = performance.now() - began > LONGEST_REST_MS ? 1 : failures + 1;
      const restMs = Math.min(FIRST_REST_MS * 2 ** (failures - 1), LONGEST_REST_MS);
      notify({ kind: 'hints-lost', host: url.host, reason, restMs });
      await sleep(restMs, signal);
    }
  }

  /** One request, until it has ended: resolves with why, rejects when it was refused or cut off. */
  async #stream(): Promise<string> {
    const { url, notify, silenceMs = SILENCE_MS } = this.#options;
    const silent = new AbortController();
    let watch = setTimeout(() => silent.abort(), CONNECT_TIMEOUT_MS);
    const { target, authorization } = splitCredentials(url);
    try {
      const signal = AbortSignal.any([this.#closed.signal, silent.signal]);
      const headers = { accept: 'text/event-stream', ...authorization };
      // NOTE: redirects are not followed, they could carry the URL's key to another host.
      const response = await fetch(target, { headers, signal, redirect: 'error' });
      if (!response.ok || response.body === null) {
        await response.body?.cancel();
        return `HTTP ${response.status}`;
      }
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        await response.body.cancel();
        return 'answered with something that is no event stream';
      }
      notify({ kind: 'hints-from', host: url.host });
      clearTimeout(watch);
      watch = setTimeout(() => silent.abort(), silenceMs);
      const parser = new EventStreamParser(MAX_EVENT_CHARS, (data) => this.#take(data));
      const decoder = new TextDecoder();
      for await (const piece of response.body) {
        watch.refresh();
        parser.push(decoder.decode(piece, { stream: true }));
      }
      return 'the stream has ended';
    } catch (error) {
      if (silent.signal.aborted) return 'silent for too long';
      throw error;
    } finally {
      clearTimeout(watch);
    }
  }

  #take(data: string): void {
    const seenAtMs = performance.now();
    const lower = data.toLowerCase();
    if (![...this.#options.selectors].some((selector) => lower.includes(selector))) return;
    for (const hint of hintsIn(data)) {
      const key = `${hint.hash}${hint.to}`;
      if (this.#told.has(key)) continue;
      this.#told.add(key);
      for (const oldest of this.#told) {
        if (this.#told.size <= REMEMBERED) break;
        this.#told.delete(oldest);
      }
      this.#options.onHint(hint, seenAtMs);
    }
  }
}

/** The transactions of an event that tells callee and calldata; empty for an event of another shape. */
export function hintsIn(data: string): readonly Hint[] {
  try {
    const event = record(JSON.parse(data), 'hint');
    const hash = parseHash(event['hash'], 'hint hash');
    const { txs } = event;
    if (!Array.isArray(txs) || txs.length > MAX_TRANSACTIONS) return [];
    return txs.flatMap((value): Hint[] => {
      const { to, callData } = record(value, 'hint transaction');
      if (typeof to !== 'string' || typeof callData !== 'string') return [];
      return [{ hash, to: parseAddress(to, 'hint to'), data: parseBytes(callData, 'hint callData') }];
    });
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ShapeError) return [];
    throw error;
  }
}

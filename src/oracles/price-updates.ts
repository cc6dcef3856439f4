import { type HintNotice, MevShareStream } from '../chain/mev-share.ts';
import { type PendingNotice, PendingTransactions } from '../chain/pending.ts';
import type { Rpc } from '../chain/types.ts';
import type { SecretUrl } from '../lib/secret.ts';
import { TRANSMISSION_SELECTORS } from './ocr.ts';
import type { AggregatorBook } from './ocr-aggregators.ts';
import { interestOf, type UpdateEvent, UpdateStream } from './update-stream.ts';
import type { PriceUpdate } from './updates.ts';

export type PriceUpdatesParts = {
  readonly rpc: Rpc;
  /** The mempools of those that are WebSockets are listened to. */
  readonly rpcUrls: readonly SecretUrl[];
  readonly mevShareUrl: SecretUrl | undefined;
  readonly book: AggregatorBook;
  /** The mirrored block, and the timestamp of the one that will include. */
  readonly next: () => { readonly block: number; readonly timestamp: number };
  readonly onEvent: (event: UpdateEvent) => void;
  readonly notify: (notice: PendingNotice | HintNotice) => void;
};

/** Price updates before they land, from wherever they can be seen. Starts at once. */
export class PriceUpdates {
  readonly #stream: UpdateStream;
  readonly #mempool: PendingTransactions;
  readonly #hints: MevShareStream | undefined;

  constructor({ rpc, rpcUrls, mevShareUrl, book, next, onEvent, notify }: PriceUpdatesParts) {
    const stream = new UpdateStream({ rpc, known: book, next, onEvent });
    this.#stream = stream;
    this.#mempool = new PendingTransactions({
      urls: rpcUrls,
      interest: interestOf(book, stream),
      onTransaction: (transaction, seenAtMs) => stream.seeTransaction(transaction, seenAtMs),
      notify,
    });
    if (mevShareUrl === undefined) return;
    const onHint = stream.seeHint.bind(stream);
    this.#hints = new MevShareStream({ url: mevShareUrl, selectors: TRANSMISSION_SELECTORS, onHint, notify });
  }

  /** Those that may be included next, in order of arrival. */
  get pending(): readonly PriceUpdate[] {
    return this.#stream.pending;
  }

  /** The mirror has followed to this block, forwards or back. */
  onBlock(number: number): void {
    this.#stream.onBlock(number);
  }

  /** Resolves when every connection is closed and nothing more will be handed on. */
  async close(): Promise<void> {
    await Promise.all([this.#mempool.close(), this.#hints?.close(), this.#stream.close()]);
  }
}

import type { Rpc } from '../../chain/types.ts';
import { explainError } from '../../lib/errors.ts';
import type { SecretUrl } from '../../lib/secret.ts';
import type { Hex } from '../../lib/types.ts';
import { addressOf, viewCall } from '../../lib/words.ts';
import type { FeedAnswer, FeedId, FeedState } from '../types.ts';
import { askHermes } from './hermes.ts';
import { type Carried, carriedBy, judgePythUpdate, type PythFeed, type PythPayers, type PythUpdate, readPythUpdate } from './pyth.ts';

export type PulledNotice =
  | { readonly kind: 'prices-from'; readonly host: string }
  | { readonly kind: 'prices-lost'; readonly host: string; readonly reason: string };

export type PulledParts = {
  readonly rpc: Rpc;
  readonly hermes: SecretUrl;
  readonly payers: PythPayers;
  /** Every feed that a judgement rests on. */
  feeds(): readonly FeedId[];
  feed(feed: FeedId): FeedState | undefined;
  /** What of Pyth's a feed is that no contract answers for; undefined for one that can be asked. */
  pyth(feed: FeedId): PythFeed | undefined;
  /** Of the block that would take an update. */
  timestamp(): number;
  notify(notice: PulledNotice): void;
};

/** What moves less is hardly worth carrying, and the chain is not asked about it. */
const LEAST_MOVE_BPS = 10n;
/** A wider band than this is no price to liquidate by. */
const MAX_CONFIDENCE_BPS = 100n;
const BPS = 10_000n;
/** How often a price is asked for, however little it moved, after somebody has waited for it. */
const ASKED_AFTER_NEED = 8;

const pythOf = viewCall('function pyth()');
const priceIdOf = viewCall('function priceId()');

/**
 * The newest prices that could be written to Pyth's feeds by a transaction of ours. Asked for behind each block, for the next; what the price service says is
 * acted on only as far as the chain's own contract has read it.
 */
export class PulledPrices {
  readonly #parts: PulledParts;
  /** Undefined: a feed that is not Pyth's. */
  readonly #known = new Map<FeedId, PythFeed | undefined>();
  /** Feeds that are waited for, and how often they are still asked for. */
  readonly #needed = new Map<FeedId, number>();
  #update: PythUpdate | undefined;
  #asking = false;
  #lost = false;

  constructor(parts: PulledParts) {
    this.#parts = parts;
  }

  /** Of what is newer than the chain's at the next block: what the feeds will answer. */
  answers(): ReadonlyMap<FeedId, FeedAnswer> {
    const { feed, timestamp } = this.#parts;
    const answers = new Map<FeedId, FeedAnswer>();
    const update = this.#update;
    if (update === undefined) return answers;
    for (const pyth of this.#known.values()) {
      const state = pyth && feed(pyth.feed);
      if (pyth === undefined || state === undefined) continue;
      const verdict = judgePythUpdate(pyth, update, state, timestamp(), MAX_CONFIDENCE_BPS);
      if (verdict.kind === 'carry') answers.set(pyth.feed, verdict.answer);
    }
    return answers;
  }

  /** What a liquidation carries that rests on any of these feeds, at a moment with `answers` in it. */
  carriedFor(feeds: readonly FeedId[], answers: ReadonlyMap<FeedId, FeedAnswer>): Carried | undefined {
    if (this.#update === undefined || !feeds.some((feed) => answers.has(feed))) return undefined;
    return carriedBy(this.#update, this.#parts.payers.wrappedNative);
  }

  /** Of these a newer answer is needed before anything can be done, however little it moved. Asked for at once where that is news. */
  need(feeds: readonly FeedId[]): void {
    const news = feeds.some((feed) => !this.#needed.has(feed));
    for (const feed of feeds) this.#needed.set(feed, ASKED_AFTER_NEED);
    if (news) void this.onBlock();
  }

  /** Asks for newer ones; at once done where it is being asked already. Never rejects. */
  async onBlock(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const { hermes, notify } = this.#parts;
    try {
      await this.#ask();
      if (this.#lost) notify({ kind: 'prices-from', host: hermes.host });
      this.#lost = false;
    } catch (error) {
      // What nobody renews is carried no longer.
      this.#update = undefined;
      if (!this.#lost) notify({ kind: 'prices-lost', host: hermes.host, reason: explainError(error) });
      this.#lost = true;
    } finally {
      this.#asking = false;
    }
  }

  async #ask(): Promise<void> {
    const { rpc, hermes, payers, feed } = this.#parts;
    await this.#recognise();
    const feeds = [...this.#known.values()].flatMap((known) => known ?? []);
    // One contract a chain; of several, the first one's feeds.
    const own = feeds.filter(({ pyth }) => pyth === feeds[0]!.pyth);
    if (own.length === 0) return;
    const { prices, blobs } = await askHermes(
      hermes,
      own.map(({ priceId }) => priceId),
    );
    const moved = own.filter(({ feed: id, priceId }) => {
      const [now, said] = [feed(id)?.answer, prices.get(priceId)];
      return (
        now !== undefined &&
        said !== undefined &&
        said.publishTime > now.updatedAt &&
        (this.#needed.has(id) || movedEnough(now.answer, said.priceRaw))
      );
    });
    for (const [feed, left] of this.#needed) {
      if (left > 1) this.#needed.set(feed, left - 1);
      else this.#needed.delete(feed);
    }
    const ids = moved.map(({ priceId }) => priceId);
    const read = moved.length === 0 ? undefined : await readPythUpdate(rpc, own[0]!.pyth, blobs, ids, payers);
    if (read?.kind === 'refused') throw new Error(read.reason);
    this.#update = read?.update;
  }

  /** Each feed is asked once what it is. */
  async #recognise(): Promise<void> {
    const { rpc, feeds, pyth: pythBehind } = this.#parts;
    const unknown = feeds().filter((feed) => !this.#known.has(feed));
    for (const feed of unknown) {
      const known = pythBehind(feed);
      if (known !== undefined) this.#known.set(feed, known);
    }
    const strange = unknown.filter((feed) => !this.#known.has(feed));
    if (strange.length === 0) return;
    const calls = strange.flatMap((feed) => [pythOf(feed), priceIdOf(feed)]);
    const answers = await rpc.batch(calls.map(({ to, data }) => ({ method: 'eth_call', params: [{ to, data }, 'latest'] })));
    for (const [place, feed] of strange.entries()) {
      const [pyth, priceId] = answers.slice(2 * place, 2 * place + 2).map(wordOf);
      const contract = pyth === undefined ? undefined : addressOf({ ok: true, data: pyth });
      this.#known.set(feed, contract === undefined || priceId === undefined ? undefined : { feed, pyth: contract, priceId });
    }
  }
}

function movedEnough(before: bigint, now: bigint): boolean {
  const move = now > before ? now - before : before - now;
  return move * BPS >= before * LEAST_MOVE_BPS;
}

function wordOf(answer: { readonly ok: boolean; readonly result?: unknown } | undefined): Hex | undefined {
  const word = answer?.ok === true ? answer.result : undefined;
  return typeof word === 'string' && /^0x[0-9a-f]{64}$/i.test(word) ? (word.toLowerCase() as Hex) : undefined;
}

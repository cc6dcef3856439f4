import { parseTransaction } from 'viem';
import { decodeBidBps } from '../execution/decode-executor.ts';
import type { Settled } from '../execution/tracker.ts';
import type { LedgerReader } from '../ledger/reader.ts';
import type { OpenTransaction, OutcomeKind } from '../ledger/types.ts';
import { advance, type BidBook, emptyBook, nameOf, type OwnBid, record } from '../strategy/bids/book.ts';

/** Enough to fill the belief's memory at every size. */
const LATEST = 1_000;
const BPS = 10_000;
const USD8 = 1e8;

type Ended = Pick<OpenTransaction, 'raw' | 'channel' | 'targetBlock' | 'attempts'> & { readonly outcome: OutcomeKind | undefined };

/** What our bids have taught, from the ledger: after a restart, or when blocks were taken back, it is made anew from there. */
export class OwnBids {
  readonly #reader: Pick<LedgerReader, 'transactions'>;
  #book: BidBook = emptyBook();

  private constructor(reader: Pick<LedgerReader, 'transactions'>) {
    this.#reader = reader;
  }

  static async open(reader: Pick<LedgerReader, 'transactions'>): Promise<OwnBids> {
    const own = new OwnBids(reader);
    await own.restore();
    return own;
  }

  /** The book as of a block. */
  at(block: number): BidBook {
    this.#book = advance(this.#book, block);
    return this.#book;
  }

  note(settled: readonly Settled[]): void {
    const bids = settled.flatMap(({ transaction, result }) => ownBid({ ...transaction, outcome: result.outcome }) ?? []);
    this.#book = inOrder(bids).reduce(record, this.#book);
  }

  async restore(): Promise<void> {
    const records = await this.#reader.transactions({}, LATEST);
    const bids = records.flatMap((transaction) => ownBid(transaction) ?? []);
    this.#book = inOrder(bids).reduce(record, emptyBook());
  }
}

/** NOTE: wins last in their block: a position can be in several transactions of ours at one nonce, and those that gave way to the winner lost to nobody else. */
function inOrder(bids: readonly OwnBid[]): readonly OwnBid[] {
  return bids.toSorted((a, b) => a.block - b.block || Number(a.won) - Number(b.won));
}

/** What a transaction's end tells of rivals: nothing unless it was a bundle with a bid that was included or missed. What reverted had another fault. */
export function ownBid({ raw, channel, targetBlock, attempts, outcome }: Ended): OwnBid | undefined {
  if (channel !== 'bundle' || attempts.length === 0 || (outcome !== 'included' && outcome !== 'missed')) return undefined;
  const { data } = parseTransaction(raw);
  const shareBps = data === undefined ? undefined : decodeBidBps(data);
  if (shareBps === undefined || shareBps <= 0 || shareBps >= BPS) return undefined;
  const keptUsd8 = attempts.reduce((sum, { expectedProfitUsd8 }) => sum + expectedProfitUsd8, 0n);
  const surplusUsd = (Number(keptUsd8) / USD8) * (BPS / (BPS - shareBps));
  return { block: targetBlock, liquidations: attempts.map(nameOf), surplusUsd, shareBps, won: outcome === 'included' };
}

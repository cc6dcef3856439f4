import { parseTransaction } from 'viem';
import { decodeBidBps } from '../execution/decode-executor.ts';
import type { Settled } from '../execution/tracker.ts';
import type { LedgerReader } from '../ledger/reader.ts';
import type { OpenTransaction, OutcomeKind } from '../ledger/types.ts';
import { INVENTORY } from '../risk/types.ts';
import { advance, type BidBook, emptyBook, nameOf, type OwnBid, record } from '../strategy/bids/book.ts';
import type { OwnOutcome } from '../strategy/risk.ts';
import { afterTry, noRivalsSeen, type RivalBook, type Try, until } from '../strategy/rivals.ts';

/** Enough to fill the belief's memory at every size. */
const LATEST = 1_000;
/** What ended longer ago tells little of what comes. */
const LATEST_OUTCOMES = 200;
const BPS = 10_000;
const USD8 = 1e8;

type Ended = Pick<OpenTransaction, 'raw' | 'channel' | 'targetBlock' | 'attempts'> & { readonly outcome: OutcomeKind | undefined };

/** What our bids have taught, from the ledger: after a restart, or when blocks were taken back, it is made anew from there. */
export class OwnBids {
  readonly #reader: Pick<LedgerReader, 'transactions'>;
  #book: BidBook = emptyBook();
  #outcomes: readonly OwnOutcome[] = [];
  #rivals: RivalBook = noRivalsSeen();

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

  /** Whether others come, as of a block. */
  rivalsAt(block: number): RivalBook {
    this.#rivals = until(this.#rivals, block);
    return this.#rivals;
  }

  /** How our last transactions ended, oldest first. */
  get outcomes(): readonly OwnOutcome[] {
    return this.#outcomes;
  }

  note(settled: readonly Settled[]): void {
    const ended = settled.map(({ transaction, result }) => ({ ...transaction, outcome: result.outcome }));
    this.#book = inOrder(ended.flatMap((one) => ownBid(one) ?? [])).reduce(record, this.#book);
    this.#rivals = byBlock(ended.flatMap(triesOf)).reduce(afterTry, this.#rivals);
    this.#outcomes = [...this.#outcomes, ...ended.flatMap((one) => ownOutcome(one) ?? [])].slice(-LATEST_OUTCOMES);
  }

  async restore(): Promise<void> {
    const records = await this.#reader.transactions({}, LATEST);
    const bids = records.flatMap((transaction) => ownBid(transaction) ?? []);
    this.#book = inOrder(bids).reduce(record, emptyBook());
    this.#rivals = byBlock(records.flatMap(triesOf)).reduce(afterTry, noRivalsSeen());
    this.#outcomes = records.flatMap((transaction) => ownOutcome(transaction) ?? []).slice(-LATEST_OUTCOMES);
  }
}

/** NOTE: wins last in their block: a position can be in several transactions of ours at one nonce, and those that gave way to the winner lost to nobody else. */
function inOrder(bids: readonly OwnBid[]): readonly OwnBid[] {
  return bids.toSorted((a, b) => a.block - b.block || Number(a.won) - Number(b.won));
}

/** What a transaction's end tells of rivals: nothing unless it was a bundle with a bid that was included or missed. What reverted had another fault. */
export function ownBid({ raw, channel, targetBlock, attempts, outcome }: Ended): OwnBid | undefined {
  if (channel !== 'bundle' || attempts.length === 0 || (outcome !== 'included' && outcome !== 'missed')) return undefined;
  const shareBps = shareOf(raw);
  if (shareBps === undefined || shareBps <= 0 || shareBps >= BPS) return undefined;
  const surplusUsd = surplusUsdOf(attempts, shareBps);
  return { block: targetBlock, liquidations: attempts.map(nameOf), surplusUsd, shareBps, won: outcome === 'included' };
}

/** How a transaction ended, for the odds of the next; nothing where it gave way to another of ours. */
function ownOutcome({ raw, channel, attempts, outcome }: Ended): OwnOutcome | undefined {
  if (attempts.length === 0 || (outcome !== 'included' && outcome !== 'reverted' && outcome !== 'missed')) return undefined;
  const shareBps = Math.min(shareOf(raw) ?? 0, BPS - 1);
  return { channel, surplusUsd: surplusUsdOf(attempts, shareBps), shareBps, outcome };
}

/** What a transaction's end tells of each position in it; nothing where it gave way to another of ours. */
function triesOf({ raw, targetBlock, attempts, outcome }: Ended): readonly Try[] {
  if (outcome !== 'included' && outcome !== 'reverted' && outcome !== 'missed') return [];
  const shareBps = Math.min(shareOf(raw) ?? 0, BPS - 1);
  // What we sell ourselves nobody else takes.
  const liquidations = attempts.filter(({ protocol }) => protocol !== INVENTORY);
  return liquidations.map((attempt) => ({
    ...{ block: targetBlock, name: `${nameOf(attempt)}/${attempt.sinceBlock}`, won: outcome === 'included' },
    surplusUsd: surplusUsdOf([attempt], shareBps),
  }));
}

function byBlock(tries: readonly Try[]): readonly Try[] {
  return tries.toSorted((a, b) => a.block - b.block);
}

function shareOf(raw: Ended['raw']): number | undefined {
  const { data } = parseTransaction(raw);
  return data === undefined ? undefined : decodeBidBps(data);
}

/** Gross profit less gas, of what is left of it after the bid. */
function surplusUsdOf(attempts: Ended['attempts'], shareBps: number): number {
  const keptUsd8 = attempts.reduce((sum, { expectedProfitUsd8 }) => sum + expectedProfitUsd8, 0n);
  return (Number(keptUsd8) / USD8) * (BPS / (BPS - shareBps));
}

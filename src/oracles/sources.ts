/** Price sources: what a protocol's oracle is answered by one contract, as a function of feeds, of the time, and of words read once a block. */
import type { Address, ViewAnswer, ViewCall } from '../lib/types.ts';
import { intOf } from '../lib/words.ts';
import type { Journal } from '../mirror/journal.ts';
import type { FeedId, Moment, Price, PriceSource, SourceKind } from './types.ts';

/** What a contract answers, whatever its sign; not ok where it reverts, or where nobody knows. */
export type Answer =
  | { readonly ok: true; readonly answer: bigint; readonly updatedAt: number }
  | { readonly ok: false; readonly reason: string };

/** A source that follows the chain: asked once a block, in the owner's batch. */
export interface LiveSource extends PriceSource {
  answer(at: Moment): Answer;
  /** For a source whose formula can be held against the contract's own answer. */
  readonly audit?: SourceAudit | undefined;
  reads(): readonly ViewCall[];
  /** Takes the answers to `reads()`, in order. */
  ingest(answers: readonly ViewAnswer[], journal: Journal): void;
}

export interface SourceAudit {
  /** What the contract itself answers. */
  readonly call: ViewCall;
  /**
   * Holds the formula against what the contract answered at the same moment. False where they differ: the formula is given up for good, the source is opaque from
   * then on. NOTE: not to be called between `reads` and `ingest`.
   */
  confirm(theirs: ViewAnswer, at: Moment): boolean;
}

const nothingToRead = { reads: (): readonly ViewCall[] => [], ingest: () => {} };

/** The proxy of a feed, asked directly. */
export function feedSource(address: FeedId): LiveSource {
  const answer = (at: Moment): Answer => {
    const round = at.answer(address);
    return round === undefined
      ? { ok: false, reason: `feed ${address} is unknown` }
      : { ok: true, answer: round.answer, updatedAt: round.updatedAt };
  };
  return { kind: 'feed', address, feeds: [address], answer, price: (at) => priceOf(answer(at), address), ...nothingToRead };
}

/** A price that no transaction can move, such as the base currency's own. */
export function fixedSource(address: Address, price: bigint): LiveSource {
  const answer = (at: Moment): Answer => ({ ok: true, answer: price, updatedAt: at.timestamp });
  return { kind: 'fixed', address, feeds: [], answer, price: (at) => priceOf(answer(at), address), ...nothingToRead };
}

/** Whatever a call answers at the mirrored block, as its first word; a pending update never moves it. */
export function opaqueSource(address: Address, call: ViewCall): LiveSource {
  return formulaSource({ kind: 'opaque', address, parts: [], words: [call], answer: (_, [answer]) => answer });
}

/** For an asset that no source and no other oracle prices: whoever asks is refused. */
export function unpricedSource(oracle: Address): LiveSource {
  const answer = (): Answer => ({ ok: false, reason: `${oracle} knows no source` });
  return { kind: 'opaque', address: oracle, feeds: [], answer, price: () => uncheckedPrice(answer()), ...nothingToRead };
}

/** How a contract answers: from what other price contracts answer it, words read once a block, and the time. */
export type Formula = {
  readonly kind: SourceKind;
  readonly address: Address;
  /** The price contracts that it asks. */
  readonly parts: readonly LiveSource[];
  readonly words: readonly ViewCall[];
  /** Its `latestAnswer` to the unit, from what parts and words answer, in order; undefined where it would revert. */
  answer(parts: readonly bigint[], words: readonly bigint[], timestamp: number): bigint | undefined;
};

export function formulaSource({ kind, address, parts, words, answer: answerOf }: Formula): LiveSource {
  const state: { words: readonly (bigint | undefined)[] } = { words: [] };
  const answer = (at: Moment): Answer => {
    const asked: bigint[] = [];
    // As old as the oldest feed that it stands on.
    let updatedAt = at.timestamp;
    for (const part of parts) {
      const said = part.answer(at);
      if (!said.ok) return said;
      asked.push(said.answer);
      if (said.updatedAt < updatedAt) updatedAt = said.updatedAt;
    }
    const known = state.words.filter((word) => word !== undefined);
    const result = known.length === words.length ? answerOf(asked, known, at.timestamp) : undefined;
    return result === undefined ? { ok: false, reason: `${address} does not answer` } : { ok: true, answer: result, updatedAt };
  };
  return {
    kind,
    address,
    get feeds() {
      return [...new Set(parts.flatMap((part) => part.feeds))];
    },
    answer,
    price: (at) => priceOf(answer(at), address),
    reads: () => [...parts.flatMap((part) => part.reads()), ...words],
    ingest: (answers, journal) => {
      let next = 0;
      for (const part of parts) {
        const count = part.reads().length;
        part.ingest(answers.slice(next, next + count), journal);
        next += count;
      }
      const read = words.map((_, place) => intOf(answers[next + place]));
      if (read.some((word, place) => word !== state.words[place])) journal.set(state, 'words', read);
    },
  };
}

/**
 * AaveOracle.getAssetPrice: another oracle is asked where the source answers zero or less, not where it reverts. That oracle's price is a number like any other:
 * even 0 counts.
 */
export function withFallback(source: LiveSource, fallback: LiveSource): LiveSource {
  const needsIt = (at: Moment) => {
    const said = source.answer(at);
    return said.ok && said.answer <= 0n;
  };
  const answer = (at: Moment) => (needsIt(at) ? fallback : source).answer(at);
  return {
    get kind() {
      return source.kind;
    },
    address: source.address,
    get feeds() {
      return source.feeds;
    },
    get audit() {
      return source.audit;
    },
    answer,
    price: (at) => (needsIt(at) ? uncheckedPrice(fallback.answer(at)) : source.price(at)),
    reads: () => [...source.reads(), ...fallback.reads()],
    ingest: (answers, journal) => {
      const own = source.reads().length;
      source.ingest(answers.slice(0, own), journal);
      fallback.ingest(answers.slice(own), journal);
    },
  };
}

/** An oracle that is asked by the asset alone: what it answers is the price, zero included. */
export function oracleSource(address: Address, call: ViewCall): LiveSource {
  const source = opaqueSource(address, call);
  return { ...source, feeds: [], price: (at) => uncheckedPrice(source.answer(at)) };
}

function uncheckedPrice(said: Answer): Price {
  if (!said.ok) return said;
  // An unsigned word that reads as negative is no price that any sum could hold.
  return said.answer >= 0n ? { ok: true, price: said.answer, updatedAt: said.updatedAt } : { ok: false, reason: 'beyond all bounds' };
}

/** Aave's oracle takes an answer that is not positive for none. */
function priceOf(said: Answer, address: Address): Price {
  if (!said.ok) return said;
  return said.answer > 0n
    ? { ok: true, price: said.answer, updatedAt: said.updatedAt }
    : { ok: false, reason: `${address} answers ${said.answer}` };
}

/** Price sources: what a protocol's oracle is answered by one contract, as a function of feeds, of the time, and of words read once a block. */

import { min } from '../lib/math.ts';
import type { Address, ViewAnswer, ViewCall } from '../lib/types.ts';
import { intOf, uintOf } from '../lib/words.ts';
import type { Journal } from '../mirror/journal.ts';
import type { FeedId, Moment, Price, PriceSource } from './types.ts';

/** A source that follows the chain: asked once a block, in the owner's batch. */
export interface LiveSource extends PriceSource {
  reads(): readonly ViewCall[];
  /** Takes the answers to `reads()`, in order. */
  ingest(answers: readonly ViewAnswer[], journal: Journal): void;
}

const nothingToRead = { reads: (): readonly ViewCall[] => [], ingest: () => {} };

/** The proxy of a feed, asked directly. */
export function feedSource(address: FeedId): LiveSource {
  return {
    kind: 'feed',
    address,
    feeds: [address],
    price: (at) => {
      const answer = at.answer(address);
      if (answer === undefined) return unavailable(`feed ${address} is unknown`);
      return positive(answer.answer, answer.updatedAt, address);
    },
    ...nothingToRead,
  };
}

/** A price that no transaction can move, such as the base currency's own. */
export function fixedSource(address: Address, price: bigint): LiveSource {
  return { kind: 'fixed', address, feeds: [], price: (at) => ({ ok: true, price, updatedAt: at.timestamp }), ...nothingToRead };
}

/** Whatever a call answers at the mirrored block, as its first word; a pending update never moves it. */
export function opaqueSource(address: Address, call: ViewCall): LiveSource {
  const state: { answer: bigint | undefined } = { answer: undefined };
  return {
    kind: 'opaque',
    address,
    feeds: [],
    price: (at) => (state.answer === undefined ? unavailable(`${address} does not answer`) : positive(state.answer, at.timestamp, address)),
    reads: () => [call],
    ingest: ([answer], journal) => journal.set(state, 'answer', intOf(answer)),
  };
}

/** The least of another source's price and a cap that is read (BGD's PriceCapAdapterStable.latestAnswer). */
export function cappedSource(address: Address, base: LiveSource, capCall: ViewCall): LiveSource {
  const state: { cap: bigint | undefined } = { cap: undefined };
  const own = base.reads().length;
  return {
    kind: base.kind,
    address,
    feeds: base.feeds,
    price: (at) => {
      const price = base.price(at);
      if (!price.ok) return price;
      if (state.cap === undefined) return unavailable(`${address} does not tell its cap`);
      return positive(min(price.price, state.cap), price.updatedAt, address);
    },
    reads: () => [...base.reads(), capCall],
    ingest: (answers, journal) => {
      base.ingest(answers.slice(0, own), journal);
      journal.set(state, 'cap', intOf(answers[own]));
    },
  };
}

/** How far a ratio may have grown at a timestamp: snapshot + growth per second since then (PriceCapAdapterBase._getMaxRatio). */
export type GrowthCap = {
  readonly snapshotRatio: ViewCall;
  readonly snapshotTimestamp: ViewCall;
  readonly growthPerSecond: ViewCall;
  /** What `growthPerSecond` is multiplied by: 1 before the adapters' version with a scaled growth. */
  readonly growthScale: bigint;
};

type RatioWords = { ratio: bigint | undefined; snapshot: bigint | undefined; since: bigint | undefined; growth: bigint | undefined };

/**
 * Base price times a ratio of the token's own, as BGD's adapters for staked tokens answer: base * min(ratio, cap) / 10^ratioDecimals, rounded
 * towards zero (PriceCapAdapterBase.latestAnswer). The base moves with pending updates, the ratio is read once a block.
 */
export function ratioSource(
  address: Address,
  base: LiveSource,
  ratioCall: ViewCall,
  ratioDecimals: number,
  cap: GrowthCap | null,
): LiveSource {
  const state: RatioWords = { ratio: undefined, snapshot: undefined, since: undefined, growth: undefined };
  const one = 10n ** BigInt(ratioDecimals);
  const own = base.reads().length;
  const ratioAt = (timestamp: number): bigint | undefined => {
    const { ratio, snapshot, since, growth } = state;
    if (ratio === undefined || cap === null) return ratio;
    if (snapshot === undefined || since === undefined || growth === undefined) return undefined;
    const mostRatio = snapshot + (growth * (BigInt(timestamp) - since)) / cap.growthScale;
    return mostRatio < ratio ? mostRatio : ratio;
  };
  return {
    kind: 'ratio',
    address,
    feeds: base.feeds,
    price: (at: Moment): Price => {
      const price = base.price(at);
      if (!price.ok) return price;
      const ratio = ratioAt(at.timestamp);
      if (ratio === undefined || ratio <= 0n) return unavailable(`${address} has no ratio`);
      return positive((price.price * ratio) / one, price.updatedAt, address);
    },
    reads: () => [...base.reads(), ratioCall, ...(cap === null ? [] : [cap.snapshotRatio, cap.snapshotTimestamp, cap.growthPerSecond])],
    ingest: (answers, journal) => {
      base.ingest(answers.slice(0, own), journal);
      const [ratio, snapshot, since, growth] = answers.slice(own);
      journal.set(state, 'ratio', intOf(ratio));
      if (cap === null) return;
      journal.set(state, 'snapshot', uintOf(snapshot));
      journal.set(state, 'since', uintOf(since));
      journal.set(state, 'growth', uintOf(growth));
    },
  };
}

/** Aave's oracle takes an answer that is not positive for none. */
function positive(price: bigint, updatedAt: number, address: Address): Price {
  return price > 0n ? { ok: true, price, updatedAt } : unavailable(`${address} answers ${price}`);
}

function unavailable(reason: string): Price {
  return { ok: false, reason };
}

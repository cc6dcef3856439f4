import { checkFeed, checkPool, checkSequencer, type OracleBounds, type SequencerState } from '../guard/oracle.ts';
import type { Address } from '../lib/types.ts';
import type { Exchange } from '../liquidity/types.ts';
import type { FeedId, FeedState, Moment, UsdPrices } from '../oracles/types.ts';
import type { PriceUse, Protocol, Slot } from '../protocols/types.ts';
import type { SkipReason } from '../strategy/types.ts';

/** What the oracle guards look at. */
export type OracleWorld = {
  readonly venue: Exchange;
  readonly usd: UsdPrices;
  /** What is mirrored of a feed; undefined for one that is not. */
  feed(feed: FeedId): FeedState | undefined;
  /** Undefined where the chain has no sequencer that anybody watches. */
  sequencer(): SequencerState | undefined;
};

/** What pools are asked about: large enough to be no rounding, small enough to move no price. */
const SAMPLE_USD8 = 100_00000000n;

/** The oracle guards over one block's positions: what one feed or pair of tokens comes to is worked out once. */
export class Belief {
  readonly #world: OracleWorld;
  readonly #bounds: OracleBounds;
  readonly #at: Moment;
  readonly #feeds = new Map<FeedId, SkipReason | undefined>();
  readonly #pairs = new Map<string, SkipReason | undefined>();
  readonly #sequencer: SkipReason | undefined;

  constructor(world: OracleWorld, bounds: OracleBounds, at: Moment) {
    this.#world = world;
    this.#bounds = bounds;
    this.#at = at;
    const sequencer = world.sequencer();
    this.#sequencer = sequencer === undefined ? undefined : checkSequencer(sequencer, at.timestamp, bounds);
  }

  /** Why the position's prices are not to be acted on; the first reason found. */
  doubt(protocol: Protocol, slot: Slot): SkipReason | undefined {
    if (this.#sequencer !== undefined) return this.#sequencer;
    const uses = protocol.prices(slot, this.#at);
    for (const feed of uses.flatMap(({ source }) => source.feeds)) {
      const doubt = this.#feed(feed);
      if (doubt !== undefined) return doubt;
    }
    for (const sold of uses.filter(({ side }) => side === 'collateral'))
      for (const bought of uses.filter(({ side, asset }) => side === 'debt' && asset !== sold.asset)) {
        const doubt = this.#pair(`${protocol.id} ${sold.asset} ${sold.source.address} ${bought.asset}`, sold, bought);
        if (doubt !== undefined) return doubt;
      }
    return undefined;
  }

  #feed(feed: FeedId): SkipReason | undefined {
    return remembered(this.#feeds, feed, () => {
      const state = this.#world.feed(feed);
      return state && checkFeed(feed, this.#at.answer(feed), state, this.#at.timestamp, this.#bounds);
    });
  }

  /** Pools that have no way between the two, or cannot carry the sample, say nothing. */
  #pair(key: string, sold: PriceUse, bought: PriceUse): SkipReason | undefined {
    return remembered(this.#pairs, key, () => {
      const amountRaw = this.#sampleRaw(sold.asset);
      const [price, priceBought] = [sold.source.price(this.#at), bought.source.price(this.#at)];
      if (amountRaw === undefined || !price.ok || !priceBought.ok || priceBought.price === 0n) return undefined;
      const { venue } = this.#world;
      const fill = venue.quoteIn(sold.asset, bought.asset, amountRaw, venue.depth(this.#at));
      if (!fill.ok) return undefined;
      const oracleRaw = (amountRaw * price.price * 10n ** BigInt(bought.decimals)) / (priceBought.price * 10n ** BigInt(sold.decimals));
      return checkPool({ sold: sold.asset, bought: bought.asset }, fill.amountOutRaw, oracleRaw, this.#bounds);
    });
  }

  #sampleRaw(asset: Address): bigint | undefined {
    const usd = this.#world.usd.usd8(asset, this.#at);
    if (usd === undefined || usd.priceUsd8 <= 0n) return undefined;
    const amountRaw = (SAMPLE_USD8 * 10n ** BigInt(usd.decimals)) / usd.priceUsd8;
    return amountRaw > 0n ? amountRaw : undefined;
  }
}

function remembered<K, V>(known: Map<K, V>, key: K, work: () => V): V {
  if (!known.has(key)) known.set(key, work());
  return known.get(key) as V;
}

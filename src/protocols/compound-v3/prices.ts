/** The prices that a position rests on, as guards look at them. */
import type { Address, Head } from '../../lib/types.ts';
import type { Reading } from '../../mirror/types.ts';
import { opaqueSource } from '../../oracles/sources.ts';
import type { Moment } from '../../oracles/types.ts';
import type { PricedAsset } from '../registry.ts';
import type { PriceUse } from '../types.ts';
import { readConfig, readFeeds } from './anchor.ts';
import { believed, priceAt } from './feed.ts';
import { calls } from './reads.ts';
import { assetsOf, type CometState, type SlotOf } from './state.ts';

/** What answers the price of the base asset and of each collateral. Throws a MirrorError where there is no Comet. */
export function* marketPrices(comet: Address, block: Head): Reading<readonly PricedAsset[]> {
  const config = yield* readConfig(comet);
  const feeds = yield* readFeeds(comet, config, block);
  return [config.base, ...config.assets].map(({ address, symbol, priceFeed }) => ({
    ...{ asset: address, symbol },
    source: feeds.get(priceFeed)?.decoded ?? opaqueSource(priceFeed, calls.price(comet, priceFeed)),
  }));
}

/**
 * All of one Comet's feeds answer in one currency, for a whole token.
 *
 * @param now the mirrored block
 */
export function usedPrices(slot: SlotOf, state: CometState, now: Moment): readonly PriceUse[] {
  const { base, assets } = state.config;
  const places = slot.kind === 'store' ? [slot.asset] : assetsOf(slot.account, state.config);
  const use = ({ address, decimals, priceFeed }: (typeof assets)[number] | typeof base, side: PriceUse['side']): PriceUse => {
    const feed = state.feeds.get(priceFeed)!;
    const source = believed(feed, now);
    return {
      ...{ asset: address, side, decimals },
      source: source ?? {
        ...{ kind: 'opaque', address: priceFeed, feeds: [] },
        price: (at) => {
          const price = priceAt(feed, at, now);
          return price === undefined
            ? { ok: false, reason: `price feed ${priceFeed} does not answer` }
            : { ok: true, price, updatedAt: at.timestamp };
        },
      },
    };
  };
  return [use(base, 'debt'), ...places.map((place) => use(assets[place]!, 'collateral'))];
}

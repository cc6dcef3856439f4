/** The protocols that this version works on: for each, what makes one market of it from its entry in the address book. */

import type { FlashSource } from '../liquidity/types.ts';
import type { FeedBook } from '../oracles/feeds.ts';
import { AaveV3Flash } from './aave-v3/flash.ts';
import { type AaveV3Deployment, AaveV3Market } from './aave-v3/market.ts';
import type { Protocol } from './types.ts';

/** A market and what it lends for a flash, if anything. */
export type Opened = { readonly protocol: Protocol; readonly flashes: readonly FlashSource[] };

export const registry = {
  'aave-v3': (deployment: AaveV3Deployment, feeds: FeedBook): Opened => {
    const market = new AaveV3Market(deployment, feeds);
    return { protocol: market, flashes: [new AaveV3Flash(market)] };
  },
} as const;

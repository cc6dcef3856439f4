/** Venus beside the others, over the same tokens and feeds: its markets, lenders and borrowers. */
import type { Address } from 'viem';
import type { SetupChain } from '../chain.ts';
import type { Feed } from '../oracle/report.ts';
import { openVenusBorrowers, type VenusBorrower } from './borrowers.ts';
import { deployVenus, type Edition, MARKETS, type MarketSpec, type Venus } from './deploy.ts';

export type VenusMarkets = { readonly venus: Venus; readonly borrowers: readonly VenusBorrower[] };

export type VenusOptions = {
  readonly positions: number;
  readonly seed: number;
  readonly markets?: readonly MarketSpec[];
  readonly edition?: Edition;
};

/** Everything is mined on return. The same positions and seed give the same borrowers. */
export async function openVenus(
  chain: SetupChain,
  tokens: Record<string, Address>,
  feeds: Record<string, Feed>,
  { positions, seed, markets = MARKETS, edition = 'pools' }: VenusOptions,
): Promise<VenusMarkets> {
  const venus = await deployVenus(chain, tokens, feeds, markets, edition);
  return { venus, borrowers: await openVenusBorrowers(chain, venus, tokens, positions, seed) };
}

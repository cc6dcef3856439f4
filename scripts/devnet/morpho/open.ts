/** Morpho Blue beside Aave, over the same tokens and feeds: its markets, lenders and borrowers. */
import type { Address } from 'viem';
import type { SetupChain } from '../chain.ts';
import type { Feed } from '../oracle/report.ts';
import { type MorphoBorrower, openMorphoBorrowers } from './borrowers.ts';
import { deployMorpho, MARKETS, type MarketSpec, type Morpho } from './deploy.ts';

export type MorphoMarkets = { morpho: Morpho; borrowers: MorphoBorrower[] };

/** Everything is mined on return. The same positions and seed give the same borrowers. */
export async function openMorpho(
  chain: SetupChain,
  tokens: Record<string, Address>,
  feeds: Record<string, Feed>,
  { positions, seed, markets = MARKETS }: { positions: number; seed: number; markets?: readonly MarketSpec[] },
): Promise<MorphoMarkets> {
  const morpho = await deployMorpho(chain, tokens, feeds, markets);
  return { morpho, borrowers: await openMorphoBorrowers(chain, morpho, tokens, positions, seed) };
}

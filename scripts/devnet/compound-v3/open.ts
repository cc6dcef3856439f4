/** A Compound III market beside Aave, over the same tokens and feeds, with its lender and borrowers. */
import type { Address } from 'viem';
import type { SetupChain } from '../chain.ts';
import type { Feed } from '../oracle/report.ts';
import { type CometBorrower, openCometBorrowers } from './borrowers.ts';
import { type Comet, type CometOptions, type CometSpec, deployComet, USDC_MARKET } from './deploy.ts';

export type CometMarket = { comet: Comet; borrowers: CometBorrower[] };

/** Everything is mined on return. The same positions and seed give the same borrowers. */
export async function openComet(
  chain: SetupChain,
  tokens: Record<string, Address>,
  feeds: Record<string, Feed>,
  { positions, seed, spec = USDC_MARKET, ...options }: { positions: number; seed: number; spec?: CometSpec } & CometOptions,
): Promise<CometMarket> {
  const comet = await deployComet(chain, tokens, feeds, spec, options);
  return { comet, borrowers: await openCometBorrowers(chain, comet, tokens, positions, seed) };
}

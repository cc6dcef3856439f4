/** Deploys the staked-ETH token and its price source: the ETH feed times the token's ratio, with no feed of its own. */
import type { Address } from 'viem';
import type { SetupChain } from '../chain.ts';
import { oracleArtifacts } from './contracts.ts';

export type StakedEther = {
  /** ERC-20 (18 decimals), ratio provider, and `mint(address,uint256)` for the deployer. `poke()` lets the ratio grow. */
  token: Address;
  /** The price source for Aave's oracle. */
  adapter: Address;
};

export type StakedEtherSpec = {
  /** The ETH/USD feed's proxy. */
  ethUsdProxy: Address;
  initialRatioWad: bigint;
  yearlyGrowthBps: bigint;
};

/** Queued on return; on chain after the next `chain.mine()`. The adapter asks the feed for its decimals, so the feed comes first. */
export async function deployStakedEther(chain: SetupChain, spec: StakedEtherSpec): Promise<StakedEther> {
  const { ratioAdapter, stakedEther } = await oracleArtifacts();
  const token = chain.deploy('staked ether', stakedEther, [spec.initialRatioWad, spec.yearlyGrowthBps]);
  const adapter = chain.deploy('staked ether price', ratioAdapter, [spec.ethUsdProxy, token, 'wstETH / stETH / USD']);
  return { token, adapter };
}

/** Deploys the staked-ETH token and its price source: the ETH feed times the token's ratio, with no feed of its own. */
import type { Address } from 'viem';
import { oracleArtifacts } from './contracts.ts';
import type { DeployOn } from './feeds.ts';
import { openSequence } from './sequence.ts';

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

export async function deployStakedEther(chain: DeployOn, spec: StakedEtherSpec): Promise<StakedEther> {
  const artifacts = await oracleArtifacts();
  const sequence = await openSequence(chain.rpcUrl, chain.deployerKey);
  const token = await sequence.deploy(artifacts.stakedEther, [spec.initialRatioWad, spec.yearlyGrowthBps], 2_000_000n);
  const adapter = await sequence.deploy(artifacts.ratioAdapter, [spec.ethUsdProxy, token, 'wstETH / stETH / USD'], 2_000_000n);
  await sequence.mined();
  return { token, adapter };
}

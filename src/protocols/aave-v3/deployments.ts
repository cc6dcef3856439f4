import * as aave from '@bgd-labs/aave-address-book';
import type { Address } from '../../lib/types.ts';
import type { AaveV3Deployment } from './market.ts';

type Market = readonly [name: string, provider: string, fromBlock: number];

/** The addresses are those of Aave's own published book. A block is a round number below the deployment: too low costs a few empty ranges, too high would miss accounts. */
const DEPLOYMENTS: Readonly<Record<number, readonly Market[]>> = {
  [aave.AaveV3Ethereum.CHAIN_ID]: [
    ['core', aave.AaveV3Ethereum.POOL_ADDRESSES_PROVIDER, 16_000_000],
    ['prime', aave.AaveV3EthereumLido.POOL_ADDRESSES_PROVIDER, 20_000_000],
    ['etherfi', aave.AaveV3EthereumEtherFi.POOL_ADDRESSES_PROVIDER, 20_000_000],
  ],
  [aave.AaveV3Optimism.CHAIN_ID]: [['core', aave.AaveV3Optimism.POOL_ADDRESSES_PROVIDER, 4_000_000]],
  [aave.AaveV3BNB.CHAIN_ID]: [['core', aave.AaveV3BNB.POOL_ADDRESSES_PROVIDER, 33_000_000]],
  [aave.AaveV3Gnosis.CHAIN_ID]: [['core', aave.AaveV3Gnosis.POOL_ADDRESSES_PROVIDER, 30_000_000]],
  [aave.AaveV3Polygon.CHAIN_ID]: [['core', aave.AaveV3Polygon.POOL_ADDRESSES_PROVIDER, 25_000_000]],
  [aave.AaveV3Base.CHAIN_ID]: [['core', aave.AaveV3Base.POOL_ADDRESSES_PROVIDER, 2_000_000]],
  [aave.AaveV3Arbitrum.CHAIN_ID]: [['core', aave.AaveV3Arbitrum.POOL_ADDRESSES_PROVIDER, 7_000_000]],
  [aave.AaveV3Linea.CHAIN_ID]: [['core', aave.AaveV3Linea.POOL_ADDRESSES_PROVIDER, 10_000_000]],
  [aave.AaveV3Scroll.CHAIN_ID]: [['core', aave.AaveV3Scroll.POOL_ADDRESSES_PROVIDER, 1_000_000]],
  [aave.AaveV3Soneium.CHAIN_ID]: [['core', aave.AaveV3Soneium.POOL_ADDRESSES_PROVIDER, 1_000_000]],
  [aave.AaveV3Avalanche.CHAIN_ID]: [['core', aave.AaveV3Avalanche.POOL_ADDRESSES_PROVIDER, 11_000_000]],
};

export function builtIn(chainId: number): { readonly 'aave-v3': readonly AaveV3Deployment[] } {
  const markets = DEPLOYMENTS[chainId] ?? [];
  return {
    'aave-v3': markets.map(([name, provider, fromBlock]) => ({
      name,
      poolAddressesProvider: provider.toLowerCase() as Address,
      fromBlock,
    })),
  };
}

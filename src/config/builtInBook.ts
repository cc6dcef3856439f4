import * as aave from '@bgd-labs/aave-address-book';
import type { Address } from '../lib/types.ts';
import { builtInDeployments } from '../protocols/registry.ts';
import type { BuiltInBook } from './addressBook.ts';

type Chain = {
  readonly name: string;
  readonly wrappedNative: string;
  readonly uniswap?: { readonly factory: string; readonly fromBlock: number };
  readonly bridges: readonly string[];
  /** Of an L2's sequencer. */
  readonly uptimeFeed?: string;
};

/** At the same address on every chain here. */
const MULTICALL3 = '0xca11bde05977b3631167028862be2a173976ca11';
const UNISWAP_V3 = '0x1f98431c8ad98523631ae4a59f267346ea31f984';

const { ChainlinkArbitrum, ChainlinkBase, ChainlinkOptimism } = aave;
const { AaveV3Arbitrum, AaveV3Avalanche, AaveV3BNB, AaveV3Base, AaveV3Ethereum, AaveV3Gnosis, AaveV3Optimism, AaveV3Polygon } = aave;

/**
 * What is known without a DEPLOYMENTS_FILE, by chain id, beside where each protocol is (`deployments.ts` of its folder). Tokens are told by Aave's own published
 * book. A `fromBlock` is a round number below the deployment: too low costs a few empty ranges.
 */
const CHAINS: Readonly<Record<number, Chain>> = {
  [AaveV3Ethereum.CHAIN_ID]: {
    name: 'ethereum',
    wrappedNative: AaveV3Ethereum.ASSETS.WETH.UNDERLYING,
    uniswap: { factory: UNISWAP_V3, fromBlock: 12_000_000 },
    bridges: [AaveV3Ethereum.ASSETS.WETH.UNDERLYING, AaveV3Ethereum.ASSETS.USDC.UNDERLYING, AaveV3Ethereum.ASSETS.USDT.UNDERLYING],
  },
  [AaveV3Optimism.CHAIN_ID]: {
    name: 'optimism',
    wrappedNative: AaveV3Optimism.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkOptimism.L2_Sequencer_Uptime_Status_Feed,
    uniswap: { factory: UNISWAP_V3, fromBlock: 0 },
    bridges: [AaveV3Optimism.ASSETS.WETH.UNDERLYING, AaveV3Optimism.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3BNB.CHAIN_ID]: {
    name: 'bnb',
    wrappedNative: AaveV3BNB.ASSETS.WBNB.UNDERLYING,
    uniswap: { factory: '0xdb1d10011ad0ff90774d0c6bb92e5c5c8b4461f7', fromBlock: 26_000_000 },
    bridges: [AaveV3BNB.ASSETS.WBNB.UNDERLYING, AaveV3BNB.ASSETS.USDT.UNDERLYING],
  },
  [AaveV3Gnosis.CHAIN_ID]: {
    name: 'gnosis',
    wrappedNative: AaveV3Gnosis.ASSETS.WXDAI.UNDERLYING,
    bridges: [AaveV3Gnosis.ASSETS.WXDAI.UNDERLYING, AaveV3Gnosis.ASSETS.WETH.UNDERLYING],
  },
  [AaveV3Polygon.CHAIN_ID]: {
    name: 'polygon',
    wrappedNative: AaveV3Polygon.ASSETS.WPOL.UNDERLYING,
    uniswap: { factory: UNISWAP_V3, fromBlock: 22_000_000 },
    bridges: [AaveV3Polygon.ASSETS.WPOL.UNDERLYING, AaveV3Polygon.ASSETS.WETH.UNDERLYING, AaveV3Polygon.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Base.CHAIN_ID]: {
    name: 'base',
    wrappedNative: AaveV3Base.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkBase.L2_Sequencer_Uptime_Status_Feed,
    uniswap: { factory: '0x33128a8fc17869897dce68ed026d694621f6fdfd', fromBlock: 1_000_000 },
    bridges: [AaveV3Base.ASSETS.WETH.UNDERLYING, AaveV3Base.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Arbitrum.CHAIN_ID]: {
    name: 'arbitrum',
    wrappedNative: AaveV3Arbitrum.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkArbitrum.L2_Sequencer_Uptime_Status_Feed,
    uniswap: { factory: UNISWAP_V3, fromBlock: 0 },
    bridges: [AaveV3Arbitrum.ASSETS.WETH.UNDERLYING, AaveV3Arbitrum.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Avalanche.CHAIN_ID]: {
    name: 'avalanche',
    wrappedNative: AaveV3Avalanche.ASSETS.WAVAX.UNDERLYING,
    uniswap: { factory: '0x740b1c1de25031c31ff4fc9a62f554a55cdc1bad', fromBlock: 27_000_000 },
    bridges: [AaveV3Avalanche.ASSETS.WAVAX.UNDERLYING, AaveV3Avalanche.ASSETS.USDC.UNDERLYING],
  },
};

/** Undefined for a chain that needs a DEPLOYMENTS_FILE. */
export function builtInBook(chainId: number): BuiltInBook | undefined {
  const chain = CHAINS[chainId];
  if (chain === undefined) return undefined;
  return {
    name: chain.name,
    wrappedNative: lower(chain.wrappedNative),
    multicall3: MULTICALL3,
    ...builtInDeployments(chainId),
    'uniswap-v3': chain.uniswap === undefined ? [] : [{ factory: lower(chain.uniswap.factory), fromBlock: chain.uniswap.fromBlock }],
    bridgeTokens: chain.bridges.map(lower),
    ...(chain.uptimeFeed === undefined ? {} : { sequencerUptimeFeed: lower(chain.uptimeFeed) }),
  };
}

function lower(address: string): Address {
  return address.toLowerCase() as Address;
}

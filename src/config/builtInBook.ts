import * as aave from '@bgd-labs/aave-address-book';
import type { Address } from '../lib/types.ts';
import { builtInVenues } from '../liquidity/registry.ts';
import { builtInDeployments } from '../protocols/registry.ts';
import type { BuiltInBook } from './addressBook.ts';

type Chain = {
  readonly name: string;
  readonly wrappedNative: string;
  readonly bridges: readonly string[];
  /** Of an L2's sequencer. */
  readonly uptimeFeed?: string;
};

/** At the same address on every chain here. */
const MULTICALL3 = '0xca11bde05977b3631167028862be2a173976ca11';
const OP_STACK_WETH = '0x4200000000000000000000000000000000000006';

const { ChainlinkArbitrum, ChainlinkBase, ChainlinkOptimism, ChainlinkScroll, ChainlinkSoneium } = aave;
const { AaveV3Arbitrum, AaveV3Avalanche, AaveV3BNB, AaveV3Base, AaveV3Ethereum, AaveV3Gnosis } = aave;
const { AaveV3Linea, AaveV3Optimism, AaveV3Polygon, AaveV3Scroll, AaveV3Soneium } = aave;

/**
 * What is known without a DEPLOYMENTS_FILE, by chain id, beside where each protocol and venue is (`deployments.ts` of its folder). Tokens are told by Aave's own
 * published book, where Aave is none by Morpho's SDK (morpho-org/sdks, packages/morpho-ts/src/addresses.ts).
 */
const CHAINS: Readonly<Record<number, Chain>> = {
  [AaveV3Ethereum.CHAIN_ID]: {
    name: 'ethereum',
    wrappedNative: AaveV3Ethereum.ASSETS.WETH.UNDERLYING,
    bridges: [AaveV3Ethereum.ASSETS.WETH.UNDERLYING, AaveV3Ethereum.ASSETS.USDC.UNDERLYING, AaveV3Ethereum.ASSETS.USDT.UNDERLYING],
  },
  [AaveV3Optimism.CHAIN_ID]: {
    name: 'optimism',
    wrappedNative: AaveV3Optimism.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkOptimism.L2_Sequencer_Uptime_Status_Feed,
    bridges: [AaveV3Optimism.ASSETS.WETH.UNDERLYING, AaveV3Optimism.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3BNB.CHAIN_ID]: {
    name: 'bnb',
    wrappedNative: AaveV3BNB.ASSETS.WBNB.UNDERLYING,
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
    bridges: [AaveV3Polygon.ASSETS.WPOL.UNDERLYING, AaveV3Polygon.ASSETS.WETH.UNDERLYING, AaveV3Polygon.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Base.CHAIN_ID]: {
    name: 'base',
    wrappedNative: AaveV3Base.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkBase.L2_Sequencer_Uptime_Status_Feed,
    bridges: [AaveV3Base.ASSETS.WETH.UNDERLYING, AaveV3Base.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Arbitrum.CHAIN_ID]: {
    name: 'arbitrum',
    wrappedNative: AaveV3Arbitrum.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkArbitrum.L2_Sequencer_Uptime_Status_Feed,
    bridges: [AaveV3Arbitrum.ASSETS.WETH.UNDERLYING, AaveV3Arbitrum.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Avalanche.CHAIN_ID]: {
    name: 'avalanche',
    wrappedNative: AaveV3Avalanche.ASSETS.WAVAX.UNDERLYING,
    bridges: [AaveV3Avalanche.ASSETS.WAVAX.UNDERLYING, AaveV3Avalanche.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Linea.CHAIN_ID]: {
    name: 'linea',
    wrappedNative: AaveV3Linea.ASSETS.WETH.UNDERLYING,
    bridges: [AaveV3Linea.ASSETS.WETH.UNDERLYING, AaveV3Linea.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Scroll.CHAIN_ID]: {
    name: 'scroll',
    wrappedNative: AaveV3Scroll.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkScroll.L2_Sequencer_Uptime_Status_Feed,
    bridges: [AaveV3Scroll.ASSETS.WETH.UNDERLYING, AaveV3Scroll.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Soneium.CHAIN_ID]: {
    name: 'soneium',
    wrappedNative: AaveV3Soneium.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkSoneium.L2_Sequencer_Uptime_Status_Feed,
    bridges: [AaveV3Soneium.ASSETS.WETH.UNDERLYING, AaveV3Soneium.ASSETS.USDCe.UNDERLYING],
  },
  130: {
    name: 'unichain',
    wrappedNative: OP_STACK_WETH,
    bridges: [OP_STACK_WETH, '0x078d782b760474a361dda0af3839290b0ef57ad6'],
  },
  143: {
    name: 'monad',
    wrappedNative: '0x3bd359c1119da7da1d913d1c4d2b7c461115433a',
    bridges: ['0x3bd359c1119da7da1d913d1c4d2b7c461115433a', '0x754704bc059f8c67012fed69bc8a327a5aafb603'],
  },
  480: {
    name: 'world-chain',
    wrappedNative: OP_STACK_WETH,
    bridges: [OP_STACK_WETH, '0x79a02482a880bce3f13e09da970dc34db4cd24d1'],
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
    ...builtInVenues(chainId),
    bridgeTokens: chain.bridges.map(lower),
    ...(chain.uptimeFeed === undefined ? {} : { sequencerUptimeFeed: lower(chain.uptimeFeed) }),
  };
}

function lower(address: string): Address {
  return address.toLowerCase() as Address;
}

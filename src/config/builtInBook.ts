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
const OP_STACK_WETH = '0x4200000000000000000000000000000000000006';
const UNISWAP_V3 = '0x1f98431c8ad98523631ae4a59f267346ea31f984';

const { ChainlinkArbitrum, ChainlinkBase, ChainlinkOptimism, ChainlinkScroll, ChainlinkSoneium } = aave;
const { AaveV3Arbitrum, AaveV3Avalanche, AaveV3BNB, AaveV3Base, AaveV3Ethereum, AaveV3Gnosis } = aave;
const { AaveV3Linea, AaveV3Optimism, AaveV3Polygon, AaveV3Scroll, AaveV3Soneium } = aave;

/**
 * What is known without a DEPLOYMENTS_FILE, by chain id, beside where each protocol is (`deployments.ts` of its folder). Tokens are told by Aave's own published
 * book, where Aave is none by Morpho's SDK (morpho-org/sdks, packages/morpho-ts/src/addresses.ts). Uniswap's factories are those
 * of its documentation (contracts, v3, deployments), on Linea and Scroll of DefiLlama's adapter of it, on Soneium of its governance's list. A `fromBlock` is a round number below the deployment, 0 where none is known: too low costs empty ranges.
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
  [AaveV3Linea.CHAIN_ID]: {
    name: 'linea',
    wrappedNative: AaveV3Linea.ASSETS.WETH.UNDERLYING,
    uniswap: { factory: '0x31fafd4889fa1269f7a13a66ee0fb458f27d72a9', fromBlock: 25_000 },
    bridges: [AaveV3Linea.ASSETS.WETH.UNDERLYING, AaveV3Linea.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Scroll.CHAIN_ID]: {
    name: 'scroll',
    wrappedNative: AaveV3Scroll.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkScroll.L2_Sequencer_Uptime_Status_Feed,
    uniswap: { factory: '0x70c62c8b8e801124a4aa81ce07b637a3e83cb919', fromBlock: 1_000 },
    bridges: [AaveV3Scroll.ASSETS.WETH.UNDERLYING, AaveV3Scroll.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Soneium.CHAIN_ID]: {
    name: 'soneium',
    wrappedNative: AaveV3Soneium.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkSoneium.L2_Sequencer_Uptime_Status_Feed,
    uniswap: { factory: '0x42ae7ec7ff020412639d443e245d936429fbe717', fromBlock: 3_000_000 },
    bridges: [AaveV3Soneium.ASSETS.WETH.UNDERLYING, AaveV3Soneium.ASSETS.USDCe.UNDERLYING],
  },
  130: {
    name: 'unichain',
    wrappedNative: OP_STACK_WETH,
    uniswap: { factory: '0x1f98400000000000000000000000000000000003', fromBlock: 0 },
    bridges: [OP_STACK_WETH, '0x078d782b760474a361dda0af3839290b0ef57ad6'],
  },
  143: {
    name: 'monad',
    wrappedNative: '0x3bd359c1119da7da1d913d1c4d2b7c461115433a',
    uniswap: { factory: '0x204faca1764b154221e35c0d20abb3c525710498', fromBlock: 0 },
    bridges: ['0x3bd359c1119da7da1d913d1c4d2b7c461115433a', '0x754704bc059f8c67012fed69bc8a327a5aafb603'],
  },
  480: {
    name: 'world-chain',
    wrappedNative: OP_STACK_WETH,
    uniswap: { factory: '0x7a5028bda40e7b173c278c5342087826455ea25a', fromBlock: 0 },
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
    'uniswap-v3': chain.uniswap === undefined ? [] : [{ factory: lower(chain.uniswap.factory), fromBlock: chain.uniswap.fromBlock }],
    bridgeTokens: chain.bridges.map(lower),
    ...(chain.uptimeFeed === undefined ? {} : { sequencerUptimeFeed: lower(chain.uptimeFeed) }),
  };
}

function lower(address: string): Address {
  return address.toLowerCase() as Address;
}

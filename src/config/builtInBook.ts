import * as aave from '@bgd-labs/aave-address-book';
import type { Address } from '../lib/types.ts';
import type { BuiltInBook } from './addressBook.ts';

type Market = { readonly name: string; readonly provider: string; readonly fromBlock: number };
type Chain = {
  readonly name: string;
  readonly wrappedNative: string;
  readonly aave: readonly Market[];
  /** Morpho Blue: the contract, and the block that it was deployed in. */
  readonly morpho?: readonly [address: string, fromBlock: number];
  readonly uniswap?: { readonly factory: string; readonly fromBlock: number };
  readonly bridges: readonly string[];
  /** Of an L2's sequencer. */
  readonly uptimeFeed?: string;
};

/** At the same address on every chain here. */
const MULTICALL3 = '0xca11bde05977b3631167028862be2a173976ca11';
const UNISWAP_V3 = '0x1f98431c8ad98523631ae4a59f267346ea31f984';

const { AaveV3Ethereum, AaveV3EthereumLido, AaveV3EthereumEtherFi } = aave;
const { ChainlinkArbitrum, ChainlinkBase, ChainlinkOptimism } = aave;
const { AaveV3Arbitrum, AaveV3Avalanche, AaveV3BNB, AaveV3Base, AaveV3Gnosis, AaveV3Optimism, AaveV3Polygon } = aave;

/**
 * What is known without a DEPLOYMENTS_FILE, by chain id. Aave's addresses are those of its own published book; Morpho's those of docs.morpho.org
 * (contracts, addresses), with the blocks of its SDK (morpho-org/sdks, packages/blue-sdk/src/addresses.ts). Any other `fromBlock` is a round number below the
 * deployment: too low costs a few empty ranges, too high would miss accounts.
 */
const CHAINS: Readonly<Record<number, Chain>> = {
  [AaveV3Ethereum.CHAIN_ID]: {
    name: 'ethereum',
    morpho: ['0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb', 18_883_124],
    wrappedNative: AaveV3Ethereum.ASSETS.WETH.UNDERLYING,
    aave: [
      { name: 'core', provider: AaveV3Ethereum.POOL_ADDRESSES_PROVIDER, fromBlock: 16_000_000 },
      { name: 'prime', provider: AaveV3EthereumLido.POOL_ADDRESSES_PROVIDER, fromBlock: 20_000_000 },
      { name: 'etherfi', provider: AaveV3EthereumEtherFi.POOL_ADDRESSES_PROVIDER, fromBlock: 20_000_000 },
    ],
    uniswap: { factory: UNISWAP_V3, fromBlock: 12_000_000 },
    bridges: [AaveV3Ethereum.ASSETS.WETH.UNDERLYING, AaveV3Ethereum.ASSETS.USDC.UNDERLYING, AaveV3Ethereum.ASSETS.USDT.UNDERLYING],
  },
  [AaveV3Optimism.CHAIN_ID]: {
    name: 'optimism',
    morpho: ['0xce95AfbB8EA029495c66020883F87aaE8864AF92', 130_770_075],
    wrappedNative: AaveV3Optimism.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkOptimism.L2_Sequencer_Uptime_Status_Feed,
    aave: [{ name: 'core', provider: AaveV3Optimism.POOL_ADDRESSES_PROVIDER, fromBlock: 4_000_000 }],
    uniswap: { factory: UNISWAP_V3, fromBlock: 0 },
    bridges: [AaveV3Optimism.ASSETS.WETH.UNDERLYING, AaveV3Optimism.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3BNB.CHAIN_ID]: {
    name: 'bnb',
    wrappedNative: AaveV3BNB.ASSETS.WBNB.UNDERLYING,
    aave: [{ name: 'core', provider: AaveV3BNB.POOL_ADDRESSES_PROVIDER, fromBlock: 33_000_000 }],
    uniswap: { factory: '0xdb1d10011ad0ff90774d0c6bb92e5c5c8b4461f7', fromBlock: 26_000_000 },
    bridges: [AaveV3BNB.ASSETS.WBNB.UNDERLYING, AaveV3BNB.ASSETS.USDT.UNDERLYING],
  },
  [AaveV3Gnosis.CHAIN_ID]: {
    name: 'gnosis',
    wrappedNative: AaveV3Gnosis.ASSETS.WXDAI.UNDERLYING,
    aave: [{ name: 'core', provider: AaveV3Gnosis.POOL_ADDRESSES_PROVIDER, fromBlock: 30_000_000 }],
    bridges: [AaveV3Gnosis.ASSETS.WXDAI.UNDERLYING, AaveV3Gnosis.ASSETS.WETH.UNDERLYING],
  },
  [AaveV3Polygon.CHAIN_ID]: {
    name: 'polygon',
    morpho: ['0x1bF0c2541F820E775182832f06c0B7Fc27A25f67', 66_931_042],
    wrappedNative: AaveV3Polygon.ASSETS.WPOL.UNDERLYING,
    aave: [{ name: 'core', provider: AaveV3Polygon.POOL_ADDRESSES_PROVIDER, fromBlock: 25_000_000 }],
    uniswap: { factory: UNISWAP_V3, fromBlock: 22_000_000 },
    bridges: [AaveV3Polygon.ASSETS.WPOL.UNDERLYING, AaveV3Polygon.ASSETS.WETH.UNDERLYING, AaveV3Polygon.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Base.CHAIN_ID]: {
    name: 'base',
    morpho: ['0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb', 13_977_148],
    wrappedNative: AaveV3Base.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkBase.L2_Sequencer_Uptime_Status_Feed,
    aave: [{ name: 'core', provider: AaveV3Base.POOL_ADDRESSES_PROVIDER, fromBlock: 2_000_000 }],
    uniswap: { factory: '0x33128a8fc17869897dce68ed026d694621f6fdfd', fromBlock: 1_000_000 },
    bridges: [AaveV3Base.ASSETS.WETH.UNDERLYING, AaveV3Base.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Arbitrum.CHAIN_ID]: {
    name: 'arbitrum',
    morpho: ['0x6c247b1F6182318877311737BaC0844bAa518F5e', 296_446_593],
    wrappedNative: AaveV3Arbitrum.ASSETS.WETH.UNDERLYING,
    uptimeFeed: ChainlinkArbitrum.L2_Sequencer_Uptime_Status_Feed,
    aave: [{ name: 'core', provider: AaveV3Arbitrum.POOL_ADDRESSES_PROVIDER, fromBlock: 7_000_000 }],
    uniswap: { factory: UNISWAP_V3, fromBlock: 0 },
    bridges: [AaveV3Arbitrum.ASSETS.WETH.UNDERLYING, AaveV3Arbitrum.ASSETS.USDC.UNDERLYING],
  },
  [AaveV3Avalanche.CHAIN_ID]: {
    name: 'avalanche',
    wrappedNative: AaveV3Avalanche.ASSETS.WAVAX.UNDERLYING,
    aave: [{ name: 'core', provider: AaveV3Avalanche.POOL_ADDRESSES_PROVIDER, fromBlock: 11_000_000 }],
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
    'aave-v3': chain.aave.map(({ name, provider, fromBlock }) => ({ name, poolAddressesProvider: lower(provider), fromBlock })),
    'morpho-blue': chain.morpho === undefined ? [] : [{ name: 'morpho', morpho: lower(chain.morpho[0]), fromBlock: chain.morpho[1] }],
    'uniswap-v3': chain.uniswap === undefined ? [] : [{ factory: lower(chain.uniswap.factory), fromBlock: chain.uniswap.fromBlock }],
    bridgeTokens: chain.bridges.map(lower),
    ...(chain.uptimeFeed === undefined ? {} : { sequencerUptimeFeed: lower(chain.uptimeFeed) }),
  };
}

function lower(address: string): Address {
  return address.toLowerCase() as Address;
}

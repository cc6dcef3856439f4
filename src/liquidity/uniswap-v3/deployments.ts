import type { Address } from '../../lib/types.ts';

export type UniswapV3Deployment = { readonly factory: Address; readonly fromBlock: number };

const FIRST: Address = '0x1f98431c8ad98523631ae4a59f267346ea31f984';

/**
 * By chain id, the factories of Uniswap's documentation (contracts, v3, deployments), on Linea and Scroll of DefiLlama's adapter of it, on Soneium of its
 * governance's list. A `fromBlock` is a round number below the deployment, 0 where none is known: too low costs empty ranges.
 */
const DEPLOYMENTS: Readonly<Record<number, UniswapV3Deployment>> = {
  1: { factory: FIRST, fromBlock: 12_000_000 },
  10: { factory: FIRST, fromBlock: 0 },
  56: { factory: '0xdb1d10011ad0ff90774d0c6bb92e5c5c8b4461f7', fromBlock: 26_000_000 },
  130: { factory: '0x1f98400000000000000000000000000000000003', fromBlock: 0 },
  137: { factory: FIRST, fromBlock: 22_000_000 },
  143: { factory: '0x204faca1764b154221e35c0d20abb3c525710498', fromBlock: 0 },
  480: { factory: '0x7a5028bda40e7b173c278c5342087826455ea25a', fromBlock: 0 },
  1868: { factory: '0x42ae7ec7ff020412639d443e245d936429fbe717', fromBlock: 3_000_000 },
  8453: { factory: '0x33128a8fc17869897dce68ed026d694621f6fdfd', fromBlock: 1_000_000 },
  42161: { factory: FIRST, fromBlock: 0 },
  43114: { factory: '0x740b1c1de25031c31ff4fc9a62f554a55cdc1bad', fromBlock: 27_000_000 },
  59144: { factory: '0x31fafd4889fa1269f7a13a66ee0fb458f27d72a9', fromBlock: 25_000 },
  534352: { factory: '0x70c62c8b8e801124a4aa81ce07b637a3e83cb919', fromBlock: 1_000 },
};

export function builtInUniswapV3(chainId: number): readonly UniswapV3Deployment[] {
  const deployment = DEPLOYMENTS[chainId];
  return deployment === undefined ? [] : [deployment];
}

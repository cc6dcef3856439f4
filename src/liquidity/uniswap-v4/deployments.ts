import type { Address } from '../../lib/types.ts';

export type UniswapV4Deployment = { readonly poolManager: Address; readonly fromBlock: number };

/**
 * By chain id, the managers of Uniswap's documentation (contracts, v4, deployments) and the blocks of DefiLlama's adapter of it
 * (DefiLlama-Adapters, projects/uniswap-v4/index.js), which names the same ones.
 */
const DEPLOYMENTS: Readonly<Record<number, UniswapV4Deployment>> = {
  1: { poolManager: '0x000000000004444c5dc75cb358380d2e3de08a90', fromBlock: 21_688_329 },
  10: { poolManager: '0x9a13f98cb987694c9f086b1f5eb990eea8264ec3', fromBlock: 130_947_675 },
  56: { poolManager: '0x28e2ea090877bf75740558f6bfb36a5ffee9e9df', fromBlock: 45_970_610 },
  130: { poolManager: '0x1f98400000000000000000000000000000000004', fromBlock: 0 },
  137: { poolManager: '0x67366782805870060151383f4bbff9dab53e5cd6', fromBlock: 66_980_384 },
  143: { poolManager: '0x188d586ddcf52439676ca21a244753fa19f9ea8e', fromBlock: 29_255_895 },
  480: { poolManager: '0xb1860d529182ac3bc1f51fa2abd56662b7d13f33', fromBlock: 9_111_872 },
  1868: { poolManager: '0x360e68faccca8ca495c1b759fd9eee466db9fb32', fromBlock: 2_473_300 },
  8453: { poolManager: '0x498581ff718922c3f8e6a244956af099b2652b2b', fromBlock: 25_350_988 },
  42161: { poolManager: '0x360e68faccca8ca495c1b759fd9eee466db9fb32', fromBlock: 297_842_872 },
  43114: { poolManager: '0x06380c0e0912312b5150364b9dc4542ba0dbbc85', fromBlock: 56_195_376 },
};

export function builtInUniswapV4(chainId: number): readonly UniswapV4Deployment[] {
  const deployment = DEPLOYMENTS[chainId];
  return deployment === undefined ? [] : [deployment];
}

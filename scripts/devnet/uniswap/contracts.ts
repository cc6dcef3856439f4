/** Uniswap v3 from its own published artifacts: the bytecode that stands on mainnet, so pool addresses follow from the well-known init code hash. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Artifact } from '../compile.ts';

const PATHS = {
  UniswapV3Factory: '@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json',
  UniswapV3Pool: '@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json',
  NonfungiblePositionManager: '@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json',
  SwapRouter: '@uniswap/v3-periphery/artifacts/contracts/SwapRouter.sol/SwapRouter.json',
  QuoterV2: '@uniswap/v3-periphery/artifacts/contracts/lens/QuoterV2.sol/QuoterV2.json',
} as const;

export type UniswapArtifacts = Record<keyof typeof PATHS, Artifact>;

export async function uniswapContracts(): Promise<UniswapArtifacts> {
  const { resolve } = createRequire(import.meta.url);
  const read = async ([name, path]: [string, string]) => {
    const { abi, bytecode, linkReferences } = JSON.parse(await readFile(resolve(path), 'utf8')) as Artifact;
    return [name, { abi, bytecode, linkReferences }] as const;
  };
  return Object.fromEntries(await Promise.all(Object.entries(PATHS).map(read))) as UniswapArtifacts;
}

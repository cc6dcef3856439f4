import type { Address } from '../../lib/types.ts';
import type { MorphoBlueDeployment } from './morpho-blue.ts';

/**
 * By chain id: the contract, and the block that it was deployed in. The addresses are those of docs.morpho.org (contracts, addresses), the blocks those of
 * Morpho's SDK (morpho-org/sdks, packages/blue-sdk/src/addresses.ts).
 */
const DEPLOYMENTS: Readonly<Record<number, readonly [morpho: string, fromBlock: number]>> = {
  1: ['0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb', 18_883_124],
  10: ['0xce95AfbB8EA029495c66020883F87aaE8864AF92', 130_770_075],
  137: ['0x1bF0c2541F820E775182832f06c0B7Fc27A25f67', 66_931_042],
  8453: ['0xBBBBBbbBBb9cC5e90e3b3Af64bdAF62C37EEFFCb', 13_977_148],
  42161: ['0x6c247b1F6182318877311737BaC0844bAa518F5e', 296_446_593],
};

export function builtIn(chainId: number): { readonly 'morpho-blue': readonly MorphoBlueDeployment[] } {
  const [morpho, fromBlock] = DEPLOYMENTS[chainId] ?? [];
  if (morpho === undefined || fromBlock === undefined) return { 'morpho-blue': [] };
  return { 'morpho-blue': [{ name: 'morpho', morpho: morpho.toLowerCase() as Address, fromBlock }] };
}

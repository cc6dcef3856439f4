import type { Address } from '../../lib/types.ts';
import type { CompoundV2Deployment } from './compound-v2.ts';

/**
 * By chain id: names, comptrollers, and a round number of a block below the deployment. Compound's is that of compound-finance/compound-protocol
 * (networks/mainnet.json), Venus' that of its own package (@venusprotocol/venus-protocol, deployments/bscmainnet), Moonwell's that of
 * moonwell-fi/moonwell-contracts-v2 (chains/8453.json), Benqi's that of docs.benqi.fi (contracts).
 */
const DEPLOYMENTS: Readonly<Record<number, readonly (readonly [name: string, comptroller: string, fromBlock: number])[]>> = {
  1: [['compound', '0x3d9819210A31b4961b30EF54bE2aeD79B9c9Cd3B', 7_700_000]],
  56: [['venus', '0xfD36E2c2a6789Db23113685031d7F16329158384', 2_000_000]],
  8453: [['moonwell', '0xfBb21d0380beE3312B33c4353c8936a0F13EF26C', 1_500_000]],
  43114: [['benqi', '0x486Af39519B4Dc9a7fCcd318217352830E8AD9b4', 2_000_000]],
};

export function builtIn(chainId: number): { readonly 'compound-v2': readonly CompoundV2Deployment[] } {
  const deployments = DEPLOYMENTS[chainId] ?? [];
  return {
    'compound-v2': deployments.map(([name, comptroller, fromBlock]) => ({
      ...{ name, fromBlock },
      comptroller: comptroller.toLowerCase() as Address,
    })),
  };
}

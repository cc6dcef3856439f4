/** Pre-liquidation contracts on the devnet, made by the double of Morpho's factory. */
import { type Address, encodeDeployData, getContractAddress } from 'viem';
import type { SetupChain } from '../chain.ts';
import type { Morpho, MorphoMarket } from './deploy.ts';

/** Ratios and factors in WAD, as the factory takes them. */
export type PreLiquidationParams = {
  preLltv: bigint;
  preLCF1: bigint;
  preLCF2: bigint;
  preLIF1: bigint;
  preLIF2: bigint;
  preLiquidationOracle: Address;
};

const NO_SALT = `0x${'0'.repeat(64)}` as const;

/** Queues the creation. */
export function createPreLiquidation(chain: SetupChain, morpho: Morpho, market: MorphoMarket, params: PreLiquidationParams): Address {
  chain.call(morpho.preLiquidationFactory, morpho.artifacts.preLiquidationFactory.abi, 'createPreLiquidation', [market.id, params]);
  return preLiquidationAddress(morpho, market, params);
}

/** Where the factory puts it: that follows from the parameters. */
export function preLiquidationAddress(
  { morpho, preLiquidationFactory, artifacts }: Morpho,
  { id }: MorphoMarket,
  params: PreLiquidationParams,
): Address {
  const { abi, bytecode } = artifacts.preLiquidation;
  return getContractAddress({
    ...{ opcode: 'CREATE2', from: preLiquidationFactory, salt: NO_SALT },
    bytecode: encodeDeployData({ abi, bytecode, args: [morpho, id, params] }),
  });
}

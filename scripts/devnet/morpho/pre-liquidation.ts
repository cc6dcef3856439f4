/** Pre-liquidation contracts on the devnet, made by the double of Morpho's factory, or by the code of the real one in its place. */
import { type Address, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from 'viem';
import type { SetupChain } from '../chain.ts';
import { rpc } from '../rpc.ts';
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

export const factoryAbi = parseAbi([
  'struct Params { uint256 preLltv; uint256 preLCF1; uint256 preLCF2; uint256 preLIF1; uint256 preLIF2; address preLiquidationOracle; }',
  'function createPreLiquidation(bytes32 id, Params params) returns (address)',
]);

/** Queues the creation; the address follows from the parameters. */
export async function createPreLiquidation(
  chain: SetupChain,
  morpho: Morpho,
  market: MorphoMarket,
  params: PreLiquidationParams,
): Promise<Address> {
  chain.call(morpho.preLiquidationFactory, factoryAbi, 'createPreLiquidation', [market.id, params]);
  return preLiquidationAddress(chain.rpcUrl, morpho, market, params);
}

/** Where the factory would put it. Rejects where it is there already. */
export async function preLiquidationAddress(
  rpcUrl: string,
  { preLiquidationFactory: to }: Morpho,
  { id }: MorphoMarket,
  params: PreLiquidationParams,
): Promise<Address> {
  const data = encodeFunctionData({ abi: factoryAbi, functionName: 'createPreLiquidation', args: [id, params] });
  return decodeFunctionResult({ abi: factoryAbi, data: await rpc<Hex>(rpcUrl, 'eth_call', [{ to, data }, 'latest']) });
}

/** A factory as it is somewhere else, of another Morpho: an immutable of its code names that. */
export type FactoryElsewhere = { readonly rpcUrl: string; readonly factory: Address; readonly morpho: Address };

/** Puts its code in the place of the double, with this Morpho for that one. */
export async function transplantFactory(
  chain: SetupChain,
  { morpho, preLiquidationFactory }: Morpho,
  from: FactoryElsewhere,
): Promise<void> {
  const code = await rpc<Hex>(from.rpcUrl, 'eth_getCode', [from.factory, 'latest']);
  const [theirs, ours] = [from.morpho, morpho].map((address) => address.slice(2).toLowerCase());
  if (!code.includes(theirs!)) throw new Error(`the code at ${from.factory} does not name ${from.morpho}`);
  await rpc(chain.rpcUrl, 'anvil_setCode', [preLiquidationFactory, code.replaceAll(theirs!, ours!)]);
}

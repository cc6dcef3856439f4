/** Venus' Liquidator, through which alone its positions may be liquidated once it is set, with the VAI controller that it asks. */
import { type Abi, type Address, encodeFunctionData } from 'viem';
import { CHAIN_ID } from '../../../scripts/devnet/anvil.ts';
import type { CompoundWorld } from './world.ts';

const WAD = 10n ** 18n;

export type Gate = { readonly address: Address; readonly vaiController: Address };

/** Mined and followed on return: the liquidator keeps a part of the bonus, VAI may be minted and bears interest. */
export async function setGate(world: CompoundWorld, treasuryWad: bigint): Promise<Gate> {
  const { venus, fixture } = world;
  const { chain, market } = fixture;
  const { artifacts, comptroller } = venus;
  await chain.prepare();
  const set = (to: Address, abi: Abi, functionName: string, ...args: readonly unknown[]) => chain.call(to, abi, functionName, args);
  const vaiController = chain.deploy('VAI unitroller', artifacts.VAIUnitroller);
  const brains = chain.deploy('VAI controller', artifacts.VAIController);
  const vai = chain.deploy('VAI', artifacts.VAI, [CHAIN_ID]);
  set(vaiController, artifacts.VAIUnitroller.abi, '_setPendingImplementation', brains);
  const { abi } = artifacts.VAIController;
  set(brains, abi, '_become', vaiController);
  set(vaiController, abi, 'initialize');
  set(vaiController, abi, 'setAccessControl', venus.accessControl);
  set(vaiController, abi, '_setComptroller', comptroller);
  set(vaiController, abi, 'setVAIToken', vai);
  set(vaiController, abi, 'setBaseRate', WAD / 20n);
  set(vai, artifacts.VAI.abi, 'rely', vaiController);
  set(comptroller, venus.abi, '_setVAIController', vaiController);
  set(comptroller, venus.abi, '_setVAIMintRate', 9_000n);
  await chain.mine();
  const native = venus.markets.find((one) => one.native)!;
  const logic = chain.deploy('Liquidator', artifacts.Liquidator, [comptroller, native.address, market.tokens['WETH']]);
  const init = encodeFunctionData({
    ...{ abi: artifacts.Liquidator.abi, functionName: 'initialize' },
    args: [treasuryWad, venus.accessControl, venus.shareReserve],
  });
  const address = chain.deploy('Liquidator proxy', artifacts.ERC1967Proxy, [logic, init]);
  set(comptroller, venus.abi, '_setLiquidatorContract', address);
  await chain.mine();
  return { address, vaiController };
}

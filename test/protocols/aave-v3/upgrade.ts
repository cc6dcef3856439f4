/** Upgrades a v3.0 market to 3.6 the way a governance does: new implementations behind the same proxies. */
import { type Address, encodeAbiParameters, type Hex, keccak256, toHex, zeroAddress } from 'viem';
import { expect } from 'vitest';
import { aaveContracts } from '../../../scripts/devnet/aave/contracts.ts';
import { deployImplementations } from '../../../scripts/devnet/aave/deploy.ts';
import { rateDataOf } from '../../../scripts/devnet/aave/listing.ts';
import { ASSETS, EMODES } from '../../../scripts/devnet/assets.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { LegacyScene, Scene } from './scene.ts';
import { Sender } from './sender.ts';

/** PoolStorage._reserves, after VersionedInitializable: the same in both releases. */
const RESERVES_SLOT = 52n;
const LOW_HALF = (1n << 128n) - 1n;

/** Contracts first; the upgrade itself is one block. Resolves with the market under its new contracts. */
export async function upgrade(scene: LegacyScene): Promise<Scene> {
  const { chain, market } = scene;
  const { legacy } = scene;
  const { poolAddressesProvider: provider, pool, treasury } = legacy.aave;
  const artifacts = await aaveContracts();
  // Others sent in the deployer's name meanwhile: its nonce is counted anew.
  await chain.fund([chain.deployer.address], 10n ** 26n);
  const { poolImplementation, configurator } = deployImplementations(chain, artifacts, provider);
  const aToken = chain.deploy('aToken', artifacts['ATokenInstance']!, [pool, zeroAddress, treasury]);
  const debtToken = chain.deploy('debt token', artifacts['VariableDebtTokenInstance']!, [pool, zeroAddress]);
  await chain.mine();

  const old = new Sender(scene);
  const upgraded: Scene = {
    ...scene,
    market: { ...market, aave: { ...legacy.aave, configuratorAbi: artifacts['PoolConfiguratorInstance']!.abi } },
  };
  const sender = new Sender(upgraded);
  for (const { symbol } of ASSETS) await migrateStorage(scene, market.tokens[symbol]!);
  const modes = EMODES.filter(({ id }) => id < 3);
  // A category's price lies where the list of its collateral comes to lie.
  for (const { id, liquidationThreshold, liquidationBonus, ltv, label } of modes)
    await old.admin('setEModeCategory', [id, ltv, liquidationThreshold, liquidationBonus, zeroAddress, label]);
  const { abi } = artifacts['PoolAddressesProvider']!;
  await sender.call(chain.deployer.address, provider, abi, 'setPoolImpl', [poolImplementation]);
  await sender.call(chain.deployer.address, provider, abi, 'setPoolConfiguratorImpl', [configurator]);
  for (const asset of ASSETS) {
    const named = { asset: market.tokens[asset.symbol]!, params: '0x' };
    const update = (name: string, implementation: Address) => ({ ...named, name, symbol: name, implementation });
    await sender.admin('updateAToken', [update(`aUp${asset.symbol}`, aToken)]);
    await sender.admin('updateVariableDebtToken', [update(`variableDebtUp${asset.symbol}`, debtToken)]);
    await sender.admin('setReserveInterestRateData', [named.asset, rateDataOf(asset)]);
  }
  for (const { id, collateral } of modes)
    for (const symbol of collateral) await sender.admin('setAssetCollateralInEMode', [market.tokens[symbol]!, id, true]);
  const { receipts } = await sender.mine();
  expect(receipts.map(({ status }) => status)).toEqual(receipts.map(() => '0x1'));
  expect(receipts.length).toBe(modes.length + 2 + 3 * ASSETS.length + modes.flatMap(({ collateral }) => collateral).length);
  return upgraded;
}

/**
 * What the initialisers of the releases in between did to a reserve, in their place: the liquidity that the pool accounts for takes the place of
 * what bridges owed (3.1, 3.4), the deficit that of the fixed rate (3.3).
 */
async function migrateStorage({ chain, legacy }: LegacyScene, asset: Address): Promise<void> {
  const { pool, artifacts } = legacy.aave;
  const reserve = BigInt(keccak256(encodeAbiParameters([{ type: 'address' }, { type: 'uint256' }], [asset, RESERVES_SLOT])));
  const replace = async (place: bigint, change: (word: bigint) => bigint) => {
    const slot = toHex(reserve + place, { size: 32 });
    const word = BigInt(await rpc<Hex>(chain.rpcUrl, 'eth_getStorageAt', [pool, slot, 'latest']));
    await rpc(chain.rpcUrl, 'anvil_setStorageAt', [pool, slot, toHex(change(word), { size: 32 })]);
  };
  const { aTokenAddress } = await chain.read<{ aTokenAddress: Address }>(pool, artifacts['Pool']!.abi, 'getReserveData', [asset]);
  const heldRaw = await chain.read<bigint>(asset, artifacts['AToken']!.abi, 'balanceOf', [aTokenAddress]);
  await replace(3n, (word) => word & ~LOW_HALF);
  await replace(8n, (word) => (word & LOW_HALF) | (heldRaw << 128n));
}

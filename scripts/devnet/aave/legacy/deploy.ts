/** Aave v3.0 as it stood in production, and stands in forks: pool and configurator behind the address provider's proxies, roles, oracle. */
import { type Address, zeroAddress } from 'viem';
import type { SetupChain } from '../../chain.ts';
import type { Artifact } from '../../compile.ts';
import type { AaveMarket } from '../deploy.ts';
import { legacyContracts } from './contracts.ts';

const FLASH_LOAN_PREMIUM_BPS = 9n;
const BASE_CURRENCY_UNIT = 10n ** 8n;

export type LegacyAave = AaveMarket & {
  aTokenImplementation: Address;
  stableDebtTokenImplementation: Address;
  variableDebtTokenImplementation: Address;
  treasury: Address;
  /** By name, for who deploys an implementation more. */
  libraries: Record<string, Address>;
  artifacts: Record<string, Artifact>;
};

/** An empty market with the deployer as its only admin, and no rewards. */
export async function deployLegacyAave(chain: SetupChain, treasury: Address): Promise<LegacyAave> {
  const artifacts = await legacyContracts();
  const fromBlock = (await chain.blockNumber()) + 1;
  const a = (name: string): Artifact => artifacts[name]!;
  const admin = chain.deployer.address;
  const abi = { provider: a('PoolAddressesProvider').abi, acl: a('ACLManager').abi, configurator: a('PoolConfigurator').abi };

  const provider = chain.deploy('PoolAddressesProvider', a('PoolAddressesProvider'), ['Bailiff devnet legacy market', admin]);
  const libraries = deployLibraries(chain, artifacts);
  const poolImplementation = chain.deploy('pool', a('Pool'), [provider], libraries);
  const configurator = chain.deploy('configurator', a('PoolConfigurator'), [], libraries);
  const oracle = chain.deploy('AaveOracle', a('AaveOracle'), [provider, [], [], zeroAddress, zeroAddress, BASE_CURRENCY_UNIT]);
  chain.call(provider, abi.provider, 'setPriceOracle', [oracle]);
  chain.call(provider, abi.provider, 'setACLAdmin', [admin]);
  const aclManager = chain.deploy('ACLManager', a('ACLManager'), [provider]);
  chain.call(provider, abi.provider, 'setACLManager', [aclManager]);
  for (const role of ['addPoolAdmin', 'addEmergencyAdmin']) chain.call(aclManager, abi.acl, role, [admin]);
  chain.call(provider, abi.provider, 'setPoolImpl', [poolImplementation]);
  chain.call(provider, abi.provider, 'setPoolConfiguratorImpl', [configurator]);
  const dataProvider = chain.deploy('data provider', a('AaveProtocolDataProvider'), [provider]);
  chain.call(provider, abi.provider, 'setPoolDataProvider', [dataProvider]);
  await chain.mine();

  const pool = await chain.read<Address>(provider, abi.provider, 'getPool');
  const poolConfigurator = await chain.read<Address>(provider, abi.provider, 'getPoolConfigurator');
  chain.call(poolConfigurator, abi.configurator, 'updateFlashloanPremiumTotal', [FLASH_LOAN_PREMIUM_BPS]);
  const aTokenImplementation = chain.deploy('aToken', a('AToken'), [pool]);
  const stableDebtTokenImplementation = chain.deploy('stable debt token', a('StableDebtToken'), [pool]);
  const variableDebtTokenImplementation = chain.deploy('variable debt token', a('VariableDebtToken'), [pool]);
  await chain.mine();

  return {
    ...{ poolAddressesProvider: provider, pool, poolConfigurator, configuratorAbi: abi.configurator, oracle, fromBlock },
    ...{ aTokenImplementation, stableDebtTokenImplementation, variableDebtTokenImplementation, treasury, libraries, artifacts },
  };
}

function deployLibraries(chain: SetupChain, artifacts: Record<string, Artifact>): Record<string, Address> {
  const libraries: Record<string, Address> = {};
  const names = ['BorrowLogic', 'BridgeLogic', 'ConfiguratorLogic', 'EModeLogic', 'FlashLoanLogic', 'LiquidationLogic', 'PoolLogic'];
  // NOTE: in the order of their own links; FlashLoanLogic calls BorrowLogic.
  for (const name of [...names, 'SupplyLogic']) libraries[name] = chain.deploy(name, artifacts[name]!, [], libraries);
  return libraries;
}

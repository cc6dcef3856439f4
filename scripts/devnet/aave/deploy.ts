/**
 * Aave v3.6 as it stands in production: pool and configurator behind the address provider's proxies, roles, treasury, rewards controller.
 * The order follows the package's own deployments/ (AaveV3BatchOrchestration and its procedures).
 */
import { type Abi, type Address, encodeFunctionData, keccak256, stringToHex, zeroAddress } from 'viem';
import type { SetupChain } from '../chain.ts';
import type { Artifact } from '../compile.ts';
import { aaveContracts } from './contracts.ts';

const FLASH_LOAN_PREMIUM_BPS = 5n;
const BASE_CURRENCY_UNIT = 10n ** 8n;

/** What any release's market has. */
export type AaveMarket = {
  poolAddressesProvider: Address;
  pool: Address;
  poolConfigurator: Address;
  configuratorAbi: Abi;
  oracle: Address;
  /** Block of the first contract: nothing of this market is older. */
  fromBlock: number;
};

export type Aave = AaveMarket & {
  aclManager: Address;
  protocolDataProvider: Address;
  treasury: Address;
  rateStrategy: Address;
  aTokenImplementation: Address;
  variableDebtTokenImplementation: Address;
  artifacts: Record<string, Artifact>;
};

/** An empty market with the deployer as its only admin. */
export async function deployAave(chain: SetupChain): Promise<Aave> {
  const artifacts = await aaveContracts();
  const fromBlock = (await chain.blockNumber()) + 1;
  const a = (name: string): Artifact => artifacts[name]!;
  const admin = chain.deployer.address;
  const abi = { provider: a('PoolAddressesProvider').abi, acl: a('ACLManager').abi, configurator: a('PoolConfiguratorInstance').abi };

  const provider = chain.deploy('PoolAddressesProvider', a('PoolAddressesProvider'), ['Bailiff devnet market', admin]);
  const { rateStrategy, poolImplementation, configurator } = deployImplementations(chain, artifacts, provider);
  const collector = chain.deploy('treasury', a('Collector'));
  const initialize = encodeFunctionData({ abi: a('Collector').abi, functionName: 'initialize', args: [100_000n, admin] });
  const treasury = chain.deploy('treasury proxy', a('TransparentUpgradeableProxy'), [collector, admin, initialize]);
  const emissionManager = chain.deploy('emission manager', a('EmissionManager'), [admin]);
  const rewards = chain.deploy('rewards controller', a('RewardsController'), [emissionManager]);
  const oracle = chain.deploy('AaveOracle', a('AaveOracle'), [provider, [], [], zeroAddress, zeroAddress, BASE_CURRENCY_UNIT]);

  const controllerId = keccak256(stringToHex('INCENTIVES_CONTROLLER'));
  chain.call(provider, abi.provider, 'setPriceOracle', [oracle]);
  chain.call(provider, abi.provider, 'setPoolImpl', [poolImplementation]);
  chain.call(provider, abi.provider, 'setPoolConfiguratorImpl', [configurator]);
  chain.call(provider, abi.provider, 'setAddressAsProxy', [controllerId, rewards]);
  chain.call(provider, abi.provider, 'setACLAdmin', [admin]);
  const aclManager = chain.deploy('ACLManager', a('ACLManager'), [provider]);
  chain.call(provider, abi.provider, 'setACLManager', [aclManager]);
  for (const role of ['addPoolAdmin', 'addEmergencyAdmin']) chain.call(aclManager, abi.acl, role, [admin]);
  await chain.mine();

  const pool = await chain.read<Address>(provider, abi.provider, 'getPool');
  const poolConfigurator = await chain.read<Address>(provider, abi.provider, 'getPoolConfigurator');
  const rewardsProxy = await chain.read<Address>(provider, abi.provider, 'getAddress', [controllerId]);
  chain.call(emissionManager, a('EmissionManager').abi, 'setRewardsController', [rewardsProxy]);
  chain.call(poolConfigurator, abi.configurator, 'updateFlashloanPremium', [FLASH_LOAN_PREMIUM_BPS]);
  const protocolDataProvider = chain.deploy('data provider', a('AaveProtocolDataProvider'), [provider]);
  chain.call(provider, abi.provider, 'setPoolDataProvider', [protocolDataProvider]);
  const aTokenImplementation = chain.deploy('aToken', a('ATokenInstance'), [pool, rewardsProxy, treasury]);
  const variableDebtTokenImplementation = chain.deploy('debt token', a('VariableDebtTokenInstance'), [pool, rewardsProxy]);
  await chain.mine();

  return {
    ...{ poolAddressesProvider: provider, pool, poolConfigurator, oracle, aclManager, protocolDataProvider, treasury, rateStrategy },
    ...{ aTokenImplementation, variableDebtTokenImplementation, configuratorAbi: abi.configurator, fromBlock, artifacts },
  };
}

/** What the proxies of an address provider's pool and configurator stand in front of. */
export function deployImplementations(chain: SetupChain, artifacts: Record<string, Artifact>, provider: Address) {
  const rateStrategy = chain.deploy('rate strategy', artifacts['DefaultReserveInterestRateStrategyV2']!, [provider]);
  const libraries = deployLibraries(chain, artifacts);
  const poolImplementation = chain.deploy('pool', artifacts['PoolInstance']!, [provider, rateStrategy], libraries);
  const configurator = chain.deploy('configurator', artifacts['PoolConfiguratorInstance']!, [], libraries);
  return { rateStrategy, poolImplementation, configurator };
}

function deployLibraries(chain: SetupChain, artifacts: Record<string, Artifact>): Record<string, Address> {
  const libraries: Record<string, Address> = {};
  // NOTE: in the order of their own links; FlashLoanLogic calls BorrowLogic and SupplyLogic.
  for (const name of ['BorrowLogic', 'SupplyLogic', 'LiquidationLogic', 'PoolLogic', 'ConfiguratorLogic', 'FlashLoanLogic']) {
    libraries[name] = chain.deploy(name, artifacts[name]!, [], libraries);
  }
  return libraries;
}

/** Aave v3.6, compiled from its own sources with its own settings. */
import { type Artifact, compileUnit } from '../compile.ts';

const AAVE = '@aave-dao/aave-v3-origin/src/contracts';
const ENTRIES = [
  'protocol/configuration/PoolAddressesProvider',
  'protocol/configuration/ACLManager',
  'misc/DefaultReserveInterestRateStrategyV2',
  'misc/AaveOracle',
  'instances/PoolInstance',
  'instances/PoolConfiguratorInstance',
  'instances/ATokenInstance',
  'instances/VariableDebtTokenInstance',
  'helpers/AaveProtocolDataProvider',
  'protocol/libraries/logic/BorrowLogic',
  'protocol/libraries/logic/FlashLoanLogic',
  'protocol/libraries/logic/LiquidationLogic',
  'protocol/libraries/logic/PoolLogic',
  'protocol/libraries/logic/SupplyLogic',
  'protocol/libraries/logic/ConfiguratorLogic',
  'rewards/EmissionManager',
  'rewards/RewardsController',
  'treasury/Collector',
  'dependencies/weth/WETH9',
];

export function aaveContracts(): Promise<Record<string, Artifact>> {
  return compileUnit({
    name: 'aave v3.6',
    solc: 'solc-0.8.27',
    entries: [
      ...ENTRIES.map((entry) => `${AAVE}/${entry}.sol`),
      '@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol',
    ],
    remappings: {
      'openzeppelin-contracts/contracts/': '@openzeppelin/contracts/',
      'openzeppelin-contracts-upgradeable/contracts/': '@openzeppelin/contracts-upgradeable/',
      'solidity-utils/': '@bgd-labs/solidity-utils/src/',
    },
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
}

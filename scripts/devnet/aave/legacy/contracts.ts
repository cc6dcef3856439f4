/** Aave v3.0 (3.0.2) as its package has it compiled. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Artifact } from '../../compile.ts';

const ARTIFACTS = fileURLToPath(new URL('../../../../node_modules/@aave/core-v3/artifacts/contracts/', import.meta.url));
const ENTRIES = [
  'protocol/configuration/PoolAddressesProvider',
  'protocol/configuration/ACLManager',
  'protocol/pool/Pool',
  'protocol/pool/L2Pool',
  'protocol/pool/PoolConfigurator',
  'protocol/pool/DefaultReserveInterestRateStrategy',
  'protocol/tokenization/AToken',
  'protocol/tokenization/StableDebtToken',
  'protocol/tokenization/VariableDebtToken',
  'protocol/libraries/logic/BorrowLogic',
  'protocol/libraries/logic/BridgeLogic',
  'protocol/libraries/logic/ConfiguratorLogic',
  'protocol/libraries/logic/EModeLogic',
  'protocol/libraries/logic/FlashLoanLogic',
  'protocol/libraries/logic/LiquidationLogic',
  'protocol/libraries/logic/PoolLogic',
  'protocol/libraries/logic/SupplyLogic',
  'misc/AaveOracle',
  'misc/AaveProtocolDataProvider',
];

export async function legacyContracts(): Promise<Record<string, Artifact>> {
  const read = async (entry: string): Promise<[string, Artifact]> => {
    const name = entry.split('/').at(-1)!;
    const { abi, bytecode, linkReferences }: Artifact = JSON.parse(await readFile(`${ARTIFACTS}${entry}.sol/${name}.json`, 'utf8'));
    return [name, { abi, bytecode, linkReferences }];
  };
  return Object.fromEntries(await Promise.all(ENTRIES.map(read)));
}

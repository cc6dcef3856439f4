/** Doubles of what rollups charge by, put where the genuine ones are. */
import { type Address, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { type Artifact, compileUnit } from '../../scripts/devnet/compile.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { GAS_PRICE_ORACLE, NODE_INTERFACE } from '../../src/chain/rollup.ts';

type Double = 'GasPriceOracleDouble' | 'FjordGasPriceOracleDouble' | 'NodeInterfaceDouble';

export const rollupAbi = parseAbi([
  'function set(uint256 weiPerByte, uint256 operatorWeiPerGas, uint256 operatorWei)',
  'function getL1Fee(bytes data) view returns (uint256)',
  'function getOperatorFee(uint256 gasUsed) view returns (uint256)',
]);
const nodeAbi = parseAbi(['function set(uint64 gasPerByte)']);

/** The code of a deployed double: anvil takes it at any address. */
export async function putDouble(rpcUrl: string, name: Double): Promise<void> {
  const compiled = await compileUnit({
    name: 'rollup doubles',
    solc: 'solc-0.8.27',
    entries: ['test/support/contracts/RollupDoubles.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  const { bytecode } = compiled[name] as Artifact;
  const code = await rpc<Hex>(rpcUrl, 'eth_call', [{ data: bytecode }, 'latest']);
  await rpc(rpcUrl, 'anvil_setCode', [name === 'NodeInterfaceDouble' ? NODE_INTERFACE : GAS_PRICE_ORACLE, code]);
}

/** Prices of the OP Stack's double. Mined with the next block. */
export async function setOracle(rpcUrl: string, prices: readonly [weiPerByte: bigint, operatorWeiPerGas: bigint, operatorWei: bigint]) {
  await sendFromSomebody(rpcUrl, GAS_PRICE_ORACLE, encodeFunctionData({ abi: rollupAbi, functionName: 'set', args: prices }));
}

export async function setNode(rpcUrl: string, gasPerByte: bigint) {
  await sendFromSomebody(rpcUrl, NODE_INTERFACE, encodeFunctionData({ abi: nodeAbi, functionName: 'set', args: [gasPerByte] }));
}

const SOMEBODY: Address = '0x5050505050505050505050505050505050505050';

async function sendFromSomebody(rpcUrl: string, to: Address, data: Hex): Promise<void> {
  await rpc(rpcUrl, 'anvil_setBalance', [SOMEBODY, '0xde0b6b3a7640000']);
  await rpc(rpcUrl, 'anvil_impersonateAccount', [SOMEBODY]);
  await rpc(rpcUrl, 'eth_sendTransaction', [{ from: SOMEBODY, to, data }]);
}

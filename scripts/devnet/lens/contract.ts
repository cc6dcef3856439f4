/** LensLiquidator.sol: what the lens calls, and what the rival sends its transactions through. */
import { type Address, parseAbi } from 'viem';
import { type Artifact, compileUnit } from '../compile.ts';

export type Route = { kind: number; fees: readonly [number, number] };
export type Plan = { account: Address; debt: Address; collateral: Address; amount: bigint; route: Route };

export const lensAbi = parseAbi([
  'struct Route { uint8 kind; uint24[2] fees; }',
  'struct Plan { address account; address debt; address collateral; uint256 amount; Route route; }',
  'struct Best { address debt; address collateral; uint256 amount; Route route; uint256 grossWei; uint256 gas; uint256 netWei; }',
  'function liquidate(Plan plan, uint256 minProfitWei) returns (uint256 profitWei)',
  'function healthFactors(address[] accounts) view returns (uint256[])',
  'function bestOf(address account, uint256 gasPriceWei, uint256 transactionGas) returns (Best)',
  'error NotEnough(uint256 profitWei, uint256 wanted)',
]);

/** What a `liquidate` costs before the contract runs: 21,000 and its calldata, 260 bytes of which about 85 are not zero. */
export const TRANSACTION_GAS = 21_000n + 85n * 16n + 175n * 4n;

export async function lensLiquidator(): Promise<Artifact> {
  const unit = await compileUnit({
    name: 'lens',
    solc: 'solc-0.8.27',
    entries: ['scripts/devnet/contracts/LensLiquidator.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  return unit['LensLiquidator']!;
}

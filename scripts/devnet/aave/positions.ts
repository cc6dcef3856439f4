/** What an account does at the pool, as transactions of its own. */
import { type Address, encodeFunctionData, parseAbi } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import type { SetupChain } from '../chain.ts';
import { erc20Abi } from '../tokens.ts';

export const poolAbi = parseAbi([
  'function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode)',
  'function borrow(address asset, uint256 amount, uint256 interestRateMode, uint16 referralCode, address onBehalfOf)',
  'function setUserUseReserveAsCollateral(address asset, bool useAsCollateral)',
  'function setUserEMode(uint8 categoryId)',
  'function getUserAccountData(address user) view returns (uint256 totalCollateralBase, uint256 totalDebtBase, uint256 availableBorrowsBase, uint256 currentLiquidationThreshold, uint256 ltv, uint256 healthFactor)',
]);

/** The pool's numbers; fixed rates ended with 3.2. */
const RATE_MODES = { fixed: 1n, variable: 2n };
const MAX_UINT256 = 2n ** 256n - 1n;
/** Measured on the devnet with room to spare; an account with several collaterals and debts pays the most. */
const GAS = { approve: 60_000n, supply: 350_000n, flag: 250_000n, borrow: 600_000n };

/** Queues an approval for good and a supply. */
export function supply(chain: SetupChain, pool: Address, from: PrivateKeyAccount, token: Address, amount: bigint, label: string): void {
  const approve = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [pool, MAX_UINT256] });
  chain.send(from, { to: token, data: approve, gas: GAS.approve, label: `${label}: approve` });
  const data = encodeFunctionData({ abi: poolAbi, functionName: 'supply', args: [token, amount, from.address, 0] });
  chain.send(from, { to: pool, data, gas: GAS.supply, label: `${label}: supply` });
}

export function borrow(
  chain: SetupChain,
  pool: Address,
  from: PrivateKeyAccount,
  token: Address,
  amount: bigint,
  rate: keyof typeof RATE_MODES,
  label: string,
  gas = GAS.borrow,
): void {
  const data = encodeFunctionData({ abi: poolAbi, functionName: 'borrow', args: [token, amount, RATE_MODES[rate], 0, from.address] });
  chain.send(from, { to: pool, data, gas, label: `${label}: borrow` });
}

/** Isolated collateral is never switched on by a supply alone. */
export function useAsCollateral(chain: SetupChain, pool: Address, from: PrivateKeyAccount, token: Address, label: string): void {
  const data = encodeFunctionData({ abi: poolAbi, functionName: 'setUserUseReserveAsCollateral', args: [token, true] });
  chain.send(from, { to: pool, data, gas: GAS.flag, label: `${label}: use as collateral` });
}

export function enterEMode(chain: SetupChain, pool: Address, from: PrivateKeyAccount, category: number, label: string): void {
  const data = encodeFunctionData({ abi: poolAbi, functionName: 'setUserEMode', args: [category] });
  chain.send(from, { to: pool, data, gas: GAS.flag, label: `${label}: eMode ${category}` });
}

import { type Address, encodeFunctionData, parseAbi } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { ASSETS } from './assets.ts';
import type { SetupChain } from './chain.ts';
import { type Artifact, compileUnit } from './compile.ts';

/** The devnet's own small contracts. */
export function ownContracts(): Promise<Record<string, Artifact>> {
  return compileUnit({
    name: 'devnet contracts',
    solc: 'solc-0.8.27',
    entries: ['DevToken', 'Multicall3'].map((name) => `scripts/devnet/contracts/${name}.sol`),
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
}

/** Queues the creation of the plain tokens and of a real WETH9; the staked ETH comes with its price adapter, from the oracle. */
export function deployTokens(chain: SetupChain, weth9: Artifact, devToken: Artifact): Record<string, Address> {
  const tokens: Record<string, Address> = {};
  for (const { symbol, name, decimals, ratioWad } of ASSETS) {
    if (symbol === 'WETH') tokens[symbol] = chain.deploy(symbol, weth9);
    else if (ratioWad === undefined) tokens[symbol] = chain.deploy(symbol, devToken, [name, symbol, decimals]);
  }
  return tokens;
}

export const erc20Abi = parseAbi([
  'function approve(address spender, uint256 amount) returns (bool)',
  'function balanceOf(address) view returns (uint256)',
  'function transfer(address to, uint256 amount) returns (bool)',
]);
const mintAbi = parseAbi(['function mint(address to, uint256 amount)', 'function deposit() payable']);

/** Queues tokens for an account: WETH by its own deposit of ETH (which it must have), the others minted by the deployer. */
export function provideTokens(
  chain: SetupChain,
  tokens: Record<string, Address>,
  to: PrivateKeyAccount,
  symbol: string,
  amount: bigint,
): void {
  const token = tokens[symbol]!;
  if (symbol === 'WETH') {
    chain.send(to, {
      to: token,
      data: encodeFunctionData({ abi: mintAbi, functionName: 'deposit' }),
      value: amount,
      gas: 60_000n,
      label: 'wrap ETH',
    });
  } else {
    const data = encodeFunctionData({ abi: mintAbi, functionName: 'mint', args: [to.address, amount] });
    chain.send(chain.deployer, { to: token, data, gas: 90_000n, label: `mint ${symbol}` });
  }
}

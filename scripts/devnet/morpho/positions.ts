/** What an account does at Morpho Blue, as transactions of its own. */
import { type Abi, type Address, encodeFunctionData } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import type { SetupChain } from '../chain.ts';
import { erc20Abi } from '../tokens.ts';
import type { Morpho, MorphoMarket } from './deploy.ts';

const MAX_UINT256 = 2n ** 256n - 1n;
/** Measured on the devnet with room to spare. */
const GAS = { approve: 60_000n, supply: 250_000n, borrow: 350_000n };

/** Queues an approval for good. */
export function approve(chain: SetupChain, { morpho }: Morpho, from: PrivateKeyAccount, token: Address, label: string): void {
  const data = encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [morpho, MAX_UINT256] });
  chain.send(from, { to: token, data, gas: GAS.approve, label: `${label}: approve` });
}

export function lend(chain: SetupChain, morpho: Morpho, from: PrivateKeyAccount, { params }: MorphoMarket, amount: bigint): void {
  act(chain, morpho, from, 'supply', [params, amount, 0n, from.address, '0x'], GAS.supply);
}

export function supplyCollateral(
  chain: SetupChain,
  morpho: Morpho,
  from: PrivateKeyAccount,
  { params }: MorphoMarket,
  amount: bigint,
): void {
  act(chain, morpho, from, 'supplyCollateral', [params, amount, from.address, '0x'], GAS.supply);
}

export function borrow(chain: SetupChain, morpho: Morpho, from: PrivateKeyAccount, { params }: MorphoMarket, amount: bigint): void {
  act(chain, morpho, from, 'borrow', [params, amount, 0n, from.address, from.address], GAS.borrow);
}

function act(
  chain: SetupChain,
  { morpho, artifacts }: Morpho,
  from: PrivateKeyAccount,
  functionName: string,
  args: readonly unknown[],
  gas: bigint,
): void {
  const data = encodeFunctionData({ abi: artifacts.morpho.abi as Abi, functionName, args: [...args] });
  chain.send(from, { to: morpho, data, gas, label: `Morpho ${functionName}` });
}

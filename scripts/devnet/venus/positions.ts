/** What an account does at Venus, as transactions of its own. */
import { type Abi, type Address, encodeFunctionData } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import type { SetupChain } from '../chain.ts';
import { erc20Abi } from '../tokens.ts';
import type { Venus, VenusMarket } from './deploy.ts';

const MAX_UINT256 = 2n ** 256n - 1n;
/** Measured on the devnet with room to spare. */
const GAS = { approve: 60_000n, supply: 500_000n, enter: 500_000n, borrow: 1_200_000n };

/** Queues the deposit, of native tokens where the market takes those. */
export function supply(
  chain: SetupChain,
  { artifacts }: Venus,
  from: PrivateKeyAccount,
  market: VenusMarket,
  token: Address,
  amount: bigint,
): void {
  const send = (to: Address, abi: Abi, functionName: string, args: readonly unknown[], gas: bigint, value = 0n) =>
    chain.send(from, { to, value, gas, data: encodeFunctionData({ abi, functionName, args: [...args] }), label: `Venus ${functionName}` });
  if (market.native) {
    send(market.address, artifacts.VBNB.abi, 'mint', [], GAS.supply, amount);
    return;
  }
  send(token, erc20Abi, 'approve', [market.address, MAX_UINT256], GAS.approve);
  send(market.address, artifacts.VBep20Delegate.abi, 'mint', [amount], GAS.supply);
}

export function enter(chain: SetupChain, { comptroller, abi }: Venus, from: PrivateKeyAccount, markets: readonly VenusMarket[]): void {
  const data = encodeFunctionData({ abi, functionName: 'enterMarkets', args: [markets.map(({ address }) => address)] });
  chain.send(from, { to: comptroller, data, gas: GAS.enter, label: 'Venus enterMarkets' });
}

export function borrow(chain: SetupChain, { artifacts }: Venus, from: PrivateKeyAccount, market: VenusMarket, amount: bigint): void {
  const data = encodeFunctionData({ abi: artifacts.VBep20Delegate.abi, functionName: 'borrow', args: [amount] });
  chain.send(from, { to: market.address, data, gas: GAS.borrow, label: 'Venus borrow' });
}

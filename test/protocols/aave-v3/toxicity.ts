/** What an account's standing really becomes by a liquidation, told by the pool on a snapshot. */
import { type Address, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { LiquidationWorld, Pair } from './liquidator.ts';

const abi = parseAbi([
  'function getUserAccountData(address user) view returns (uint256 collateralBase, uint256 debtBase, uint256 available, uint256 threshold, uint256 ltv, uint256 healthFactorWad)',
]);

export type Standing = { readonly collateralBase: bigint; readonly debtBase: bigint; readonly healthFactorWad: bigint };

/** At the end of the next block: untouched, or with this liquidation in it. */
export function standingAfter(world: LiquidationWorld, account: Address, pair?: Pair, amountRaw = 0n): Promise<Standing> {
  const { sender, fixture } = world;
  return sender.undone(async () => {
    if (pair !== undefined) await world.attempt(pair, account, amountRaw);
    const { receipts } = await sender.mine();
    if (receipts.some(({ status }) => status !== '0x1')) throw new Error(`the liquidation of ${account} reverted`);
    const call = { to: fixture.market.aave.pool, data: encodeFunctionData({ abi, functionName: 'getUserAccountData', args: [account] }) };
    const answer = await rpc<Hex>(sender.url, 'eth_call', [call, 'latest']);
    const [collateralBase, debtBase, , , , healthFactorWad] = decodeFunctionResult({
      abi,
      functionName: 'getUserAccountData',
      data: answer,
    });
    return { collateralBase, debtBase, healthFactorWad };
  });
}

/** The demo's perp world: the keeper's second Executor with its margin, whoever moves the market to the index, and both legs of what was taken over. */
import {
  type Abi,
  type Address,
  decodeEventLog,
  encodeFunctionData,
  getAddress,
  type Hex,
  numberToHex,
  parseAbi,
  toEventSelector,
} from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { executorAbi } from '../../src/generated/executor.ts';
import { CHAIN_ID } from '../devnet/anvil.ts';
import type { Devnet } from '../devnet/devnet.ts';
import { devAccount } from '../devnet/keys.ts';
import { sendPublicly } from '../devnet/oracle/transmit.ts';
import { sqrtPriceX96Of } from '../devnet/perp-v2/deploy.ts';
import { PERP_ARBITRAGEUR, type PerpMarkets } from '../devnet/perp-v2/open.ts';
import { rpc } from '../devnet/rpc.ts';
import { erc20Abi } from '../devnet/tokens.ts';

const USDC = 10n ** 6n;
const MARGIN_RAW = 20_000n * USDC;
const GAS = 6_000_000n;
const TIP_WEI = 2_000_000_000n;
const MAX_FEE_WEI = 200_000_000_000n;
const MAX_UINT256 = 2n ** 256n - 1n;
const mintAbi = parseAbi(['function mint(address to, uint256 amount)']);
const houseAbi = parseAbi([
  'event PositionLiquidated(address indexed trader, address indexed baseToken, uint256 positionNotional, uint256 positionSize, uint256 liquidationFee, address liquidator)',
  'event PositionChanged(address indexed trader, address indexed baseToken, int256 exchangedPositionSize, int256 exchangedPositionNotional, uint256 fee, int256 openNotional, int256 realizedPnl, uint256 sqrtPriceAfterX96)',
]);
const TOPICS = houseAbi.map((event) => toEventSelector(event));

/** Registers the margin's meter and deposits margin. Returns when the last of it is sent; the builder mines it in order. */
export async function openDesk(devnet: Devnet, { perp }: PerpMarkets, executor: Address): Promise<Hex> {
  const { settlement, vault, artifacts } = perp;
  const keeper = devAccount('keeper');
  const data = encodeFunctionData({ abi: artifacts.Vault.abi, functionName: 'getFreeCollateralByRatio', args: [executor, 1_000_000] });
  await send(devnet, keeper, executor, executorAbi as Abi, 'register', [settlement, [{ target: vault, data, divisor: 1n }]]);
  const deployer = devAccount('deployer');
  await send(devnet, deployer, settlement, mintAbi, 'mint', [deployer.address, MARGIN_RAW]);
  await send(devnet, deployer, settlement, erc20Abi, 'approve', [vault, MAX_UINT256]);
  return send(devnet, deployer, vault, artifacts.Vault.abi, 'depositFor', [executor, settlement, MARGIN_RAW]);
}

/** Whoever trades the perp market to the index once it has moved. */
export function followIndex(devnet: Devnet, { perp }: PerpMarkets, fromUsd: number, toUsd: number): Promise<Hex> {
  const [market] = perp.markets;
  const order = {
    ...{ baseToken: market!.base, isBaseToQuote: toUsd < fromUsd, isExactInput: true, amount: 10n ** 24n, oppositeAmountBound: 0n },
    ...{ deadline: MAX_UINT256, sqrtPriceLimitX96: sqrtPriceX96Of(toUsd), referralCode: `0x${'0'.repeat(64)}` },
  };
  const arbitrageur = devAccount('arbitrageur', PERP_ARBITRAGEUR);
  return send(devnet, arbitrageur, perp.clearingHouse, perp.artifacts.ClearingHouse.abi, 'openPosition', [order]);
}

async function send(
  { rpcUrl }: Devnet,
  from: PrivateKeyAccount,
  to: Address,
  abi: Abi,
  functionName: string,
  args: readonly unknown[],
): Promise<Hex> {
  const nonce = Number(await rpc<Hex>(rpcUrl, 'eth_getTransactionCount', [from.address, 'pending']));
  const data = encodeFunctionData({ abi, functionName, args: [...args] });
  const fees = { maxPriorityFeePerGas: TIP_WEI, maxFeePerGas: MAX_FEE_WEI };
  return sendPublicly(rpcUrl, await from.signTransaction({ type: 'eip1559', chainId: CHAIN_ID, nonce, to, data, gas: GAS, ...fees }));
}

/** A position that was taken over, and what became of it. In credit, a dollar each. */
export type Takeover = {
  readonly block: number;
  readonly account: Address;
  readonly liquidator: Address;
  readonly txHash: Hex;
  /** The first leg: worth at the mark price, and what of that was left off. */
  readonly takenUsd: number;
  readonly discountUsd: number;
  /** The second: what closing it came to, fee taken off; null where it was not closed in the same transaction. */
  readonly closedUsd: number | null;
  readonly madeUsd: number | null;
};

export async function takeoversBetween(rpcUrl: string, house: Address, from: number, to: number): Promise<Takeover[]> {
  const filter = { address: house, topics: [TOPICS], fromBlock: numberToHex(from), toBlock: numberToHex(to) };
  const logs = await rpc<{ topics: [Hex, ...Hex[]]; data: Hex; blockNumber: Hex; transactionHash: Hex }[]>(rpcUrl, 'eth_getLogs', [filter]);
  const events = logs.map((log) => ({ log, event: decodeEventLog({ abi: houseAbi, topics: log.topics, data: log.data }) }));
  return events.flatMap(({ log, event }) => {
    if (event.eventName !== 'PositionLiquidated') return [];
    const { trader, liquidator, positionNotional } = event.args;
    // In the transaction, in order: what was taken over at its price less the discount, and what closed it.
    const ours = events.flatMap(({ log: other, event: change }) =>
      other.transactionHash === log.transactionHash && change.eventName === 'PositionChanged' && change.args.trader === liquidator
        ? [change.args]
        : [],
    );
    const [taken, closed] = ours;
    const takenUsd = usd(positionNotional);
    const paid = taken === undefined ? takenUsd : Math.abs(usd(taken.exchangedPositionNotional));
    return [
      {
        ...{ block: Number(log.blockNumber), account: getAddress(trader), liquidator: getAddress(liquidator), txHash: log.transactionHash },
        ...{ takenUsd, discountUsd: Math.abs(takenUsd - paid) },
        closedUsd: closed === undefined ? null : Math.abs(usd(closed.exchangedPositionNotional - closed.fee)),
        madeUsd: closed === undefined ? null : usd(closed.realizedPnl),
      },
    ];
  });
}

/** What an account has in the vault, in raw units of the settlement token. */
export async function marginAt(rpcUrl: string, { perp }: PerpMarkets, account: Address, block: number): Promise<bigint> {
  const data = encodeFunctionData({ abi: perp.artifacts.Vault.abi, functionName: 'getBalance', args: [account] });
  return BigInt.asIntN(256, BigInt(await rpc<Hex>(rpcUrl, 'eth_call', [{ to: perp.vault, data }, numberToHex(block)])));
}

function usd(wad: bigint): number {
  return Number(wad) / 1e18;
}

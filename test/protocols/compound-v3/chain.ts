/** A Comet on a local chain and the mirror of it: what exactness is tested on, whether the contract is the double or, on a fork, Compound's own. */
import { type Address, decodeAbiParameters, decodeEventLog, decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { rpc } from '../../../scripts/devnet/rpc.ts';
import type { Feeds } from '../../../src/oracles/feeds.ts';
import { momentOf } from '../../../src/oracles/moment.ts';
import type { FeedAnswer, FeedId, Moment } from '../../../src/oracles/types.ts';
import type { CompoundV3 } from '../../../src/protocols/compound-v3/compound-v3.ts';
import type { ChainFollower } from '../../support/chain-follower.ts';

export const LIQUIDATOR: Address = '0x00000000000000000000000000000000000a11ce';

export const cometAbi = parseAbi([
  'function supply(address asset, uint256 amount)',
  'function supplyTo(address dst, address asset, uint256 amount)',
  'function withdraw(address asset, uint256 amount)',
  'function withdrawTo(address to, address asset, uint256 amount)',
  'function transferAsset(address dst, address asset, uint256 amount)',
  'function accrueAccount(address account)',
  'function pause(bool supplyPaused, bool transferPaused, bool withdrawPaused, bool absorbPaused, bool buyPaused)',
  'function withdrawReserves(address to, uint256 amount)',
  'function absorb(address absorber, address[] accounts)',
  'function buyCollateral(address asset, uint256 minAmount, uint256 baseAmount, address recipient)',
  'function getReserves() view returns (int256)',
  'function borrowBalanceOf(address account) view returns (uint256)',
  'function getCollateralReserves(address asset) view returns (uint256)',
  'event AbsorbDebt(address indexed absorber, address indexed borrower, uint256 basePaidOut, uint256 usdValue)',
  'event BuyCollateral(address indexed buyer, address indexed asset, uint256 baseAmount, uint256 collateralAmount)',
]);
const aggregateAbi = parseAbi([
  'struct Call3 { address target; bool allowFailure; bytes callData; }',
  'struct Result { bool success; bytes returnData; }',
  'function aggregate3(Call3[] calls) payable returns (Result[])',
]);
const erc20Abi = parseAbi(['function approve(address spender, uint256 amount) returns (bool)']);
const MAX_UINT256 = 2n ** 256n - 1n;
const GAS = '0x1000000';

export type CometChain = {
  readonly url: string;
  readonly multicall3: Address;
  readonly comet: Address;
  readonly protocol: CompoundV3;
  readonly feeds: Feeds;
  readonly follower: ChainFollower;
  /** How many accounts it has at least. */
  readonly accounts: number;
  /** Brings every price of collateral down to this share of it, and follows. */
  fall(share: number): Promise<void>;
  /** Runs `act`, then takes back both the chain and what was followed of it. */
  undone(act: () => Promise<void>): Promise<void>;
  /** Gives the liquidator so much of the base asset. */
  fund(baseRaw: bigint): Promise<void>;
  close(): Promise<void>;
};

/** What Comet says of an account's absorption at a time, on the latest state: undefined where it reverts. */
export type Absorbed = { readonly reserves: bigint; readonly collateralReserves: readonly bigint[] } | undefined;
/** A purchase, after an absorption where there is one: what was paid and got, or why not. */
export type Bought = { readonly paidRaw: bigint; readonly gotRaw: bigint } | 'reverts';

export function later({ follower, feeds }: CometChain, seconds: number, pending: ReadonlyMap<FeedId, FeedAnswer> = new Map()): Moment {
  const { head } = follower;
  const moment = momentOf(head, feeds);
  return {
    ...{ ...moment, number: head.number + 1, timestamp: head.timestamp + seconds },
    answer: (feed) => pending.get(feed) ?? feeds.answer(feed),
  };
}

/** Absorbs in an eth_call with a later block time, and asks what is left then. */
export async function absorbing({ url, multicall3, comet, protocol }: CometChain, account: Address, timestamp: number): Promise<Absorbed> {
  const { assets } = protocol.state.config;
  const calls = [
    encodeFunctionData({ abi: cometAbi, functionName: 'absorb', args: [LIQUIDATOR, [account]] }),
    encodeFunctionData({ abi: cometAbi, functionName: 'getReserves' }),
    ...assets.map(({ address }) => encodeFunctionData({ abi: cometAbi, functionName: 'getCollateralReserves', args: [address] })),
  ].map((callData) => ({ target: comet, allowFailure: false, callData }));
  const data = encodeFunctionData({ abi: aggregateAbi, functionName: 'aggregate3', args: [calls] });
  const at = { time: hex(timestamp) };
  const answer = await rpc<Hex>(url, 'eth_call', [{ to: multicall3, data, gas: GAS }, 'latest', {}, at]).catch(() => undefined);
  if (answer === undefined) return undefined;
  const [, reserves, ...rest] = decodeFunctionResult({ abi: aggregateAbi, functionName: 'aggregate3', data: answer });
  const uint = (bytes: Hex) => decodeAbiParameters([{ type: 'uint256' }], bytes)[0];
  return {
    reserves: decodeAbiParameters([{ type: 'int256' }], reserves!.returnData)[0],
    collateralReserves: rest.map(({ returnData }) => uint(returnData)),
  };
}

/** Absorbs, where an account is named, and buys, in a simulated block at that time. */
export async function buying(
  { url, comet, protocol }: CometChain,
  { account, asset, baseRaw, timestamp }: { account?: Address; asset: Address; baseRaw: bigint; timestamp: number },
): Promise<Bought> {
  const call = (to: Address, data: Hex) => ({ from: LIQUIDATOR, to, data, gas: GAS });
  const calls = [
    ...(account === undefined
      ? []
      : [call(comet, encodeFunctionData({ abi: cometAbi, functionName: 'absorb', args: [LIQUIDATOR, [account]] }))]),
    call(protocol.state.config.base.address, encodeFunctionData({ abi: erc20Abi, functionName: 'approve', args: [comet, MAX_UINT256] })),
    call(comet, encodeFunctionData({ abi: cometAbi, functionName: 'buyCollateral', args: [asset, 0n, baseRaw, LIQUIDATOR] })),
  ];
  type Simulated = { calls: { status: Hex; logs: { data: Hex; topics: [Hex, ...Hex[]] }[] }[] };
  const block = { blockOverrides: { time: hex(timestamp) }, calls };
  const [simulated] = await rpc<Simulated[]>(url, 'eth_simulateV1', [{ blockStateCalls: [block], validation: false }, 'latest']);
  const last = simulated!.calls.at(-1)!;
  if (simulated!.calls.some(({ status }) => status !== '0x1')) return 'reverts';
  const { args } = decodeEventLog({ abi: cometAbi, eventName: 'BuyCollateral', ...last.logs.at(-1)! });
  return { paidRaw: args.baseAmount, gotRaw: args.collateralAmount };
}

export function hex(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}

export function lower(address: string): Address {
  return address.toLowerCase() as Address;
}

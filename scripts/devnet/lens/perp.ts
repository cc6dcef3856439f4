/**
 * The lens for Perp v2: which traders the clearing house calls liquidatable at the end of a block, and what taking each over and closing it would have paid in the next.
 * Both legs are carried out on the real contracts, in a simulation that leaves no trace, by an account with margin of its own.
 */
import { type Address, encodeFunctionData, getAddress, type Hex, numberToHex, parseAbi } from 'viem';
import { SLOT_SECONDS } from '../anvil.ts';
import { devAccount } from '../keys.ts';
import type { Perp } from '../perp-v2/deploy.ts';
import { rpc } from '../rpc.ts';

export type PerpJudgeInput = {
  readonly rpcUrl: string;
  readonly blockNumber: number;
  readonly perp: Perp;
  readonly traders: readonly Address[];
  readonly minProfitUsd: number;
  /** ETH/USD, 8 decimals: what turns gas into dollars. */
  readonly etherFeed: Address;
};

export type PerpVerdict = {
  readonly account: Address;
  readonly liquidatable: boolean;
  /** After gas at the block's base fee; null where it would not leave the minimum. */
  readonly profitUsd: number | null;
};

const LENS: Address = '0x1e2500000000000000000000000000000000be29';
const MARGIN_RAW = 20_000n * 10n ** 6n;
const MAX_UINT256 = 2n ** 256n - 1n;
const NO_CODE: Hex = `0x${'0'.repeat(64)}`;
/** Of what may be taken over: less moves the pool less. */
const SHARES = [1n, 2n, 4n, 8n];
/** What an Executor adds to both legs. */
const EXECUTOR_GAS = 200_000n;
const CALL_GAS = '0x5f5e100';
const WHOLE_PIPS = 1_000_000;

const abi = parseAbi([
  'function mint(address to, uint256 amount)',
  'function approve(address spender, uint256 amount) returns (bool)',
  'function depositFor(address to, address token, uint256 amount)',
  'function getFreeCollateralByRatio(address trader, uint24 ratio) view returns (int256)',
  'function getAccountValue(address trader) view returns (int256)',
  'function getMarginRequirementForLiquidation(address trader) view returns (int256)',
  'function getTakerPositionSize(address trader, address baseToken) view returns (int256)',
  'function liquidate(address trader, address baseToken, int256 positionSize)',
  'struct ClosePositionParams { address baseToken; uint160 sqrtPriceLimitX96; uint256 oppositeAmountBound; uint256 deadline; bytes32 referralCode; }',
  'function closePosition(ClosePositionParams params) returns (uint256 base, uint256 quote)',
  'function latestAnswer() view returns (int256)',
]);

type Called = { readonly status: Hex; readonly returnData: Hex; readonly gasUsed: Hex };

/** One verdict for each trader, in the given order, each as if it were alone. */
export async function judgePerp(input: PerpJudgeInput): Promise<PerpVerdict[]> {
  const { rpcUrl, blockNumber, perp, traders, minProfitUsd, etherFeed } = input;
  const at = numberToHex(blockNumber);
  const ask = async (to: Address, data: Hex) => BigInt.asIntN(256, BigInt(await rpc<Hex>(rpcUrl, 'eth_call', [{ to, data }, at])));
  const block = await rpc<{ timestamp: Hex; baseFeePerGas: Hex }>(rpcUrl, 'eth_getBlockByNumber', [at, false]);
  const etherUsd = Number(await ask(etherFeed, encodeFunctionData({ abi, functionName: 'latestAnswer' }))) / 1e8;
  const gasUsd = (gas: bigint) => (Number(gas * BigInt(block.baseFeePerGas)) / 1e18) * etherUsd;
  const verdicts: PerpVerdict[] = [];
  for (const trader of traders) {
    const account = getAddress(trader);
    const value = await ask(perp.clearingHouse, encodeFunctionData({ abi, functionName: 'getAccountValue', args: [trader] }));
    const required = await ask(
      perp.accountBalance,
      encodeFunctionData({ abi, functionName: 'getMarginRequirementForLiquidation', args: [trader] }),
    );
    let profitUsd: number | null = null;
    for (const { base } of value < required ? perp.markets : []) {
      const size = await ask(perp.accountBalance, encodeFunctionData({ abi, functionName: 'getTakerPositionSize', args: [trader, base] }));
      for (const share of size === 0n ? [] : SHARES) {
        const made = await takenOver(rpcUrl, at, BigInt(block.timestamp), perp, { trader, base, size: size / share });
        if (made === undefined) continue;
        const netUsd = made.usd - gasUsd(made.gas + EXECUTOR_GAS);
        if (netUsd >= minProfitUsd && netUsd > (profitUsd ?? 0)) profitUsd = netUsd;
      }
    }
    verdicts.push({ account, liquidatable: value < required, profitUsd });
  }
  return verdicts;
}

/** Both legs in the next block; undefined where one of them would revert. What is not closed counts as lost: its mark price is no price that anybody pays. */
async function takenOver(
  rpcUrl: string,
  at: Hex,
  timestamp: bigint,
  { settlement, vault, clearingHouse }: Perp,
  { trader, base, size }: { readonly trader: Address; readonly base: Address; readonly size: bigint },
): Promise<{ readonly usd: number; readonly gas: bigint } | undefined> {
  const call = (from: Address, to: Address, data: Hex) => ({ from, to, data, gas: CALL_GAS });
  const close = { baseToken: base, sqrtPriceLimitX96: 0n, oppositeAmountBound: 0n, deadline: MAX_UINT256, referralCode: NO_CODE } as const;
  const free = call(LENS, vault, encodeFunctionData({ abi, functionName: 'getFreeCollateralByRatio', args: [LENS, WHOLE_PIPS] }));
  const deployer = devAccount('deployer').address;
  const calls = [
    call(deployer, settlement, encodeFunctionData({ abi, functionName: 'mint', args: [LENS, MARGIN_RAW] })),
    call(LENS, settlement, encodeFunctionData({ abi, functionName: 'approve', args: [vault, MAX_UINT256] })),
    call(LENS, vault, encodeFunctionData({ abi, functionName: 'depositFor', args: [LENS, settlement, MARGIN_RAW] })),
    free,
    call(LENS, clearingHouse, encodeFunctionData({ abi, functionName: 'liquidate', args: [trader, base, size] })),
    call(LENS, clearingHouse, encodeFunctionData({ abi, functionName: 'closePosition', args: [close] })),
    free,
  ];
  const blockOverrides = { time: numberToHex(timestamp + BigInt(SLOT_SECONDS)), gasLimit: '0x3b9aca00', baseFeePerGas: '0x0' };
  const [simulated] = await rpc<readonly { readonly calls: readonly Called[] }[]>(rpcUrl, 'eth_simulateV1', [
    { blockStateCalls: [{ blockOverrides, calls }], validation: false },
    at,
  ]);
  const done = simulated!.calls;
  const prepared = done.slice(0, 4).every(({ status }) => status === '0x1');
  if (!prepared) throw new Error(`the lens could not deposit margin at block ${Number(at)}`);
  if (done.some(({ status }) => status !== '0x1')) return undefined;
  const [before, after] = [done[3]!, done[6]!].map(({ returnData }) => BigInt.asIntN(256, BigInt(returnData)));
  return { usd: Number(after! - before!) / 1e6, gas: BigInt(done[4]!.gasUsed) + BigInt(done[5]!.gasUsed) };
}

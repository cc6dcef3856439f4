/** What the chain itself says, read by plain calls: who was liquidatable, what was liquidated, whose balance is what. Nothing here asks the keeper. */
import {
  type Address,
  decodeEventLog,
  decodeFunctionResult,
  encodeFunctionData,
  getAddress,
  type Hex,
  numberToHex,
  parseAbi,
  toEventSelector,
} from 'viem';
import { rpc, rpcBatch } from '../devnet/rpc.ts';

const poolAbi = parseAbi([
  'function getUserAccountData(address user) view returns (uint256 collateral, uint256 debt, uint256 available, uint256 threshold, uint256 ltv, uint256 healthFactor)',
  'event LiquidationCall(address indexed collateralAsset, address indexed debtAsset, address indexed user, uint256 debtToCover, uint256 liquidatedCollateralAmount, address liquidator, bool receiveAToken)',
]);
const erc20Abi = parseAbi(['function balanceOf(address account) view returns (uint256)']);
const LIQUIDATION_CALL = toEventSelector(poolAbi[1]);
const morphoAbi = parseAbi([
  'event Liquidate(bytes32 indexed id, address indexed caller, address indexed borrower, uint256 repaidAssets, uint256 repaidShares, uint256 seizedAssets, uint256 badDebtAssets, uint256 badDebtShares)',
]);
const MORPHO_LIQUIDATE = toEventSelector(morphoAbi[0]);
const cometAbi = parseAbi(['event AbsorbDebt(address indexed absorber, address indexed borrower, uint256 basePaidOut, uint256 usdValue)']);
const ABSORB_DEBT = toEventSelector(cometAbi[0]);
const venusAbi = parseAbi([
  'event LiquidateBorrow(address liquidator, address borrower, uint256 repayAmount, address vTokenCollateral, uint256 seizeTokens)',
]);
const VENUS_LIQUIDATE = toEventSelector(venusAbi[0]);
const WAD = 10n ** 18n;

export type Liquidation = {
  readonly block: number;
  readonly account: Address;
  readonly liquidator: Address;
  readonly txHash: Hex;
};

/** Accounts whose health factor, by the pool's own view at the end of the block, is below one. */
export async function liquidatableAt(rpcUrl: string, pool: Address, accounts: readonly Address[], block: number): Promise<Address[]> {
  const calls = accounts.map((account) => ({
    method: 'eth_call',
    params: [
      { to: pool, data: encodeFunctionData({ abi: poolAbi, functionName: 'getUserAccountData', args: [account] }) },
      numberToHex(block),
    ],
  }));
  const answers = await rpcBatch<Hex>(rpcUrl, calls);
  return accounts.filter((_, index) => {
    const [, debt, , , , healthFactor] = decodeFunctionResult({ abi: poolAbi, functionName: 'getUserAccountData', data: answers[index]! });
    return debt > 0n && healthFactor < WAD;
  });
}

export async function liquidationsBetween(rpcUrl: string, pool: Address, from: number, to: number): Promise<Liquidation[]> {
  const logs = await logsOf(rpcUrl, pool, LIQUIDATION_CALL, from, to);
  return logs.map(({ topics, data, blockNumber, transactionHash }) => {
    const { args } = decodeEventLog({ abi: poolAbi, topics, data, eventName: 'LiquidationCall' });
    const { user, liquidator } = args;
    return {
      block: Number(blockNumber),
      account: getAddress(user),
      liquidator: getAddress(liquidator),
      txHash: transactionHash,
    };
  });
}

export async function morphoLiquidationsBetween(rpcUrl: string, morpho: Address, from: number, to: number): Promise<Liquidation[]> {
  const logs = await logsOf(rpcUrl, morpho, MORPHO_LIQUIDATE, from, to);
  return logs.map(({ topics, data, blockNumber, transactionHash }) => {
    const { args } = decodeEventLog({ abi: morphoAbi, topics, data, eventName: 'Liquidate' });
    return {
      block: Number(blockNumber),
      account: getAddress(args.borrower),
      liquidator: getAddress(args.caller),
      txHash: transactionHash,
    };
  });
}

export async function absorptionsBetween(rpcUrl: string, comet: Address, from: number, to: number): Promise<Liquidation[]> {
  const logs = await logsOf(rpcUrl, comet, ABSORB_DEBT, from, to);
  return logs.map(({ topics, data, blockNumber, transactionHash }) => {
    const { args } = decodeEventLog({ abi: cometAbi, topics, data, eventName: 'AbsorbDebt' });
    return {
      block: Number(blockNumber),
      account: getAddress(args.borrower),
      liquidator: getAddress(args.absorber),
      txHash: transactionHash,
    };
  });
}

export async function venusLiquidationsBetween(
  rpcUrl: string,
  markets: readonly Address[],
  from: number,
  to: number,
): Promise<Liquidation[]> {
  const logs = await logsOf(rpcUrl, markets, VENUS_LIQUIDATE, from, to);
  return logs.map(({ topics, data, blockNumber, transactionHash }) => {
    const { args } = decodeEventLog({ abi: venusAbi, topics, data, eventName: 'LiquidateBorrow' });
    return {
      block: Number(blockNumber),
      account: getAddress(args.borrower),
      liquidator: getAddress(args.liquidator),
      txHash: transactionHash,
    };
  });
}

type Log = { topics: [Hex, ...Hex[]]; data: Hex; blockNumber: Hex; transactionHash: Hex };

function logsOf(rpcUrl: string, address: Address | readonly Address[], topic: Hex, from: number, to: number): Promise<Log[]> {
  return rpc(rpcUrl, 'eth_getLogs', [{ address, topics: [topic], fromBlock: numberToHex(from), toBlock: numberToHex(to) }]);
}

/** The native token under the zero address. Summed over the holders. */
export async function balancesAt(
  rpcUrl: string,
  holders: readonly Address[],
  tokens: readonly Address[],
  block: number,
): Promise<Map<Address, bigint>> {
  const at = numberToHex(block);
  const native = await rpcBatch<Hex>(
    rpcUrl,
    holders.map((holder) => ({ method: 'eth_getBalance', params: [holder, at] })),
  );
  const balances = new Map<Address, bigint>([['0x0000000000000000000000000000000000000000', sum(native)]]);
  for (const token of tokens) {
    const data = (holder: Address) => encodeFunctionData({ abi: erc20Abi, functionName: 'balanceOf', args: [holder] });
    const held = await rpcBatch<Hex>(
      rpcUrl,
      holders.map((holder) => ({ method: 'eth_call', params: [{ to: token, data: data(holder) }, at] })),
    );
    balances.set(token.toLowerCase() as Address, sum(held));
  }
  return balances;
}

export async function blockOf(rpcUrl: string, txHash: Hex): Promise<number | undefined> {
  const receipt = await rpc<{ blockNumber: Hex; status: Hex } | null>(rpcUrl, 'eth_getTransactionReceipt', [txHash]);
  return receipt?.status === '0x1' ? Number(receipt.blockNumber) : undefined;
}

/** Of a block's gas limit, what was used. */
export async function gasShareOf(rpcUrl: string, block: number): Promise<number> {
  const head = await rpc<{ gasUsed: Hex; gasLimit: Hex } | null>(rpcUrl, 'eth_getBlockByNumber', [numberToHex(block), false]);
  return head === null ? 0 : Number(head.gasUsed) / Number(head.gasLimit);
}

function sum(words: readonly Hex[]): bigint {
  return words.reduce((total, word) => total + BigInt(word), 0n);
}

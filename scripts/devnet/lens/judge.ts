/**
 * The lens: says, by the chain's own views and by carrying liquidations out, which accounts were liquidatable at a block and whether
 * liquidating one would have paid. It shares no code with the keeper, which is what makes its verdict worth comparing with.
 *
 * Everything happens on a fork of that block, at the block's own time and base fee: each (debt, collateral) pair in 16 sizes and the
 * whole, every one executed by LensLiquidator.sol inside a call and taken back. Each account is judged as if it were alone: two accounts whose
 * collateral would be sold in the same pools may both be called profitable where only one of them is after the other.
 */
import {
  type Abi,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  type DecodeFunctionResultParameters,
  decodeFunctionResult,
  type EncodeFunctionDataParameters,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  numberToHex,
  parseAbi,
} from 'viem';
import { rpc } from '../rpc.ts';
import { lensAbi, lensLiquidator, type Route, TRANSACTION_GAS } from './contract.ts';
import { CALL_GAS_LIMIT, forkAnvil, forkWithOnly } from './fork.ts';

/** The part of a DEPLOYMENTS_FILE that the lens needs: the first Aave market, the first Uniswap v3. */
export type LensDeployments = {
  wrappedNative: Address;
  'aave-v3': readonly { poolAddressesProvider: Address }[];
  'uniswap-v3': readonly { factory: Address }[];
};

export type JudgeInput = {
  rpcUrl: string;
  blockNumber: number;
  /** Judges the state that these transactions of the block leave alone: where others of the same block have already acted on them. */
  onlyAfter?: readonly Hex[];
  accounts: readonly Address[];
  /** A liquidation that leaves less after gas does not count as paying. */
  minProfitUsd: number;
  /** Of those that are liquidatable so many are tried, evenly drawn from the order given. Absent: all. */
  mostTried?: number;
  deployments: LensDeployments;
};

export type Liquidation = {
  debt: Address;
  collateral: Address;
  /** What to offer: raw units of the debt asset; Aave takes what its rules allow. */
  amount: bigint;
  /** By which pools the collateral is sold: LensLiquidator's own terms. */
  route: Route;
  /** After gas at the block's base fee. */
  profitWei: bigint;
  /** `profitWei` at Aave's price of WETH, which is the ETH/USD feed's answer. */
  profitUsd: number;
};

export type Verdict = {
  account: Address;
  /** Below 1e18: liquidatable. */
  healthFactorWad: bigint;
  tried: boolean;
  best: Liquidation | null;
};

const WAD = 10n ** 18n;
const LENS: Address = '0x1e2500000000000000000000000000000000001e';
const CALLER: Address = '0xca11e4000000000000000000000000000000ca11';
const CALL_GAS = numberToHex(CALL_GAS_LIMIT);
const ACCOUNTS_A_CALL = 200;
/** Calls that anvil works on at a time: two cores. */
const LANES = 2;

const providerAbi = parseAbi(['function getPool() view returns (address)', 'function getPriceOracle() view returns (address)']);
const oracleAbi = parseAbi(['function getAssetPrice(address) view returns (uint256)']);

/** One verdict for each account, in the given order. Throws when the fork cannot be made or a view fails. */
export async function judge({
  rpcUrl,
  blockNumber,
  onlyAfter,
  accounts,
  minProfitUsd,
  mostTried,
  deployments,
}: JudgeInput): Promise<Verdict[]> {
  const fork = await (onlyAfter === undefined ? forkAnvil(rpcUrl, blockNumber) : forkWithOnly(rpcUrl, blockNumber, onlyAfter));
  try {
    const url = fork.rpcUrl;
    const { baseFeeWei, ethPriceUsd8 } = await prepare(url, deployments);
    const factors = await healthFactors(url, accounts);
    const verdicts: Verdict[] = accounts.map((account, index) => ({ account, healthFactorWad: factors[index]!, tried: false, best: null }));
    const liquidatable = verdicts.filter(({ healthFactorWad }) => healthFactorWad < WAD);
    const open = evenly(liquidatable, mostTried ?? liquidatable.length);
    const lane = async () => {
      for (let verdict = open.pop(); verdict; verdict = open.pop()) {
        verdict.tried = true;
        const best = await call(url, LENS, lensAbi, 'bestOf', [verdict.account, baseFeeWei, TRANSACTION_GAS]);
        if (best.netWei === 0n) continue;
        const profitUsd = Number((best.netWei * ethPriceUsd8) / WAD) / 1e8;
        if (profitUsd < minProfitUsd) continue;
        const { debt, collateral, amount, route, netWei: profitWei } = best;
        verdict.best = { debt, collateral, amount, route, profitWei, profitUsd };
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return verdicts;
  } finally {
    await fork.stop();
  }
}

function evenly<T>(all: readonly T[], most: number): T[] {
  const step = Math.max(1, all.length / most);
  return Array.from({ length: Math.min(all.length, most) }, (_, place) => all[Math.floor(place * step)]!);
}

/** Puts the lens's contract on the fork (no transaction, no block: the fork stays at its block) and reads what gas and ETH cost there. */
async function prepare(url: string, deployments: LensDeployments): Promise<{ baseFeeWei: bigint; ethPriceUsd8: bigint }> {
  const market = deployments['aave-v3'][0];
  const factory = deployments['uniswap-v3'][0]?.factory;
  if (!market || !factory) throw new Error('the lens needs an Aave v3 market and a Uniswap v3 factory');
  const weth = deployments.wrappedNative;
  const [pool, oracle] = await Promise.all([
    call(url, market.poolAddressesProvider, providerAbi, 'getPool', []),
    call(url, market.poolAddressesProvider, providerAbi, 'getPriceOracle', []),
  ]);
  const { abi, bytecode } = await lensLiquidator();
  // Creation code, called, answers with the code that it would leave.
  const code = await rpc<Hex>(url, 'eth_call', [{ data: encodeDeployData({ abi, bytecode, args: [pool, factory, weth] }) }, 'latest']);
  await rpc(url, 'anvil_setCode', [LENS, code]);
  const block = await rpc<{ baseFeePerGas: Hex }>(url, 'eth_getBlockByNumber', ['latest', false]);
  return { baseFeeWei: BigInt(block.baseFeePerGas), ethPriceUsd8: await call(url, oracle, oracleAbi, 'getAssetPrice', [weth]) };
}

async function healthFactors(url: string, accounts: readonly Address[]): Promise<bigint[]> {
  const factors: bigint[] = [];
  for (let from = 0; from < accounts.length; from += ACCOUNTS_A_CALL) {
    factors.push(...(await call(url, LENS, lensAbi, 'healthFactors', [accounts.slice(from, from + ACCOUNTS_A_CALL)])));
  }
  return factors;
}

async function call<const A extends Abi, N extends ContractFunctionName<A>>(
  url: string,
  to: Address,
  abi: A,
  functionName: N,
  args: ContractFunctionArgs<A, 'nonpayable' | 'view', N>,
): Promise<ContractFunctionReturnType<A, 'nonpayable' | 'view', N>> {
  const data = encodeFunctionData({ abi, functionName, args } as EncodeFunctionDataParameters);
  const answer = await rpc<Hex>(url, 'eth_call', [{ from: CALLER, to, data, gas: CALL_GAS }, 'latest']);
  return decodeFunctionResult({ abi, functionName, data: answer } as DecodeFunctionResultParameters) as ContractFunctionReturnType<
    A,
    'nonpayable' | 'view',
    N
  >;
}

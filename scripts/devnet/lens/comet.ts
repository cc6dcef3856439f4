/** The lens for Compound III: which of its accounts could be absorbed at a block, by Comet's own word, and whether doing so and buying would have paid. */
import {
  type Address,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  type Hex,
  numberToHex,
  parseAbi,
} from 'viem';
import { compileUnit } from '../compile.ts';
import type { CometBorrower } from '../compound-v3/borrowers.ts';
import { rpc } from '../rpc.ts';
import { TRANSACTION_GAS } from './contract.ts';
import { CALL_GAS_LIMIT, forkAnvil, forkWithOnly } from './fork.ts';

export type CometJudgeInput = {
  readonly rpcUrl: string;
  readonly blockNumber: number;
  /** As the lens for Aave: the state that these transactions of the block alone leave. */
  readonly onlyAfter?: readonly Hex[];
  readonly borrowers: readonly Pick<CometBorrower, 'address' | 'collateral'>[];
  readonly minProfitUsd: number;
  /** ETH/USD, 8 decimals: what turns profit into dollars. */
  readonly etherFeed: Address;
  /** The market's base asset. */
  readonly base: Address;
  readonly deployments: {
    readonly wrappedNative: Address;
    readonly 'compound-v3': readonly { readonly comet: Address }[];
    readonly 'uniswap-v3': readonly { readonly factory: Address }[];
  };
};

export type CometVerdict = {
  readonly account: Address;
  readonly liquidatable: boolean;
  /** After gas at the block's base fee; null where it would not leave the minimum. */
  readonly profitUsd: number | null;
};

const LENS: Address = '0x1e2500000000000000000000000000000000003e';
const CALLER: Address = '0xca11e4000000000000000000000000000000ca11';
const BASE_RAW = 10n ** 15n;
/** A flash loan around it, which the lens does not take. */
const LOAN_GAS = 150_000n;

const abi = parseAbi([
  'struct Route { uint8 kind; uint24[2] fees; }',
  'struct Best { address debt; address collateral; uint256 amount; Route route; uint256 grossWei; uint256 gas; uint256 netWei; }',
  'function latestAnswer() view returns (int256)',
  'function liquidatable(address account) returns (bool)',
  'function bestIn(address account, address asset, uint256 gasPriceWei, uint256 transactionGas) returns (Best)',
]);

/** One verdict for each borrower, in the given order, each as if it were alone. Throws when the fork cannot be made or a call fails. */
export async function judgeComet(input: CometJudgeInput): Promise<CometVerdict[]> {
  const { rpcUrl, blockNumber, onlyAfter, borrowers, minProfitUsd, etherFeed } = input;
  const fork = await (onlyAfter === undefined ? forkAnvil(rpcUrl, blockNumber) : forkWithOnly(rpcUrl, blockNumber, onlyAfter));
  try {
    const url = fork.rpcUrl;
    await prepare(url, input);
    const { baseFeePerGas } = await rpc<{ baseFeePerGas: Hex }>(url, 'eth_getBlockByNumber', ['latest', false]);
    const ask = (data: Hex) => rpc<Hex>(url, 'eth_call', [{ from: CALLER, to: LENS, data, gas: numberToHex(CALL_GAS_LIMIT) }, 'latest']);
    const latest = encodeFunctionData({ abi, functionName: 'latestAnswer' });
    const etherUsd8 = BigInt(await rpc<Hex>(url, 'eth_call', [{ to: etherFeed, data: latest }, 'latest']));
    const verdicts: CometVerdict[] = [];
    for (const { address, collateral } of borrowers) {
      const account = getAddress(address);
      const asked = encodeFunctionData({ abi, functionName: 'liquidatable', args: [account] });
      const liquidatable = decodeFunctionResult({ abi, functionName: 'liquidatable', data: await ask(asked) });
      let profitUsd: number | null = null;
      for (const { asset } of liquidatable ? collateral : []) {
        const args = [account, asset.token, BigInt(baseFeePerGas), TRANSACTION_GAS + LOAN_GAS] as const;
        const data = await ask(encodeFunctionData({ abi, functionName: 'bestIn', args }));
        const { netWei } = decodeFunctionResult({ abi, functionName: 'bestIn', data });
        const netUsd = Number((netWei * etherUsd8) / 10n ** 18n) / 1e8;
        if (netUsd >= minProfitUsd && netUsd > (profitUsd ?? 0)) profitUsd = netUsd;
      }
      verdicts.push({ account, liquidatable, profitUsd });
    }
    return verdicts;
  } finally {
    await fork.stop();
  }
}

/** Puts the lens's contract on the fork, without a transaction, and gives it what it buys with. */
async function prepare(url: string, { deployments, base }: CometJudgeInput): Promise<void> {
  const comet = deployments['compound-v3'][0]?.comet;
  const factory = deployments['uniswap-v3'][0]?.factory;
  if (!comet || !factory) throw new Error('the lens needs Compound III and a Uniswap v3 factory');
  const unit = await compileUnit({
    name: 'comet lens',
    solc: 'solc-0.8.27',
    entries: ['scripts/devnet/contracts/CometLens.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  const { abi: own, bytecode } = unit['CometLens']!;
  const data = encodeDeployData({ abi: own, bytecode, args: [comet, factory, deployments.wrappedNative] });
  await rpc(url, 'anvil_setCode', [LENS, await rpc<Hex>(url, 'eth_call', [{ data }, 'latest'])]);
  await rpc(url, 'anvil_dealERC20', [LENS, base, numberToHex(BASE_RAW)]);
}

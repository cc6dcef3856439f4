/** The lens for Morpho Blue: which of its positions were liquidatable at a block, by Morpho's own word, and whether liquidating one would have paid. */
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
import type { MorphoBorrower } from '../morpho/borrowers.ts';
import { rpc } from '../rpc.ts';
import { TRANSACTION_GAS } from './contract.ts';
import { CALL_GAS_LIMIT, forkAnvil, forkWithOnly } from './fork.ts';

export type MorphoJudgeInput = {
  readonly rpcUrl: string;
  readonly blockNumber: number;
  /** As the lens for Aave: the state that these transactions of the block alone leave. */
  readonly onlyAfter?: readonly Hex[];
  readonly borrowers: readonly Pick<MorphoBorrower, 'address' | 'market'>[];
  readonly minProfitUsd: number;
  /** ETH/USD, 8 decimals: what turns profit into dollars. */
  readonly etherFeed: Address;
  readonly deployments: {
    readonly wrappedNative: Address;
    readonly 'morpho-blue': readonly { readonly morpho: Address }[];
    readonly 'uniswap-v3': readonly { readonly factory: Address }[];
  };
};

export type MorphoVerdict = {
  readonly account: Address;
  readonly liquidatable: boolean;
  /** After gas at the block's base fee; null where it would not leave the minimum. */
  readonly profitUsd: number | null;
};

const LENS: Address = '0x1e2500000000000000000000000000000000002e';
const CALLER: Address = '0xca11e4000000000000000000000000000000ca11';
const LANES = 2;

const abi = parseAbi([
  'struct MarketParams { address loanToken; address collateralToken; address oracle; address irm; uint256 lltv; }',
  'struct Route { uint8 kind; uint24[2] fees; }',
  'struct Best { address debt; address collateral; uint256 amount; Route route; uint256 grossWei; uint256 gas; uint256 netWei; }',
  'function latestAnswer() view returns (int256)',
  'function liquidatable(MarketParams market, address account) returns (bool)',
  'function bestIn(MarketParams market, address account, uint256 gasPriceWei, uint256 transactionGas) returns (Best)',
]);

/** One verdict for each borrower, in the given order, each as if it were alone. Throws when the fork cannot be made or a call fails. */
export async function judgeMorpho(input: MorphoJudgeInput): Promise<MorphoVerdict[]> {
  const { rpcUrl, blockNumber, onlyAfter, borrowers, minProfitUsd, etherFeed } = input;
  const fork = await (onlyAfter === undefined ? forkAnvil(rpcUrl, blockNumber) : forkWithOnly(rpcUrl, blockNumber, onlyAfter));
  try {
    const url = fork.rpcUrl;
    await prepare(url, input);
    const { baseFeePerGas } = await rpc<{ baseFeePerGas: Hex }>(url, 'eth_getBlockByNumber', ['latest', false]);
    const ask = (data: Hex) => rpc<Hex>(url, 'eth_call', [{ from: CALLER, to: LENS, data, gas: numberToHex(CALL_GAS_LIMIT) }, 'latest']);
    const latest = encodeFunctionData({ abi, functionName: 'latestAnswer' });
    const etherUsd8 = BigInt(await rpc<Hex>(url, 'eth_call', [{ to: etherFeed, data: latest }, 'latest']));
    const verdicts: MorphoVerdict[] = [];
    const open = [...borrowers.entries()];
    const lane = async () => {
      for (let next = open.pop(); next; next = open.pop()) {
        const [place, { address, market }] = next;
        const account = getAddress(address);
        const asked = encodeFunctionData({ abi, functionName: 'liquidatable', args: [market.params, account] });
        const liquidatable = decodeFunctionResult({ abi, functionName: 'liquidatable', data: await ask(asked) });
        verdicts[place] = { account, liquidatable, profitUsd: null };
        if (!liquidatable) continue;
        const args = [market.params, account, BigInt(baseFeePerGas), TRANSACTION_GAS] as const;
        const data = await ask(encodeFunctionData({ abi, functionName: 'bestIn', args }));
        const { netWei } = decodeFunctionResult({ abi, functionName: 'bestIn', data });
        const profitUsd = Number((netWei * etherUsd8) / 10n ** 18n) / 1e8;
        if (profitUsd >= minProfitUsd) verdicts[place] = { account, liquidatable, profitUsd };
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    return verdicts;
  } finally {
    await fork.stop();
  }
}

/** Puts the lens's contract on the fork, without a transaction. */
async function prepare(url: string, { deployments }: MorphoJudgeInput): Promise<void> {
  const morpho = deployments['morpho-blue'][0]?.morpho;
  const factory = deployments['uniswap-v3'][0]?.factory;
  if (!morpho || !factory) throw new Error('the lens needs Morpho Blue and a Uniswap v3 factory');
  const unit = await compileUnit({
    name: 'morpho lens',
    solc: 'solc-0.8.27',
    entries: ['scripts/devnet/contracts/MorphoLens.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  const { abi: own, bytecode } = unit['MorphoLens']!;
  const data = encodeDeployData({ abi: own, bytecode, args: [morpho, factory, deployments.wrappedNative] });
  await rpc(url, 'anvil_setCode', [LENS, await rpc<Hex>(url, 'eth_call', [{ data }, 'latest'])]);
}

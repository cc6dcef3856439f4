/** The lens for Venus: which accounts were liquidatable at a block, by the comptroller's own word, and whether liquidating one would have paid. */
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
import { rpc } from '../rpc.ts';
import type { VenusBorrower } from '../venus/borrowers.ts';
import type { Venus, VenusMarket } from '../venus/deploy.ts';
import { TRANSACTION_GAS } from './contract.ts';
import { CALL_GAS_LIMIT, forkAnvil, forkWithOnly } from './fork.ts';

export type VenusJudgeInput = {
  readonly rpcUrl: string;
  readonly blockNumber: number;
  /** As the lens for Aave: the state that these transactions of the block alone leave. */
  readonly onlyAfter?: readonly Hex[];
  readonly venus: Pick<Venus, 'comptroller'>;
  readonly borrowers: readonly Pick<VenusBorrower, 'address' | 'collateral' | 'debt'>[];
  readonly tokens: Readonly<Record<string, Address>>;
  readonly minProfitUsd: number;
  /** ETH/USD, 8 decimals: what turns profit into dollars. */
  readonly etherFeed: Address;
  /** Aave's pool, which lends. */
  readonly lender: Address;
  readonly deployments: { readonly wrappedNative: Address; readonly 'uniswap-v3': readonly { readonly factory: Address }[] };
};

export type VenusVerdict = {
  readonly account: Address;
  readonly liquidatable: boolean;
  /** After gas at the block's base fee; null where it would not leave the minimum. */
  readonly profitUsd: number | null;
};

const LENS: Address = '0x1e2500000000000000000000000000000000003e';
const CALLER: Address = '0xca11e4000000000000000000000000000000ca11';
const LANES = 2;

const abi = parseAbi([
  'struct Side { address market; address token; bool native; }',
  'struct Route { uint8 kind; uint24[2] fees; }',
  'struct Best { address debt; address collateral; uint256 amount; Route route; uint256 grossWei; uint256 gas; uint256 netWei; }',
  'function latestAnswer() view returns (int256)',
  'function liquidatable(Side[] sides, address account) returns (bool)',
  'function bestAt(Side[] sides, address account, uint256 gasPriceWei, uint256 transactionGas) returns (Best)',
]);

/** One verdict for each borrower, in the given order, each as if it were alone. Throws when the fork cannot be made or a call fails. */
export async function judgeVenus(input: VenusJudgeInput): Promise<VenusVerdict[]> {
  const { rpcUrl, blockNumber, onlyAfter, borrowers, tokens, minProfitUsd, etherFeed } = input;
  const fork = await (onlyAfter === undefined ? forkAnvil(rpcUrl, blockNumber) : forkWithOnly(rpcUrl, blockNumber, onlyAfter));
  try {
    const url = fork.rpcUrl;
    await prepare(url, input);
    const { baseFeePerGas } = await rpc<{ baseFeePerGas: Hex }>(url, 'eth_getBlockByNumber', ['latest', false]);
    const ask = (to: Address, data: Hex) =>
      rpc<Hex>(url, 'eth_call', [{ from: CALLER, to, data, gas: numberToHex(CALL_GAS_LIMIT) }, 'latest']);
    const etherUsd8 = BigInt(await ask(etherFeed, encodeFunctionData({ abi, functionName: 'latestAnswer' })));
    const side = ({ address, symbol, native }: VenusMarket) => ({ market: address, token: tokens[symbol]!, native });
    const verdicts: VenusVerdict[] = [];
    const open = [...borrowers.entries()];
    const lane = async () => {
      for (let next = open.pop(); next; next = open.pop()) {
        const [place, { address, collateral, debt }] = next;
        const account = getAddress(address);
        const sides = [...new Set([...collateral, ...debt].map(({ market }) => market))].map(side);
        const asked = await ask(LENS, encodeFunctionData({ abi, functionName: 'liquidatable', args: [sides, account] }));
        const liquidatable = decodeFunctionResult({ abi, functionName: 'liquidatable', data: asked });
        verdicts[place] = { account, liquidatable, profitUsd: null };
        if (!liquidatable) continue;
        const args = [sides, account, BigInt(baseFeePerGas), TRANSACTION_GAS] as const;
        const data = await ask(LENS, encodeFunctionData({ abi, functionName: 'bestAt', args }));
        const { netWei } = decodeFunctionResult({ abi, functionName: 'bestAt', data });
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
async function prepare(url: string, { venus, lender, deployments }: VenusJudgeInput): Promise<void> {
  const factory = deployments['uniswap-v3'][0]?.factory;
  if (!factory) throw new Error('the lens needs a Uniswap v3 factory');
  const unit = await compileUnit({
    name: 'venus lens',
    solc: 'solc-0.8.27',
    entries: ['scripts/devnet/contracts/VenusLens.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  });
  const { abi: own, bytecode } = unit['VenusLens']!;
  const data = encodeDeployData({ abi: own, bytecode, args: [venus.comptroller, lender, factory, deployments.wrappedNative] });
  await rpc(url, 'anvil_setCode', [LENS, await rpc<Hex>(url, 'eth_call', [{ data }, 'latest'])]);
}

/** A local chain with an Executor, WETH9 and doubles on it, where a test may send from any account. */
import { type Abi, decodeFunctionResult, encodeDeployData, encodeFunctionData } from 'viem';
import { compilerSettings } from '../../hardhat.config.ts';
import { type Anvil, startAnvil } from '../../scripts/devnet/anvil.ts';
import { type Artifact, compileUnit } from '../../scripts/devnet/compile.ts';
import { RpcError, rpc } from '../../scripts/devnet/rpc.ts';
import { decodeExecutorError, decodeSettlement, type Settlement } from '../../src/execution/decode-executor.ts';
import { executorAbi, executorBytecode } from '../../src/generated/executor.ts';
import { encodeExecute } from '../../src/lib/encode-steps.ts';
import type { Sequence, Step } from '../../src/lib/steps.ts';
import type { Address, Hex, RawLog } from '../../src/lib/types.ts';

const WETH9 = '@aave-dao/aave-v3-origin/src/contracts/dependencies/weth/WETH9.sol';
const DOUBLES = ['test/contracts/doubles/Tokens.sol', 'test/contracts/doubles/Callers.sol'];
const GAS = 12_000_000n;
const RICH_WEI = 10n ** 24n;

export const owner: Address = '0x00000000000000000000000000000000000a11ce';
export const operator: Address = '0x00000000000000000000000000000000000b0b00';
export const stranger: Address = '0x0000000000000000000000000000000000bad000';

export type Receipt = {
  readonly status: Hex;
  readonly gasUsed: Hex;
  readonly blockNumber: Hex;
  readonly logs: readonly RawLog[];
  readonly contractAddress: Address;
};
export type Contract = { readonly address: Address; readonly abi: Abi };

export class World {
  readonly anvil: Anvil;
  readonly artifacts: Readonly<Record<string, Artifact>>;
  readonly weth: Contract;
  readonly executor: Contract;

  private constructor(anvil: Anvil, artifacts: Readonly<Record<string, Artifact>>, weth: Contract, executor: Contract) {
    this.anvil = anvil;
    this.artifacts = artifacts;
    this.weth = weth;
    this.executor = executor;
  }

  /** The Executor has `owner`, who is its treasury too, and `operator`; only WETH is registered. */
  static async start(): Promise<World> {
    const settings = { ...compilerSettings, optimizer: { enabled: false, runs: 1 }, viaIR: false };
    const artifacts = await compileUnit({ name: 'executor-doubles', solc: 'solc-0.8.27', entries: [...DOUBLES, WETH9], settings });
    const anvil = await startAnvil({ flags: ['--base-fee', '0', '--gas-price', '0'] });
    const { rpcUrl } = anvil;
    await rpc(rpcUrl, 'anvil_autoImpersonateAccount', [true]);
    for (const account of [owner, operator, stranger]) await rpc(rpcUrl, 'anvil_setBalance', [account, hex(RICH_WEI)]);
    const none = { address: '0x' as Address, abi: [] };
    const bare = new World(anvil, artifacts, none, none);
    const weth = await bare.deploy('WETH9');
    const executor = await bare.create(executorAbi, executorBytecode, [
      weth.address,
      owner,
      '0x0000000000000000000000000000000000000000',
      [operator],
    ]);
    return new World(anvil, artifacts, weth, executor);
  }

  stop(): Promise<void> {
    return this.anvil.stop();
  }

  /** Creates a double (or WETH9) by its name. */
  deploy(name: string, args: readonly unknown[] = []): Promise<Contract> {
    const artifact = this.artifacts[name];
    if (!artifact) throw new Error(`no artifact ${name}`);
    return this.create(artifact.abi, artifact.bytecode, args);
  }

  async create(abi: Abi, bytecode: Hex, args: readonly unknown[] = []): Promise<Contract> {
    const receipt = await this.transact({ from: owner, data: encodeDeployData({ abi, bytecode, args: [...args] }) });
    if (receipt.status !== '0x1') throw new Error('creation reverted');
    return { address: receipt.contractAddress.toLowerCase() as Address, abi };
  }

  /** A transaction that must succeed. */
  async send(from: Address, contract: Contract, functionName: string, args: readonly unknown[] = [], valueWei = 0n): Promise<Receipt> {
    const transaction = { from, to: contract.address, data: calldata(contract, functionName, args), value: hex(valueWei) };
    const receipt = await this.transact(transaction);
    if (receipt.status !== '0x1') throw new Error(`${functionName} reverted: ${await this.#revertOf(transaction)}`);
    return receipt;
  }

  async read<T>(contract: Contract, functionName: string, args: readonly unknown[] = []): Promise<T> {
    const data = await rpc<Hex>(this.anvil.rpcUrl, 'eth_call', [
      { to: contract.address, data: calldata(contract, functionName, args) },
      'latest',
    ]);
    return decodeFunctionResult({ abi: contract.abi, functionName, data }) as T;
  }

  balance(token: Contract, account: Address = this.executor.address): Promise<bigint> {
    return this.read<bigint>(token, 'balanceOf', [account]);
  }

  async nativeBalance(account: Address): Promise<bigint> {
    return BigInt(await rpc<Hex>(this.anvil.rpcUrl, 'eth_getBalance', [account, 'latest']));
  }

  /** Sends the sequence as the operator; throws with the decoded reason when it reverts. */
  async execute(sequence: Sequence, from = operator): Promise<Settlement & { readonly gasUsed: bigint }> {
    const transaction = { from, to: this.executor.address, data: encodeExecute(sequence) };
    const receipt = await this.transact(transaction);
    if (receipt.status !== '0x1') throw new Error(`execute reverted: ${await this.#revertOf(transaction)}`);
    const settlement = decodeSettlement(receipt.logs, this.executor.address);
    if (!settlement) throw new Error('nothing was settled');
    return { ...settlement, gasUsed: BigInt(receipt.gasUsed) };
  }

  /** The decoded reason for which the sequence is refused; throws when it is not. It is mined too, and must revert there. */
  refusalOf(sequence: Sequence, from = operator): Promise<string> {
    return this.refusal({ from, to: this.executor.address, data: encodeExecute(sequence) });
  }

  async refusal(transaction: { readonly from: Address; readonly to: Address; readonly data?: Hex; readonly value?: Hex }): Promise<string> {
    const reason = await this.#revertOf(transaction);
    const { status } = await this.transact(transaction);
    if (status === '0x1') throw new Error('the transaction went through');
    return reason;
  }

  /** A sequence of one mandatory group in WETH that promises nothing, but for what is given. */
  sequence(steps: readonly Step[], overrides: Partial<Sequence> = {}): Sequence {
    return {
      numeraire: this.weth.address,
      minProfitRaw: 0n,
      gasCostRaw: 0n,
      bidBps: 0,
      lastBlock: 1_000_000_000,
      sweep: [],
      groups: [{ optional: false, minProfitRaw: 0n, steps }],
      ...overrides,
    };
  }

  /** The operator's transaction with one group of packed steps, as no encoder would make them. */
  packed(steps: Hex): { readonly from: Address; readonly to: Address; readonly data: Hex } {
    const groups = [{ optional: false, gasLimit: 0n, minProfit: 0n, steps }];
    const sequence = { numeraire: this.weth.address, minProfit: 0n, gasCost: 0n, bidBps: 0n, lastBlock: 10n ** 9n, sweep: [], groups };
    return { from: operator, to: this.executor.address, data: calldata(this.executor, 'execute', [sequence]) };
  }

  async snapshot(): Promise<() => Promise<void>> {
    const id = await rpc<Hex>(this.anvil.rpcUrl, 'evm_snapshot');
    return async () => {
      await rpc(this.anvil.rpcUrl, 'evm_revert', [id]);
    };
  }

  /** Mined at once; it may have reverted. */
  async transact(transaction: Record<string, unknown>): Promise<Receipt> {
    const hash = await rpc<Hex>(this.anvil.rpcUrl, 'eth_sendTransaction', [{ ...transaction, gas: hex(GAS), gasPrice: '0x0' }]);
    // Gas is free, so that contracts can send, and a coinbase gets nothing but bids.
    await rpc(this.anvil.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', ['0x0']);
    await rpc(this.anvil.rpcUrl, 'evm_mine');
    const receipt = await rpc<Receipt | null>(this.anvil.rpcUrl, 'eth_getTransactionReceipt', [hash]);
    if (!receipt) throw new Error(`${hash} was not mined`);
    return receipt;
  }

  async #revertOf(transaction: Record<string, unknown>): Promise<string> {
    try {
      await rpc(this.anvil.rpcUrl, 'eth_call', [{ ...transaction, gas: hex(GAS) }, 'pending']);
    } catch (error) {
      if (error instanceof RpcError) return typeof error.data === 'string' ? decodeExecutorError(error.data as Hex) : error.message;
      throw error;
    }
    throw new Error('the call went through');
  }
}

export function calldata(contract: Contract, functionName: string, args: readonly unknown[] = []): Hex {
  return encodeFunctionData({ abi: contract.abi, functionName, args: [...args] });
}

/** The step that calls a function. */
export function call(
  contract: Contract,
  functionName: string,
  args: readonly unknown[] = [],
  valueWei = 0n,
): Extract<Step, { kind: 'call' }> {
  return { kind: 'call', target: contract.address, valueWei, data: calldata(contract, functionName, args) };
}

function hex(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}

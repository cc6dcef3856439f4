/** The real Executor on a Uniswap world, run by its owner without a bid. */
import { parseAbi } from 'viem';
import { RpcError, rpc } from '../../scripts/devnet/rpc.ts';
import { executorAbi, executorBytecode } from '../../src/generated/executor.ts';
import { encodeExecute } from '../../src/lib/encode-steps.ts';
import type { Group, Step } from '../../src/lib/steps.ts';
import type { Address } from '../../src/lib/types.ts';
import { lower, type UniswapWorld } from './uniswap.ts';

const GAS = 12_000_000n;
const NOBODY: Address = '0x0000000000000000000000000000000000000000';
const tokenAbi = parseAbi(['function mint(address to, uint256 amount)']);

export class ExecutorOn {
  readonly address: Address;
  readonly #world: UniswapWorld;
  readonly #numeraire: Address;

  /** Queues its creation. Only the numeraire is registered, as if it were wrapped native. */
  constructor(world: UniswapWorld, numeraire: Address) {
    const { deployer } = world.chain;
    const artifact = { abi: executorAbi, bytecode: executorBytecode, linkReferences: {} };
    this.address = lower(world.chain.deploy('executor', artifact, [numeraire, deployer.address, NOBODY, []]));
    this.#world = world;
    this.#numeraire = numeraire;
  }

  /** Executes groups of steps in one transaction, mined; throws when it reverts. */
  async execute(groups: readonly (readonly Step[])[]): Promise<void> {
    this.#world.chain.send(this.#world.chain.deployer, { to: this.address, data: this.#calldata(groups), gas: GAS, label: 'execute' });
    await this.#world.chain.mine();
  }

  /** Whether they could be executed now; nothing is. */
  async bears(groups: readonly (readonly Step[])[]): Promise<boolean> {
    const from = this.#world.chain.deployer.address;
    const call = { from, to: this.address, data: this.#calldata(groups), gas: `0x${GAS.toString(16)}` };
    try {
      await rpc(this.#world.rpcUrl, 'eth_call', [call, 'latest']);
      return true;
    } catch (error) {
      if (error instanceof RpcError && /revert/i.test(error.message)) return false;
      throw error;
    }
  }

  #calldata(groups: readonly (readonly Step[])[]) {
    const sequence = { numeraire: this.#numeraire, minProfitRaw: 0n, gasCostRaw: 0n, bidBps: 0, lastBlock: 1_000_000_000, sweep: [] };
    return encodeExecute({ ...sequence, groups: groups.map((steps): Group => ({ optional: false, minProfitRaw: 0n, steps })) });
  }

  async fund(token: Address, amount: bigint): Promise<void> {
    this.#world.chain.call(token, tokenAbi, 'mint', [this.address, amount]);
    await this.#world.chain.mine();
  }

  /** What it and its treasury have of a token. */
  async holding(token: Address): Promise<bigint> {
    return (await this.#world.balanceOf(token, this.address)) + (await this.#world.balanceOf(token, this.#world.chain.deployer.address));
  }
}

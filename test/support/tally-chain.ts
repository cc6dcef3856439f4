/** A real chain with a Tally and a Multicall3 on it; blocks are made, rolled back and reorganised when a test says so. */
import { encodeFunctionData, getContractAddress, type Hex, parseAbi } from 'viem';
import { type Anvil, spawnAnvil } from '../../scripts/devnet/anvil.ts';
import { type Artifact, compileUnit } from '../../scripts/devnet/compile.ts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import type { Address } from '../../src/lib/types.ts';

export const tallyAbi = parseAbi([
  'event Changed(address indexed account, int256 by)',
  'event Born(address indexed child)',
  'event Bumped(uint256 by)',
  'function act(bytes[] calls)',
  'function change(address account, int256 by)',
  'function bear(uint256 by)',
  'function bump(uint256 index, uint256 by)',
  'function setRate(uint256 to)',
  'function balanceOf(address) view returns (int256)',
  'function children(uint256) view returns (address)',
  'function childCount() view returns (uint256)',
  'function rate() view returns (uint256)',
  'function value() view returns (uint256)',
  'function fails()',
  'function heavy(uint256 from, uint256 slots) view returns (uint256)',
]);

const GAS = '0x1c9c380';

export class TallyChain {
  readonly anvil: Anvil;
  readonly tally: Address;
  readonly multicall3: Address;
  readonly #from: Address;

  private constructor(anvil: Anvil, from: Address, tally: Address, multicall3: Address) {
    this.anvil = anvil;
    this.#from = from;
    this.tally = tally;
    this.multicall3 = multicall3;
  }

  /** Multicall3 is in block 1, the Tally in block 2. `chainId` defaults to 31337. */
  static async start({ chainId = 31337, flags = [] }: { chainId?: number; flags?: readonly string[] } = {}): Promise<TallyChain> {
    const { Tally, Multicall3 } = await compiled();
    const anvil = await spawnAnvil(['--port', '0', '--chain-id', String(chainId), '--no-mining', '--timestamp', '1700000000', ...flags]);
    const [from] = await rpc<Address[]>(anvil.rpcUrl, 'eth_accounts');
    const addressOf = (nonce: bigint) => getContractAddress({ from: from!, nonce }).toLowerCase() as Address;
    const chain = new TallyChain(anvil, from!, addressOf(1n), addressOf(0n));
    await chain.mine({ data: Multicall3.bytecode });
    await chain.mine({ data: Tally.bytecode });
    return chain;
  }

  get http(): string {
    return this.anvil.rpcUrl;
  }

  get ws(): string {
    return this.anvil.wsUrl;
  }

  /** One block, with one transaction that makes these calls to the Tally; none makes an empty block. */
  async act(...calls: readonly Hex[]): Promise<void> {
    if (calls.length === 0) await this.#rpc('evm_mine');
    else await this.mine({ to: this.tally, data: encodeFunctionData({ abi: tallyAbi, functionName: 'act', args: [calls] }) });
  }

  async mine(transaction: { to?: Address; data: Hex }): Promise<void> {
    const hash = await this.#rpc<Hex>('eth_sendTransaction', [{ from: this.#from, gas: GAS, ...transaction }]);
    await this.#rpc('evm_mine');
    const receipt = await this.#rpc<{ status: Hex } | null>('eth_getTransactionReceipt', [hash]);
    if (receipt?.status !== '0x1') throw new Error('a transaction of the test was not included, or reverted');
  }

  async mineEmpty(blocks: number): Promise<void> {
    await this.#rpc('anvil_mine', [`0x${blocks.toString(16)}`, '0xc']);
  }

  /** The newest blocks are gone, and nothing says so until the next block. */
  async rollback(depth: number): Promise<void> {
    await this.#rpc('anvil_rollback', [depth]);
  }

  /** The newest blocks are replaced by as many empty ones. NOTE: an empty block may be replaced by its very like; for a certain change use `fork`. */
  async reorg(depth: number): Promise<void> {
    await this.#rpc('anvil_reorg', [depth, []]);
  }

  /** The newest blocks are replaced by `blocks` others, the first of which holds these calls. */
  async fork(depth: number, blocks: number, ...calls: readonly [Hex, ...Hex[]]): Promise<void> {
    await this.rollback(depth);
    await this.act(...calls);
    if (blocks > 1) await this.mineEmpty(blocks - 1);
  }

  async block(at: number | 'latest' = 'latest'): Promise<{ number: number; hash: Hex }> {
    const tag = at === 'latest' ? at : `0x${at.toString(16)}`;
    const { number, hash } = await this.#rpc<{ number: Hex; hash: Hex }>('eth_getBlockByNumber', [tag, false]);
    return { number: Number(number), hash };
  }

  stop(): Promise<void> {
    return this.anvil.stop();
  }

  #rpc<T>(method: string, params: readonly unknown[] = []): Promise<T> {
    return rpc<T>(this.anvil.rpcUrl, method, params);
  }
}

export const call = {
  change: (account: Address, by: bigint) => encodeFunctionData({ abi: tallyAbi, functionName: 'change', args: [account, by] }),
  bear: (by: bigint) => encodeFunctionData({ abi: tallyAbi, functionName: 'bear', args: [by] }),
  bump: (index: bigint, by: bigint) => encodeFunctionData({ abi: tallyAbi, functionName: 'bump', args: [index, by] }),
  setRate: (to: bigint) => encodeFunctionData({ abi: tallyAbi, functionName: 'setRate', args: [to] }),
};

/** The same small address for the same small number. */
export const account = (n: number): Address => `0x${(0xacc0000 + n).toString(16).padStart(40, '0')}`;

function compiled(): Promise<{ Tally: Artifact; Multicall3: Artifact }> {
  return compileUnit({
    name: 'tally',
    solc: 'solc-0.8.27',
    entries: ['test/support/contracts/Tally.sol', 'scripts/devnet/contracts/Multicall3.sol'],
    settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
  }) as Promise<{ Tally: Artifact; Multicall3: Artifact }>;
}

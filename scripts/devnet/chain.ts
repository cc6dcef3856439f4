/**
 * Set-up work on a fresh chain: genuine signed transactions, queued by the hundred with nonces counted here, mined in blocks of ordinary
 * size, every receipt checked. Addresses of contracts follow from the nonce, so a whole deployment is queued without waiting.
 */
import { type Abi, type Address, decodeFunctionResult, encodeDeployData, encodeFunctionData, getContractAddress, type Hex } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { BLOCK_GAS_LIMIT, CHAIN_ID, SLOT_SECONDS } from './anvil.ts';
import { sendInOrder } from './builder/ordered-send.ts';
import type { Artifact } from './compile.ts';
import { link } from './link.ts';
import { rpc, rpcBatch } from './rpc.ts';

/** The base fee of set-up blocks, held there: full blocks would raise it by an eighth each. */
const SETUP_BASE_FEE_WEI = 1_000_000_000n;
const TIP_WEI = 100_000_000n;
const DEFAULT_GAS = 1_000_000n;
/** EIP-7825: no transaction may ask for more. */
const DEPLOY_GAS = 16_777_216n;

export type Call = {
  to: Address;
  data?: Hex;
  value?: bigint;
  gas?: bigint;
  /** What to call it when it reverts. */
  label: string;
};

type Signed = { raw: Hex; gas: bigint; label: string };
type Receipt = { transactionHash: Hex; status: Hex };
type Transaction = { to?: Address; data: Hex; value: bigint; gas: bigint };

export class SetupChain {
  readonly rpcUrl: string;
  /** Owns and administers everything that is deployed. */
  readonly deployer: PrivateKeyAccount;
  readonly #nonces = new Map<Address, number>();
  #queue: Promise<Signed>[] = [];

  constructor(rpcUrl: string, deployer: PrivateKeyAccount) {
    this.rpcUrl = rpcUrl;
    this.deployer = deployer;
  }

  /** Blocks are `SLOT_SECONDS` apart and hold what an Ethereum block holds. */
  async prepare(): Promise<void> {
    await rpc(this.rpcUrl, 'anvil_setBlockTimestampInterval', [SLOT_SECONDS]);
    await this.fund([this.deployer.address], 10n ** 26n);
  }

  /** Gives accounts ETH and takes note of their nonces; only such accounts can `send`. */
  async fund(addresses: readonly Address[], wei: bigint): Promise<void> {
    await rpcBatch(
      this.rpcUrl,
      addresses.map((address) => ({ method: 'anvil_setBalance', params: [address, `0x${wei.toString(16)}`] })),
    );
    const counts = await rpcBatch<Hex>(
      this.rpcUrl,
      addresses.map((address) => ({ method: 'eth_getTransactionCount', params: [address, 'latest'] })),
    );
    for (const [index, address] of addresses.entries()) this.#nonces.set(address, Number(counts[index]));
  }

  /** Queues a contract's creation by the deployer; its address is known at once, its code after `mine`. */
  deploy(name: string, artifact: Artifact, args: readonly unknown[] = [], libraries: Record<string, Address> = {}): Address {
    const data = encodeDeployData({ abi: artifact.abi, bytecode: link(artifact, libraries), args: [...args] });
    const nonce = this.#enqueue(this.deployer, { data, value: 0n, gas: DEPLOY_GAS }, `deploy ${name}`);
    return getContractAddress({ from: this.deployer.address, nonce: BigInt(nonce) });
  }

  /** Queues the deployer's call of a contract's function. */
  call(to: Address, abi: Abi, functionName: string, args: readonly unknown[]): void {
    this.send(this.deployer, {
      to,
      data: encodeFunctionData({ abi, functionName, args: [...args] }),
      label: functionName,
      gas: 6_000_000n,
    });
  }

  send(from: PrivateKeyAccount, call: Call): void {
    const { to, data = '0x', value = 0n, gas = DEFAULT_GAS, label } = call;
    this.#enqueue(from, { to, data, value, gas }, label);
  }

  /**
   * Mines all that is queued (an empty block when nothing is), in order, in as many blocks as it takes. Throws when a transaction reverted,
   * with its label and revert data.
   */
  async mine(): Promise<void> {
    const queue = await Promise.all(this.#queue);
    this.#queue = [];
    for (const block of blocksOf(queue)) await this.#mineBlock(block);
  }

  async blockNumber(): Promise<number> {
    return Number(await rpc<Hex>(this.rpcUrl, 'eth_blockNumber'));
  }

  async read<T>(to: Address, abi: Abi, functionName: string, args: readonly unknown[] = []): Promise<T> {
    const data = await rpc<Hex>(this.rpcUrl, 'eth_call', [
      { to, data: encodeFunctionData({ abi, functionName, args: [...args] }) },
      'latest',
    ]);
    return decodeFunctionResult({ abi, functionName, data }) as T;
  }

  #enqueue(from: PrivateKeyAccount, transaction: Transaction, label: string): number {
    const nonce = this.#nonces.get(from.address);
    if (nonce === undefined) throw new Error(`${from.address} was never funded: cannot ${label}`);
    this.#nonces.set(from.address, nonce + 1);
    const fees = { maxPriorityFeePerGas: TIP_WEI, maxFeePerGas: 2n * SETUP_BASE_FEE_WEI };
    const signed = from.signTransaction({ type: 'eip1559', chainId: CHAIN_ID, nonce, ...fees, ...transaction });
    this.#queue.push(signed.then((raw) => ({ raw, gas: transaction.gas, label })));
    return nonce;
  }

  async #mineBlock(batch: readonly Signed[]): Promise<void> {
    const labels = new Map<Hex, string>();
    const sent = await sendInOrder(
      new URL(this.rpcUrl),
      batch.map(({ raw }) => raw),
    );
    for (const [index, result] of sent.entries()) {
      if (!result.ok) throw new Error(`${batch[index]!.label} was refused: ${result.message}`);
      labels.set(result.value as Hex, batch[index]!.label);
    }
    await rpc(this.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', [`0x${SETUP_BASE_FEE_WEI.toString(16)}`]);
    await rpc(this.rpcUrl, 'evm_mine');
    for (const { transactionHash, status } of await rpc<Receipt[]>(this.rpcUrl, 'eth_getBlockReceipts', ['latest'])) {
      const label = labels.get(transactionHash);
      labels.delete(transactionHash);
      if (label && status !== '0x1') throw new Error(`${label} reverted: ${await this.#revertOf(transactionHash)}`);
    }
    if (labels.size > 0) throw new Error(`not mined: ${[...labels.values()].join(', ')}`);
  }

  async #revertOf(hash: Hex): Promise<string> {
    const trace = await rpc<{ error?: string; output?: Hex }>(this.rpcUrl, 'debug_traceTransaction', [hash, { tracer: 'callTracer' }]);
    return `${trace.error ?? 'no reason'} ${trace.output ?? ''}`;
  }
}

/**
 * Parts a queue by what fits in a block. NOTE: anvil must never have to leave transactions over for the next block: when a block fills in the
 * middle of an account's sequence, the rest of that sequence is lost from its pool.
 */
function blocksOf(queue: readonly Signed[]): Signed[][] {
  const blocks: Signed[][] = [[]];
  let gas = 0n;
  for (const transaction of queue) {
    gas += transaction.gas;
    if (gas > BigInt(BLOCK_GAS_LIMIT)) {
      blocks.push([]);
      gas = transaction.gas;
    }
    blocks.at(-1)!.push(transaction);
  }
  return blocks;
}

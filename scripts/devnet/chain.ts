/**
 * Set-up work on a fresh chain: genuine signed transactions, queued by the hundred with nonces counted here, mined in blocks of ordinary
 * size, every receipt checked. Addresses of contracts follow from the nonce, so a whole deployment is queued without waiting.
 */
import { type Abi, type Address, decodeFunctionResult, encodeDeployData, encodeFunctionData, getContractAddress, type Hex } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { CHAIN_ID, SLOT_SECONDS } from './anvil.ts';
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

type Pending = { hash: Hex; label: string };
type Receipt = { transactionHash: Hex; status: Hex };
type Transaction = { to?: Address; data: Hex; value: bigint; gas: bigint };

export class SetupChain {
  readonly rpcUrl: string;
  /** Owns and administers everything that is deployed. */
  readonly deployer: PrivateKeyAccount;
  readonly #nonces = new Map<Address, number>();
  #queue: Promise<{ raw: Hex; label: string }>[] = [];

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
   * Mines all that is queued, in as many blocks as it takes. Transactions of one account keep their order; those of different accounts may
   * not, so what depends on another account's transaction belongs after a `mine`. Throws when one reverted, with its label and revert data.
   */
  async mine(): Promise<void> {
    const batch = await Promise.all(this.#queue);
    this.#queue = [];
    const hashes = await rpcBatch<Hex>(
      this.rpcUrl,
      batch.map(({ raw }) => ({ method: 'eth_sendRawTransaction', params: [raw] })),
    );
    const waiting = new Map<Hex, Pending>(hashes.map((hash, index) => [hash, { hash, label: batch[index]!.label }]));
    do {
      const mined = await this.#mineBlock();
      if (waiting.size > 0 && mined.length === 0) throw new Error(`${waiting.size} transactions are not being mined`);
      for (const { transactionHash, status } of mined) {
        const pending = waiting.get(transactionHash);
        waiting.delete(transactionHash);
        if (pending && status !== '0x1') throw new Error(`${pending.label} reverted: ${await this.#revertOf(transactionHash)}`);
      }
    } while (waiting.size > 0);
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
    this.#queue.push(signed.then((raw) => ({ raw, label })));
    return nonce;
  }

  async #mineBlock(): Promise<Receipt[]> {
    await rpc(this.rpcUrl, 'anvil_setNextBlockBaseFeePerGas', [`0x${SETUP_BASE_FEE_WEI.toString(16)}`]);
    await rpc(this.rpcUrl, 'evm_mine');
    return rpc<Receipt[]>(this.rpcUrl, 'eth_getBlockReceipts', ['latest']);
  }

  async #revertOf(hash: Hex): Promise<string> {
    const trace = await rpc<{ error?: string; output?: Hex }>(this.rpcUrl, 'debug_traceTransaction', [hash, { tracer: 'callTracer' }]);
    return `${trace.error ?? 'no reason'} ${trace.output ?? ''}`;
  }
}

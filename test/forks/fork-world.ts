/** A keeper's parts on a fork: an Executor of its own, the mirrored world, and one signer. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Address, encodeDeployData, getContractAddress, type Hex, keccak256, numberToHex, stringToHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { rpc } from '../../scripts/devnet/rpc.ts';
import { RpcPool } from '../../src/chain/rpc.ts';
import { executorAbi, executorBytecode } from '../../src/generated/executor.ts';
import { SecretUrl } from '../../src/lib/secret.ts';
import { World } from '../../src/world.ts';
import type { Engine, Fork } from './engines.ts';
import type { Upstream } from './upstream.ts';

const operator = privateKeyToAccount(keccak256(stringToHex('operator on a fork')));
const FUNDS_WEI = 100n * 10n ** 18n;
const DEPLOY_GAS = 6_000_000n;
const SLOT_SECONDS = 12;
const MINED_WITHIN_MS = 60_000;
const POLL_MS = 10;
const TIP_WEI = 1_000_000_000n;

export const TREASURY: Address = '0x7ea5000000000000000000000000000000000001';

export type Receipt = {
  status: Hex;
  blockNumber: Hex;
  from: Address;
  gasUsed: Hex;
  logs: { address: Address; topics: [Hex, ...Hex[]]; data: Hex }[];
};
export type Mined = { readonly hash: Hex; readonly receipt: Receipt };
export type Block = { number: Hex; transactions: Hex[]; baseFeePerGas: Hex; timestamp: Hex };

export class ForkWorld {
  readonly operator: Address = operator.address;
  readonly executor: Address;
  readonly world: World;
  readonly rpcPool: RpcPool;
  readonly #fork: Fork;
  readonly #chainId: number;

  private constructor(parts: { fork: Fork; chainId: number; executor: Address; world: World; rpcPool: RpcPool }) {
    this.#fork = parts.fork;
    this.#chainId = parts.chainId;
    this.executor = parts.executor;
    this.world = parts.world;
    this.rpcPool = parts.rpcPool;
  }

  /** Forks, deploys the Executor in the block after the fork's, and syncs to it. */
  static async open(engine: Engine, upstream: Upstream): Promise<ForkWorld> {
    const fork = await engine.fork(upstream);
    try {
      const { chainId, book } = upstream;
      await rpc(fork.rpcUrl, 'hardhat_setBalance', [operator.address, numberToHex(FUNDS_WEI)]);
      const { timestamp } = await latestOf(fork.rpcUrl);
      const data = encodeDeployData({
        abi: executorAbi,
        bytecode: executorBytecode,
        args: [book.wrappedNative, operator.address, TREASURY, []],
      });
      const nonce = await nonceOf(fork.rpcUrl);
      const { receipt } = await sendAt(fork.rpcUrl, chainId, Number(timestamp) + SLOT_SECONDS, { data, gas: DEPLOY_GAS });
      if (receipt.status !== '0x1') throw new Error(`the Executor could not be deployed on ${engine.name}`);
      const executor = getContractAddress({ from: operator.address, nonce: BigInt(nonce) });
      const rpcPool = await RpcPool.open([new SecretUrl(fork.rpcUrl)], { chainId });
      const world = await World.open({ rpc: rpcPool, book, executor: lower(executor) }, () => {});
      return new ForkWorld({ fork, chainId, executor: lower(executor), world, rpcPool });
    } catch (error) {
      await fork.stop();
      throw error;
    }
  }

  rpc<T>(method: string, params: readonly unknown[] = []): Promise<T> {
    return rpc<T>(this.#fork.rpcUrl, method, params);
  }

  latest(): Promise<Block> {
    return latestOf(this.#fork.rpcUrl);
  }

  nonce(): Promise<number> {
    return nonceOf(this.#fork.rpcUrl);
  }

  /** Signs and sends the call of the Executor, to be mined at this time. */
  execute(data: Hex, gas: bigint, timestamp: number): Promise<Mined> {
    return sendAt(this.#fork.rpcUrl, this.#chainId, timestamp, { to: this.executor, data, gas });
  }

  async close(): Promise<void> {
    this.rpcPool.close();
    await this.#fork.stop();
  }
}

async function sendAt(url: string, chainId: number, timestamp: number, call: { to?: Address; data: Hex; gas: bigint }): Promise<Mined> {
  const { baseFeePerGas } = await latestOf(url);
  const fees = { maxFeePerGas: 2n * BigInt(baseFeePerGas) + TIP_WEI, maxPriorityFeePerGas: TIP_WEI };
  const raw = await operator.signTransaction({ type: 'eip1559', chainId, nonce: await nonceOf(url), ...fees, ...call });
  await rpc(url, 'evm_setNextBlockTimestamp', [numberToHex(timestamp)]);
  const hash = await rpc<Hex>(url, 'eth_sendRawTransaction', [raw]);
  // NOTE: anvil answers before it mines.
  for (const deadline = performance.now() + MINED_WITHIN_MS; performance.now() < deadline; await delay(POLL_MS)) {
    const receipt = await rpc<Receipt | null>(url, 'eth_getTransactionReceipt', [hash]);
    if (receipt !== null) return { hash, receipt };
  }
  throw new Error(`${hash} is not mined after ${MINED_WITHIN_MS / 1000} s`);
}

async function nonceOf(url: string): Promise<number> {
  return Number(await rpc<Hex>(url, 'eth_getTransactionCount', [operator.address, 'latest']));
}

function latestOf(url: string): Promise<Block> {
  return rpc<Block>(url, 'eth_getBlockByNumber', ['latest', false]);
}

export function lower(address: string): Address {
  return address.toLowerCase() as Address;
}

/** One account's transactions, sent with explicit nonces without waiting for each other, then awaited together. */
import {
  type Address,
  createPublicClient,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  type Hash,
  type Hex,
  http,
  type PublicClient,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Artifact } from '../compile.ts';

const RPC_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
const MINED_WITHIN_MS = 60_000;
const TIP_WEI = 1_000_000_000n;

export type Sequence = {
  deploy(artifact: Artifact, args: readonly unknown[], gas: bigint): Promise<Address>;
  call(to: Address, artifact: Artifact, functionName: string, args: readonly unknown[], gas: bigint): Promise<Hash>;
  pay(to: Address, value: bigint): Promise<Hash>;
  /** Resolves when all that was sent is mined; throws on the first that reverted. */
  mined(): Promise<void>;
};

export async function openSequence(rpcUrl: string, privateKey: Hex): Promise<Sequence> {
  const client = connect(rpcUrl);
  const account = privateKeyToAccount(privateKey);
  const [chainId, latest, firstNonce] = await Promise.all([
    client.getChainId(),
    client.getBlock(),
    client.getTransactionCount({ address: account.address, blockTag: 'pending' }),
  ]);
  let nonce = firstNonce;
  const open: { hash: Hash; what: string }[] = [];

  const send = async (what: string, fields: { to?: Address; data?: Hex; value?: bigint; gas: bigint }) => {
    const serializedTransaction = await account.signTransaction({
      type: 'eip1559',
      chainId,
      nonce: nonce++,
      maxPriorityFeePerGas: TIP_WEI,
      // NOTE: a long sequence of full blocks raises the base fee by an eighth a block.
      maxFeePerGas: 20n * latest.baseFeePerGas! + TIP_WEI,
      ...fields,
    });
    const hash = await client.sendRawTransaction({ serializedTransaction });
    open.push({ hash, what });
    return hash;
  };

  return {
    async deploy(artifact, args, gas) {
      const address = getContractAddress({ from: account.address, nonce: BigInt(nonce) });
      const data = encodeDeployData({ abi: artifact.abi, bytecode: artifact.bytecode, args: [...args] });
      await send(`deploying ${address}`, { data, gas });
      return address;
    },
    call: (to, artifact, functionName, args, gas) =>
      send(functionName, { to, data: encodeFunctionData({ abi: artifact.abi, functionName, args: [...args] }), gas }),
    pay: (to, value) => send('payment', { to, value, gas: 21_000n }),
    async mined() {
      for (const { hash, what } of open.splice(0)) await minedReceipt(client, hash, what);
    },
  };
}

/** Throws when the transaction reverted or is not mined within a minute. NOTE: viem's own waiting has hung on a chain that mines at once. */
export async function minedReceipt(client: PublicClient, hash: Hash, what: string) {
  const deadline = performance.now() + MINED_WITHIN_MS;
  for (;;) {
    const receipt = await client.request({ method: 'eth_getTransactionReceipt', params: [hash] });
    if (receipt?.status === '0x1') return receipt;
    if (receipt) throw new Error(`${what}: ${hash} reverted`);
    if (performance.now() > deadline) throw new Error(`${what}: ${hash} is not mined after ${MINED_WITHIN_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export function connect(rpcUrl: string): PublicClient {
  return createPublicClient({ transport: http(rpcUrl, { timeout: RPC_TIMEOUT_MS, retryCount: 1 }) });
}

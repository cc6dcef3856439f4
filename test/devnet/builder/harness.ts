/** A builder on an anvil of its own, funded accounts, a signed relay client, and the test's contract. */
import { type Address, encodeFunctionData, type Hex, keccak256, parseEther, toBytes } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { type Anvil, CHAIN_ID, startAnvil } from '../../../scripts/devnet/anvil.ts';
import { type RunningBuilder, startBuilder } from '../../../scripts/devnet/builder/client.ts';
import { compileUnit } from '../../../scripts/devnet/compile.ts';
import { rpc } from '../../../scripts/devnet/rpc.ts';

export const COINBASE: Address = '0xc01ba5e000000000000000000000000000000001';
export const GWEI = 1_000_000_000n;

export type World = {
  anvil: Anvil;
  builder: RunningBuilder;
  auction: Address;
  stop(): Promise<void>;
};

export type Answer = { status: number; result?: unknown; error?: { code: number; message: string } };

/** Accounts are numbered; each number is used by one test, so that nonces start at 0 there. */
export function account(index: number): PrivateKeyAccount {
  return privateKeyToAccount(keccak256(toBytes(`builder test account ${index}`)));
}

export const searcher = account(9_000);

/** Its slot clock stands still until the test resumes it. */
export async function startWorld({ slotMs = 1_000 } = {}): Promise<World> {
  const anvil = await startAnvil();
  const builder = await startBuilder({ rpcUrl: anvil.rpcUrl, slotMs, hold: true, coinbase: COINBASE });
  const stop = async () => {
    await builder.stop();
    await anvil.stop();
  };
  try {
    const unit = await compileUnit({
      name: 'builder test contract',
      solc: 'solc-0.8.27',
      entries: ['test/devnet/builder/Auction.sol'],
      settings: { optimizer: { enabled: true, runs: 200 }, evmVersion: 'cancun' },
    });
    const deployer = account(9_001);
    await fund(anvil, deployer.address);
    const creation = { data: unit['Auction']!.bytecode, to: null, gas: 3_000_000n };
    const hash = await sendPublic(anvil, await sign(deployer, creation as unknown as Fields));
    await builder.seal();
    const { contractAddress } = await rpc<{ contractAddress: Address }>(anvil.rpcUrl, 'eth_getTransactionReceipt', [hash]);
    return { anvil, builder, auction: contractAddress, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function fund(anvil: Anvil, ...addresses: Address[]): Promise<void> {
  for (const address of addresses) await rpc(anvil.rpcUrl, 'anvil_setBalance', [address, `0x${parseEther('1000').toString(16)}`]);
}

/** Funded accounts `from`, `from + 1`, … */
export async function accounts({ anvil }: World, from: number, count: number): Promise<PrivateKeyAccount[]> {
  const list = Array.from({ length: count }, (_, index) => account(from + index));
  await fund(anvil, ...list.map(({ address }) => address));
  return list;
}

export type Fields = Partial<{ nonce: number; to: Address; value: bigint; data: Hex; gas: bigint; tipWei: bigint; maxFeeWei: bigint }>;

export function sign(signer: PrivateKeyAccount, { nonce = 0, to = signer.address, tipWei = GWEI, ...fields }: Fields = {}): Promise<Hex> {
  const { value = 0n, data = '0x', gas = 200_000n, maxFeeWei = 100n * GWEI } = fields;
  const fees = { maxFeePerGas: maxFeeWei, maxPriorityFeePerGas: tipWei };
  return signer.signTransaction({ type: 'eip1559', chainId: CHAIN_ID, nonce, to, value, data, gas, ...fees });
}

const abi = [
  { type: 'function', name: 'win', stateMutability: 'payable', inputs: [{ name: 'prize', type: 'uint256' }], outputs: [] },
  { type: 'function', name: 'burn', stateMutability: 'payable', inputs: [{ name: 'gas', type: 'uint256' }], outputs: [] },
  { type: 'function', name: 'pay', stateMutability: 'payable', inputs: [], outputs: [] },
  { type: 'function', name: 'dwindle', stateMutability: 'payable', inputs: [], outputs: [] },
  { type: 'function', name: 'fail', stateMutability: 'payable', inputs: [], outputs: [] },
] as const;

export function encode(name: 'win' | 'burn' | 'pay' | 'dwindle' | 'fail', argument?: bigint): Hex {
  return name === 'win' || name === 'burn'
    ? encodeFunctionData({ abi, functionName: name, args: [argument ?? 0n] })
    : encodeFunctionData({ abi, functionName: name });
}

export function sendPublic(anvil: Anvil, raw: Hex): Promise<Hex> {
  return rpc<Hex>(anvil.rpcUrl, 'eth_sendRawTransaction', [raw]);
}

export async function relay({ builder }: World, method: string, params: unknown, signer = searcher): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [params] });
  return post(builder.url, body, `${signer.address}:${await signer.signMessage({ message: keccak256(toBytes(body)) })}`);
}

export async function post(url: string, body: string, signature?: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(signature ? { 'x-flashbots-signature': signature } : {}) };
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(20_000) });
  return { status: response.status, ...((await response.json()) as object) };
}

export async function nextNumber({ builder }: World): Promise<number> {
  return (await builder.status()).head + 1;
}

/** Sends a bundle for the next block; throws when it is refused. */
export async function sendBundle(world: World, txs: Hex[], extra: object = {}): Promise<Hex> {
  const blockNumber = `0x${(await nextNumber(world)).toString(16)}`;
  const answer = await relay(world, 'eth_sendBundle', { txs, blockNumber, ...extra });
  if (answer.error) throw new Error(answer.error.message);
  return (answer.result as { bundleHash: Hex }).bundleHash;
}

export async function balance({ anvil }: World, address: Address, tag = 'latest'): Promise<bigint> {
  return BigInt(await rpc<Hex>(anvil.rpcUrl, 'eth_getBalance', [address, tag]));
}

export const hashes = (raws: readonly Hex[]): Hex[] => raws.map((raw) => keccak256(raw));

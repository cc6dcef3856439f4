import type { Address, Hex } from '../../lib/types.ts';
import { parseBigQuantity, parseBytes, parseHash, parseQuantity, toQuantity } from '../parse.ts';
import type { CallOptions, Rpc } from '../types.ts';

/** A block by tag, number, or (EIP-1898) hash. */
export type At = 'latest' | 'pending' | 'finalized' | { readonly number: number } | { readonly hash: Hex };

export function getTransactionCount(rpc: Rpc, address: Address, at: At = 'latest', options?: CallOptions): Promise<number> {
  const call = { method: 'eth_getTransactionCount', params: [address, toBlockParam(at)] };
  return rpc.ask(call, (result) => parseQuantity(result, call.method), options);
}

/** In wei. */
export function getBalance(rpc: Rpc, address: Address, at: At = 'latest', options?: CallOptions): Promise<bigint> {
  const call = { method: 'eth_getBalance', params: [address, toBlockParam(at)] };
  return rpc.ask(call, (result) => parseBigQuantity(result, call.method), options);
}

/** Next nonces and balances in one batch, in the order of the addresses. */
export async function getAccounts(
  rpc: Rpc,
  addresses: readonly Address[],
  at: At = 'latest',
  options?: CallOptions,
): Promise<readonly { readonly nonce: number; readonly balanceWei: bigint }[]> {
  const [nonce, balance] = ['eth_getTransactionCount', 'eth_getBalance'] as const;
  const calls = addresses.flatMap((address) => [nonce, balance].map((method) => ({ method, params: [address, toBlockParam(at)] })));
  const answers = await rpc.batch(calls, options);
  const results = answers.map((answer) => {
    if (!answer.ok) throw answer.error;
    return answer.result;
  });
  return addresses.map((_, index) => ({
    nonce: parseQuantity(results[2 * index], nonce),
    balanceWei: parseBigQuantity(results[2 * index + 1], balance),
  }));
}

/** `0x` where there is no contract. */
export function getCode(rpc: Rpc, address: Address, at: At = 'latest', options?: CallOptions): Promise<Hex> {
  const call = { method: 'eth_getCode', params: [address, toBlockParam(at)] };
  return rpc.ask(call, (result) => parseBytes(result, call.method), options);
}

/** One 32-byte word of a contract's storage; `slot` in 32 bytes. */
export function getStorage(rpc: Rpc, address: Address, slot: Hex, at: At = 'latest', options?: CallOptions): Promise<Hex> {
  const call = { method: 'eth_getStorageAt', params: [address, slot, toBlockParam(at)] };
  return rpc.ask(call, (result) => parseHash(result, call.method), options);
}

export function toBlockParam(at: At): unknown {
  if (typeof at === 'string') return at;
  return 'hash' in at ? { blockHash: at.hash } : toQuantity(at.number);
}

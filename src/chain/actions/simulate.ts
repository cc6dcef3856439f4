import type { Address, Hex } from '../../lib/types.ts';
import { RpcError } from '../errors.ts';
import { parseBigQuantity, parseBytes, toQuantity } from '../parse.ts';
import type { CallOptions, Rpc } from '../types.ts';
import { type At, toBlockParam } from './account.ts';

export type Transaction = {
  readonly from: Address;
  /** Null creates a contract. */
  readonly to: Address | null;
  readonly data: Hex;
  readonly valueWei?: bigint;
  readonly gas?: bigint;
  readonly maxFeePerGasWei?: bigint;
  readonly maxPriorityFeePerGasWei?: bigint;
};

/** As `eth_call` takes it: storage slot overrides and code by address. */
export type StateOverride = Readonly<
  Record<Address, { readonly balance?: Hex; readonly code?: Hex; readonly stateDiff?: Readonly<Record<Hex, Hex>> }>
>;

export type SimulateOptions = CallOptions & { readonly overrides?: StateOverride };

export type Simulation =
  | { readonly ok: true; readonly data: Hex }
  /** Reverted, or refused by the node (then `data` is empty and `message` has its words). */
  | { readonly ok: false; readonly data: Hex; readonly message: string };

/** Executes without effect. Rejects only when no endpoint could tell. */
export async function simulate(rpc: Rpc, transaction: Transaction, at: At = 'latest', options: SimulateOptions = {}): Promise<Simulation> {
  const params = [toParam(transaction), toBlockParam(at), ...(options.overrides === undefined ? [] : [options.overrides])];
  try {
    const data = await rpc.ask({ method: 'eth_call', params }, (result) => parseBytes(result, 'eth_call'), options);
    return { ok: true, data };
  } catch (error) {
    if (!(error instanceof RpcError) || (error.kind !== 'reverted' && error.kind !== 'rejected')) throw error;
    return { ok: false, data: error.data ?? '0x', message: error.message };
  }
}

/** Gas units the node expects the transaction to need. Rejects with kind `reverted` when it would revert. */
export function estimateGas(rpc: Rpc, transaction: Transaction, at: At = 'latest', options?: CallOptions): Promise<bigint> {
  const call = { method: 'eth_estimateGas', params: [toParam(transaction), toBlockParam(at)] };
  return rpc.ask(call, (result) => parseBigQuantity(result, call.method), options);
}

function toParam(transaction: Transaction): object {
  const { from, to, data, valueWei, gas, maxFeePerGasWei, maxPriorityFeePerGasWei } = transaction;
  return {
    from,
    ...(to === null ? {} : { to }),
    data,
    ...(valueWei === undefined ? {} : { value: toQuantity(valueWei) }),
    ...(gas === undefined ? {} : { gas: toQuantity(gas) }),
    ...(maxFeePerGasWei === undefined ? {} : { maxFeePerGas: toQuantity(maxFeePerGasWei) }),
    ...(maxPriorityFeePerGasWei === undefined ? {} : { maxPriorityFeePerGas: toQuantity(maxPriorityFeePerGasWei) }),
  };
}

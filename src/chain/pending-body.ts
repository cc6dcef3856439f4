import { serializeTransaction, type TransactionSerializable } from 'viem';
import { Eip1559Bytes } from '../lib/eip1559.ts';
import { keccak256 } from '../lib/keccak.ts';
import type { Address, Hex } from '../lib/types.ts';
import { parseAddress, parseBigQuantity, parseBytes, parseHash, parseQuantity, parseWord, record, ShapeError } from './parse.ts';

/** A transaction of the public mempool, with the bytes that its sender signed. */
export type PendingTransaction = {
  readonly txHash: Hex;
  readonly raw: Hex;
  /** As the endpoint says; only recovering it from the signature would prove it. */
  readonly from: Address;
  readonly nonce: number;
  /** Null: it creates a contract. */
  readonly to: Address | null;
  readonly data: Hex;
  readonly gas: bigint;
  readonly maxFeePerGasWei: bigint;
  readonly maxPriorityFeePerGasWei: bigint;
};

type Fields = Readonly<Record<string, unknown>>;
type Unsigned1559 = Pick<PendingTransaction, 'nonce' | 'to' | 'data' | 'gas'> & {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly value: bigint;
};

/**
 * Reads a full body as nodes announce it. Throws `ShapeError` when it is none, when it is of a type that cannot be put together again (blobs),
 * and when its bytes have another hash than it claims: nothing of it is to be believed then.
 */
export function parsePendingTransaction(value: unknown): PendingTransaction {
  const body = record(value, 'pending transaction');
  const txHash = parseHash(body['hash'], 'transaction hash');
  const fees = feesOf(body);
  const common = {
    nonce: parseQuantity(body['nonce'], 'transaction nonce'),
    to: body['to'] == null ? null : parseAddress(body['to'], 'transaction to'),
    data: parseBytes(body['input'] ?? body['data'], 'transaction input'),
    gas: parseBigQuantity(body['gas'], 'transaction gas'),
  };
  const raw = signedBytes(body, { ...common, ...fees.fields, value: parseBigQuantity(body['value'], 'transaction value') });
  if (keccak256(raw) !== txHash) throw new ShapeError('transaction', 'its bytes have another hash');
  const { maxFeePerGasWei, maxPriorityFeePerGasWei } = fees;
  return { txHash, raw, from: parseAddress(body['from'], 'transaction from'), ...common, maxFeePerGasWei, maxPriorityFeePerGasWei };
}

function feesOf(body: Fields) {
  const type = body['type'] == null ? 0 : parseQuantity(body['type'], 'transaction type');
  if (type === 0 || type === 1) {
    const gasPrice = parseBigQuantity(body['gasPrice'], 'transaction gasPrice');
    const fields = { type: type === 0 ? ('legacy' as const) : ('eip2930' as const), gasPrice };
    return { fields, maxFeePerGasWei: gasPrice, maxPriorityFeePerGasWei: gasPrice };
  }
  const maxFeePerGas = parseBigQuantity(body['maxFeePerGas'], 'transaction maxFeePerGas');
  const maxPriorityFeePerGas = parseBigQuantity(body['maxPriorityFeePerGas'], 'transaction maxPriorityFeePerGas');
  if (type !== 2) throw new ShapeError('transaction type', `${type} cannot be put together again`);
  const fields = { type: 'eip1559' as const, maxFeePerGas, maxPriorityFeePerGas };
  return { fields, maxFeePerGasWei: maxFeePerGas, maxPriorityFeePerGasWei: maxPriorityFeePerGas };
}

function signedBytes(body: Fields, unsigned: object): Hex {
  const kind = (unsigned as { type: string }).type;
  const legacy = kind === 'legacy';
  const v = parseBigQuantity(body['v'] ?? body['yParity'], 'transaction v');
  const chainId = body['chainId'] == null ? undefined : parseQuantity(body['chainId'], 'transaction chainId');
  // NOTE: a legacy transaction signed for any chain has v 27 or 28, and its bytes hold no chain id whatever the body says.
  const bound = chainId === undefined || (legacy && v < 35n) ? {} : { chainId };
  const list = legacy ? {} : { accessList: accessListOf(body['accessList']) };
  if (kind === 'eip1559' && chainId !== undefined) {
    const { maxFeePerGas, maxPriorityFeePerGas, gas, value, ...rest } = unsigned as Unsigned1559;
    const fees = { maxFeeWei: maxFeePerGas, priorityFeeWei: maxPriorityFeePerGas };
    const bytes = new Eip1559Bytes({
      ...rest,
      ...fees,
      chainId,
      gasLimit: gas,
      valueWei: value,
      accessList: accessListOf(body['accessList']),
    });
    return bytes.signed({
      r: parseWord(body['r'], 'transaction r'),
      s: parseWord(body['s'], 'transaction s'),
      yParity: v % 2n === 0n ? 0 : 1,
    });
  }
  const signature = {
    r: parseWord(body['r'], 'transaction r'),
    s: parseWord(body['s'], 'transaction s'),
    v: legacy ? v : v % 2n === 0n ? 27n : 28n,
  };
  try {
    return serializeTransaction({ ...unsigned, ...bound, ...list } as TransactionSerializable, signature);
  } catch (error) {
    throw new ShapeError('transaction', error instanceof Error ? error.message.split('\n', 1)[0]! : 'unreadable');
  }
}

function accessListOf(value: unknown): readonly { readonly address: Address; readonly storageKeys: readonly Hex[] }[] {
  if (value == null) return [];
  if (!Array.isArray(value)) throw new ShapeError('transaction accessList', 'not a list');
  return value.map((entry) => {
    const { address, storageKeys } = record(entry, 'access list entry');
    if (!Array.isArray(storageKeys)) throw new ShapeError('access list entry', 'not a list of keys');
    return { address: parseAddress(address, 'access list address'), storageKeys: storageKeys.map((key) => parseHash(key, 'storage key')) };
  });
}

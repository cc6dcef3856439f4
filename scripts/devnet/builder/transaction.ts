/** A signed transaction as the builder handles it. */
import {
  type Address,
  type Hex,
  numberToHex,
  parseTransaction,
  type Signature,
  serializeTransaction,
  type TransactionSerializable,
} from 'viem';
import { keccak256 } from './keccak.ts';

/** EIP-7825. NOTE: anvil does not enforce it by default; every builder on Ethereum does. */
const MAX_TRANSACTION_GAS = 16_777_216n;

export type Transaction = {
  hash: Hex;
  raw: Hex;
  from: Address;
  nonce: number;
  to: Address;
  gas: bigint;
  valueWei: bigint;
  maxFeeWei: bigint;
  maxTipWei: bigint;
  /** The same as an object of eth_simulateV1. */
  call: Record<string, unknown>;
};

/** What a signer is recovered from. */
export type Signed = { digest: Hex; yParity: 0 | 1; r: Hex; s: Hex };
export type Decoded = { transaction: Omit<Transaction, 'from'>; signed: Signed };

/**
 * Decodes without the sender (`signed` is what it is recovered from). Throws an Error with one clear line when the bytes are no signed
 * transaction, are for another chain, or are of a kind that this builder cannot simulate (blobs, contract creation).
 */
export function decodeTransaction(raw: Hex, chainId: number): Decoded {
  const parsed = parse(raw);
  if (parsed.chainId !== undefined && parsed.chainId !== chainId)
    throw new Error(`transaction is for chain ${parsed.chainId}, not ${chainId}`);
  if (parsed.type === 'eip4844') throw new Error('blob transactions are not supported');
  if (!parsed.to) throw new Error('contract creation in a bundle is not supported by this builder');
  const { r, s, v, yParity, ...unsigned } = parsed;
  if (r === undefined || s === undefined) throw new Error('transaction is not signed');
  const parity = yParity ?? Number(v! >= 35n ? (v! - 35n) % 2n : v! - 27n);
  const gas = parsed.gas ?? 0n;
  if (gas > MAX_TRANSACTION_GAS) throw new Error(`gas limit ${gas} is above EIP-7825's ${MAX_TRANSACTION_GAS}`);
  const maxFeeWei = parsed.maxFeePerGas ?? parsed.gasPrice ?? 0n;
  const maxTipWei = parsed.maxPriorityFeePerGas ?? (parsed.type === 'eip1559' || parsed.type === 'eip7702' ? 0n : maxFeeWei);
  if (maxTipWei > maxFeeWei) throw new Error('maxPriorityFeePerGas is above maxFeePerGas');
  const to = parsed.to.toLowerCase() as Address;
  const nonce = parsed.nonce ?? 0;
  const valueWei = parsed.value ?? 0n;
  const fees =
    parsed.type === 'eip1559' || parsed.type === 'eip7702'
      ? { maxFeePerGas: numberToHex(maxFeeWei), maxPriorityFeePerGas: numberToHex(maxTipWei) }
      : { gasPrice: numberToHex(maxFeeWei) };
  const call: Record<string, unknown> = {
    to,
    nonce: numberToHex(nonce),
    gas: numberToHex(gas),
    value: numberToHex(valueWei),
    input: parsed.data ?? '0x',
    ...fees,
  };
  if (parsed.accessList?.length) call['accessList'] = parsed.accessList;
  if (parsed.authorizationList?.length) call['authorizationList'] = parsed.authorizationList.map(toRpcAuthorization);
  return {
    transaction: { hash: keccak256(raw), raw, nonce, to, gas, valueWei, maxFeeWei, maxTipWei, call },
    signed: {
      digest: keccak256(serializeTransaction(unsigned as unknown as TransactionSerializable)),
      yParity: parity === 0 ? 0 : 1,
      r,
      s,
    },
  };
}

type Fields = {
  type?: string;
  chainId?: number;
  nonce?: number;
  to?: string | null;
  gas?: bigint;
  value?: bigint;
  data?: Hex;
  gasPrice?: bigint;
  maxFeePerGas?: bigint;
  maxPriorityFeePerGas?: bigint;
  accessList?: readonly unknown[];
  authorizationList?: readonly Authorization[];
} & Partial<Omit<Signature, 'yParity'>> & { v?: bigint; yParity?: number };

type Authorization = { address: Address; chainId: number; nonce: number; r: Hex; s: Hex; yParity?: number };

function parse(raw: Hex): Fields {
  try {
    return parseTransaction(raw) as unknown as Fields;
  } catch (error) {
    throw new Error(`not a signed transaction: ${error instanceof Error ? error.message.split('\n')[0] : 'unreadable'}`);
  }
}

function toRpcAuthorization({ address, chainId, nonce, r, s, yParity }: Authorization) {
  return { address, chainId: numberToHex(chainId), nonce: numberToHex(nonce), r, s, yParity: numberToHex(yParity ?? 0) };
}

/** What a unit of gas brings the coinbase at this base fee; negative when the transaction cannot be included. */
export function tipPerGasWei({ maxFeeWei, maxTipWei }: { maxFeeWei: bigint; maxTipWei: bigint }, baseFeeWei: bigint): bigint {
  const room = maxFeeWei - baseFeeWei;
  return room < maxTipWei ? room : maxTipWei;
}

import type { Address, Head, Hex, RawLog } from '../lib/types.ts';
import { isBloom } from './bloom.ts';

/** An endpoint's result has another shape than its method promises. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  constructor(what: string, problem: string) {
    super(`${what}: ${problem}`);
  }
}

const QUANTITY = /^0x[0-9a-fA-F]{1,64}$/;
const BYTES = /^0x(?:[0-9a-fA-F]{2})*$/;
const HASH = /^0x[0-9a-fA-F]{64}$/;
const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

export function parseQuantity(value: unknown, what: string): number {
  const number = typeof value === 'string' && QUANTITY.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new ShapeError(what, 'not a quantity');
  return number;
}

export function parseBigQuantity(value: unknown, what: string): bigint {
  if (typeof value !== 'string' || !QUANTITY.test(value)) throw new ShapeError(what, 'not a quantity');
  return BigInt(value);
}

export function parseBytes(value: unknown, what: string): Hex {
  if (typeof value !== 'string' || !BYTES.test(value)) throw new ShapeError(what, 'not bytes');
  return value.toLowerCase() as Hex;
}

export function parseHash(value: unknown, what: string): Hex {
  if (typeof value !== 'string' || !HASH.test(value)) throw new ShapeError(what, 'not a hash');
  return value.toLowerCase() as Hex;
}

export function parseAddress(value: unknown, what: string): Address {
  if (typeof value !== 'string' || !ADDRESS.test(value)) throw new ShapeError(what, 'not an address');
  return value.toLowerCase() as Address;
}

export function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new ShapeError(what, 'not an object');
  return value as Record<string, unknown>;
}

/** A block or header as `eth_getBlockBy…` and `newHeads` give it. Chains before EIP-1559 have no base fee: 0. */
export function parseHead(value: unknown): Head {
  const block = record(value, 'block');
  const { logsBloom, receiptsRoot } = block;
  const head = {
    number: parseQuantity(block['number'], 'block number'),
    hash: parseHash(block['hash'], 'block hash'),
    parentHash: parseHash(block['parentHash'], 'block parentHash'),
    timestamp: parseQuantity(block['timestamp'], 'block timestamp'),
    baseFeeWei: block['baseFeePerGas'] == null ? 0n : parseBigQuantity(block['baseFeePerGas'], 'block baseFeePerGas'),
    gasLimit: parseBigQuantity(block['gasLimit'], 'block gasLimit'),
    gasUsed: parseBigQuantity(block['gasUsed'], 'block gasUsed'),
    ...(typeof logsBloom === 'string' && isBloom(logsBloom.toLowerCase()) && { logsBloom: logsBloom.toLowerCase() as Hex }),
    ...(typeof receiptsRoot === 'string' && HASH.test(receiptsRoot) && { receiptsRoot: receiptsRoot.toLowerCase() as Hex }),
  };
  if (head.gasUsed > head.gasLimit) throw new ShapeError('block gasUsed', 'more than the gas limit');
  return head;
}

export function parseLog(value: unknown): RawLog {
  const log = record(value, 'log');
  const topics = log['topics'];
  if (!Array.isArray(topics) || topics.length > 4) throw new ShapeError('log topics', 'not up to four topics');
  return {
    address: parseAddress(log['address'], 'log address'),
    topics: topics.map((topic) => parseHash(topic, 'log topic')),
    data: parseBytes(log['data'], 'log data'),
    blockNumber: parseQuantity(log['blockNumber'], 'log blockNumber'),
    blockHash: parseHash(log['blockHash'], 'log blockHash'),
    logIndex: parseQuantity(log['logIndex'], 'log logIndex'),
    transactionHash: parseHash(log['transactionHash'], 'log transactionHash'),
  };
}

/** Logs in the order of the chain, each once. */
export function parseLogs(value: unknown): RawLog[] {
  if (!Array.isArray(value)) throw new ShapeError('eth_getLogs', 'not a list');
  const logs = value.map(parseLog);
  logs.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
  for (const [i, { blockNumber, logIndex }] of logs.entries())
    if (logIndex === logs[i - 1]?.logIndex && blockNumber === logs[i - 1]?.blockNumber)
      throw new ShapeError('eth_getLogs', 'the same log twice');
  return logs;
}

export const toQuantity = (value: number | bigint): Hex => `0x${value.toString(16)}`;

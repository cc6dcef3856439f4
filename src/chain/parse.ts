import type { Address, Head, Hex, RawLog } from '../lib/types.ts';
import { isBloom } from './bloom.ts';

/** An endpoint's result has another shape than its method promises. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  constructor(what: string, problem: string) {
    super(`${what}: ${problem}`);
  }
}

/** `0x` and the digits of 256 bits. */
const LONGEST_QUANTITY = 66;
const HASH_LENGTH = 66;
const ADDRESS_LENGTH = 42;

const DIGIT = 1;
const CAPITAL = 2;
const NO_DIGIT = 4;
/** By character code. */
const HEX_DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (const digit of '0123456789abcdef') HEX_DIGITS[digit.charCodeAt(0)] = DIGIT;
for (const digit of 'ABCDEF') HEX_DIGITS[digit.charCodeAt(0)] = CAPITAL;

/** In lowercase; undefined for anything but 0x and hexadecimal digits. NOTE: a history is made of these; expressions take five times as long. */
function hexOf(value: unknown, length?: number): Hex | undefined {
  if (typeof value !== 'string' || (length !== undefined && value.length !== length) || !value.startsWith('0x')) return undefined;
  let seen = 0;
  for (let at = 2; at < value.length; at++) seen |= HEX_DIGITS[value.charCodeAt(at)] ?? NO_DIGIT;
  if (seen >= NO_DIGIT) return undefined;
  return (seen >= CAPITAL ? value.toLowerCase() : value) as Hex;
}

export function parseQuantity(value: unknown, what: string): number {
  const digits = quantityOf(value);
  const number = digits === undefined ? Number.NaN : Number(digits);
  if (!Number.isSafeInteger(number)) throw new ShapeError(what, 'not a quantity');
  return number;
}

export function parseBigQuantity(value: unknown, what: string): bigint {
  const digits = quantityOf(value);
  if (digits === undefined) throw new ShapeError(what, 'not a quantity');
  return BigInt(digits);
}

/** A quantity as a whole word. */
export function parseWord(value: unknown, what: string): Hex {
  const digits = quantityOf(value);
  if (digits === undefined) throw new ShapeError(what, 'not a quantity');
  return `0x${digits.slice(2).padStart(64, '0')}`;
}

function quantityOf(value: unknown): Hex | undefined {
  const digits = hexOf(value);
  return digits === undefined || digits.length === 2 || digits.length > LONGEST_QUANTITY ? undefined : digits;
}

export function parseBytes(value: unknown, what: string): Hex {
  const bytes = hexOf(value);
  if (bytes === undefined || bytes.length % 2 !== 0) throw new ShapeError(what, 'not bytes');
  return bytes;
}

export function parseHash(value: unknown, what: string): Hex {
  const hash = hexOf(value, HASH_LENGTH);
  if (hash === undefined) throw new ShapeError(what, 'not a hash');
  return hash;
}

export function parseAddress(value: unknown, what: string): Address {
  const address = hexOf(value, ADDRESS_LENGTH);
  if (address === undefined) throw new ShapeError(what, 'not an address');
  return address;
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
    ...(hexOf(receiptsRoot, HASH_LENGTH) !== undefined && { receiptsRoot: parseHash(receiptsRoot, 'block receiptsRoot') }),
  };
  if (head.gasUsed > head.gasLimit) throw new ShapeError('block gasUsed', 'more than the gas limit');
  return head;
}

export function parseLog(value: unknown): RawLog {
  return logAfter(value, undefined);
}

/** Logs in the order of the chain, each once. */
export function parseLogs(value: unknown): RawLog[] {
  if (!Array.isArray(value)) throw new ShapeError('eth_getLogs', 'not a list');
  const logs = new Array<RawLog>(value.length);
  let ordered = true;
  let before: RawLog | undefined;
  for (let at = 0; at < logs.length; at++) {
    const log = logAfter(value[at], before);
    ordered &&= before === undefined || inOrder(before, log) < 0;
    logs[at] = log;
    before = log;
  }
  if (ordered) return logs;
  logs.sort(inOrder);
  for (let at = 1; at < logs.length; at++)
    if (inOrder(logs[at - 1]!, logs[at]!) === 0) throw new ShapeError('eth_getLogs', 'the same log twice');
  return logs;
}

function inOrder(a: RawLog, b: RawLog): number {
  return a.blockNumber - b.blockNumber || a.logIndex - b.logIndex;
}

/** What says the same as in the log before is taken from there: neither looked through nor kept twice. */
function logAfter(value: unknown, before: RawLog | undefined): RawLog {
  const { topics, address, data, blockNumber, blockHash, logIndex, transactionHash } = record(value, 'log');
  if (!Array.isArray(topics) || topics.length > 4) throw new ShapeError('log topics', 'not up to four topics');
  return {
    address: known(address, before?.address) ?? parseAddress(address, 'log address'),
    topics: topics.map((topic, place) => known(topic, before?.topics[place]) ?? parseHash(topic, 'log topic')),
    data: parseBytes(data, 'log data'),
    blockNumber: parseQuantity(blockNumber, 'log blockNumber'),
    blockHash: known(blockHash, before?.blockHash) ?? parseHash(blockHash, 'log blockHash'),
    logIndex: parseQuantity(logIndex, 'log logIndex'),
    transactionHash: known(transactionHash, before?.transactionHash) ?? parseHash(transactionHash, 'log transactionHash'),
  };
}

function known(value: unknown, before: Hex | undefined): Hex | undefined {
  return value === before ? before : undefined;
}

export const toQuantity = (value: number | bigint): Hex => `0x${value.toString(16)}`;

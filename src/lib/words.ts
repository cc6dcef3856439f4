/** The 32-byte words of calls, answers and logs, for what is read by the thousand; answers are untrusted, so a short one reads as undefined. */
import { toEventSelector, toFunctionSelector } from 'viem';
import type { Address, Hex, RawLog, ViewAnswer, ViewCall } from './types.ts';

const WORD_DIGITS = 64;
const ADDRESS_DIGITS = 40;
/** Before an amount or an index of at most 96 bits. */
const ZEROS = '0'.repeat(40);
/** Behind those, before one that a double holds. */
const MORE_ZEROS = '0'.repeat(11);

/** A call without arguments other than words. `signature` in human-readable ABI: `function balanceOf(address)`. */
export function viewCall(signature: string): (to: Address, ...words: readonly (bigint | number | Address)[]) => ViewCall {
  const selector = toFunctionSelector(signature);
  return (to, ...words) => ({ to, data: (selector + words.map(wordOf).join('')) as Hex });
}

/** The first topic of an event: `event Transfer(address indexed from, address indexed to, uint256 value)`. */
export function topicOf(signature: string): Hex {
  return toEventSelector(signature);
}

function wordOf(value: bigint | number | Address): string {
  const digits = typeof value === 'string' ? value.slice(2).toLowerCase() : value.toString(16);
  return digits.padStart(WORD_DIGITS, '0');
}

/** Word number `index` of an answer as an unsigned integer; undefined when the call failed or answered less. */
export function uintOf(answer: ViewAnswer | undefined, index = 0): bigint | undefined {
  return answer?.ok ? wordIn(answer.data, index) : undefined;
}

export function intOf(answer: ViewAnswer | undefined, index = 0): bigint | undefined {
  const word = uintOf(answer, index);
  return word === undefined ? undefined : BigInt.asIntN(256, word);
}

/** Undefined also when the word holds more than an address. */
export function addressOf(answer: ViewAnswer | undefined, index = 0): Address | undefined {
  const word = uintOf(answer, index);
  return word === undefined || word >> 160n !== 0n ? undefined : toAddress(word);
}

/** A list of addresses, at most so many; undefined for anything else. */
export function addressesOf(answer: ViewAnswer | undefined, most: number): readonly Address[] | undefined {
  const count = uintOf(answer, 1);
  if (uintOf(answer, 0) !== 32n || count === undefined || count > BigInt(most)) return undefined;
  const addresses = Array.from({ length: Number(count) }, (_, place) => addressOf(answer, 2 + place));
  return addresses.every((address) => address !== undefined) ? (addresses as readonly Address[]) : undefined;
}

/**
 * A `string`, or the `bytes32` that some old tokens answer instead. A token may call itself anything: control characters and marks that turn
 * the writing direction are left out, and what is longer than 32 characters is cut.
 */
export function textOf(answer: ViewAnswer | undefined): string | undefined {
  if (!answer?.ok) return undefined;
  const bytes = Buffer.from(answer.data.slice(2), 'hex');
  const length = uintOf(answer, 1);
  const isString = uintOf(answer, 0) === 32n && length !== undefined && length <= BigInt(bytes.length - 64);
  const text = isString ? bytes.subarray(64, 64 + Number(length)) : bytes.subarray(0, 32);
  return text
    .toString('utf8')
    .replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '')
    .slice(0, 32);
}

/** Word number `index` of a log's data. Throws a RangeError when the log is shorter: no log of that signature is. */
export function dataWord(log: RawLog, index: number): bigint {
  const word = wordIn(log.data, index);
  if (word === undefined) throw new RangeError(`log ${log.logIndex} of ${log.address} in block ${log.blockNumber} is too short`);
  return word;
}

/** What a log says that anybody's contract may have written; undefined where it is shorter than its signature says. */
export function ifWhole<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

export function topicAddress(log: RawLog, index: number): Address {
  return `0x${addressTopic(log, index).slice(-ADDRESS_DIGITS).toLowerCase()}`;
}

/** Most words hold small numbers, and `BigInt` takes the longer the more digits it is given, zeros included. */
function wordIn(data: Hex, index: number): bigint | undefined {
  const from = 2 + index * WORD_DIGITS;
  const end = from + WORD_DIGITS;
  if (data.length < end) return undefined;
  if (!data.startsWith(ZEROS, from)) return BigInt(`0x${data.slice(from, end)}`);
  const digits = data.slice(from + ZEROS.length, end);
  if (!digits.startsWith(MORE_ZEROS)) return BigInt(`0x${digits}`);
  const small = Number(`0x${digits}`);
  return Number.isNaN(small) ? BigInt(`0x${digits}`) : BigInt(small);
}

/** The topic that names an address, checked to be there: for those who read it where it stands. */
export function addressTopic(log: RawLog, index: number): Hex {
  const topic = log.topics[index];
  if (topic === undefined) throw new RangeError(`log ${log.logIndex} of ${log.address} in block ${log.blockNumber} lacks topic ${index}`);
  return topic;
}

export function toAddress(word: bigint): Address {
  return `0x${word.toString(16).padStart(ADDRESS_DIGITS, '0')}`;
}

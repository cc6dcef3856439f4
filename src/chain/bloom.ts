/** What a header's bloom filter of 2,048 bits says about the logs of its block: which cannot be there, and which may. */
import { hexToBytes, keccak256 } from 'viem';
import type { Address, Hex, LogFilter, RawLog } from '../lib/types.ts';

const BLOOM = /^0x[0-9a-f]{512}$/;
const REMEMBERED = 20_000;
/** Filters ask for the same addresses and topics block after block. */
const places = new Map<Hex, readonly number[]>();

export function isBloom(value: string): value is Hex {
  return BLOOM.test(value);
}

/** False: no log of the block has this address or topic. */
export function admits(bloom: Hex, item: Hex): boolean {
  return placesOf(item).every((bit) => ((nibble(bloom, bit >> 2) >> (bit & 3)) & 1) === 1);
}

/** The share of bits that are set: above a half, what the filter admits says little. */
export function fullness(bloom: Hex): number {
  let bits = 0;
  for (let at = 2; at < bloom.length; at++) bits += BITS[Number.parseInt(bloom[at]!, 16)]!;
  return bits / 2_048;
}

/** A log that the block cannot hold; undefined when there is none. */
export function excluded(bloom: Hex, logs: readonly RawLog[]): RawLog | undefined {
  return logs.find(({ address, topics }) => !admits(bloom, address) || !topics.every((topic) => admits(bloom, topic)));
}

/** Does the filter admit a log that is wanted and was not answered? False proves an empty answer whole; true proves nothing. */
export function mayHoldMore(bloom: Hex, { addresses, topics0 }: LogFilter, logs: readonly RawLog[]): boolean {
  const topics = topics0.filter((topic) => admits(bloom, topic));
  if (topics.length === 0) return false;
  const answered = new Set(logs.map(({ address, topics: [topic] }) => `${address}${topic}`));
  if (addresses === undefined) return true;
  return addresses.some((address) => admits(bloom, address) && topics.some((topic) => !answered.has(`${address}${topic}`)));
}

/** Is there an address in the filter that was answered nothing of? */
export function silentAddress(bloom: Hex, { addresses = [] }: LogFilter, logs: readonly RawLog[]): Address | undefined {
  const heard = new Set(logs.map(({ address }) => address));
  return addresses.find((address) => !heard.has(address) && admits(bloom, address));
}

/** Three bits of the item's hash (yellow paper, M3:2048), counted from the filter's lowest. */
function placesOf(item: Hex): readonly number[] {
  const known = places.get(item);
  if (known !== undefined) return known;
  const hash = hexToBytes(keccak256(item));
  const made = [0, 2, 4].map((at) => ((hash[at]! << 8) | hash[at + 1]!) & 2_047);
  if (places.size >= REMEMBERED) places.clear();
  places.set(item, made);
  return made;
}

/** Of the hex digits, counted from the lowest. */
function nibble(bloom: Hex, place: number): number {
  return Number.parseInt(bloom[bloom.length - 1 - place]!, 16);
}

const BITS = Array.from({ length: 16 }, (_, value) => [1, 2, 4, 8].filter((bit) => (value & bit) !== 0).length);

import { type Hex as Bytes, keccak256, toRlp } from 'viem';
import type { Hex } from '../lib/types.ts';

/** A header's fields in the order in which they are hashed (go-ethereum `core/types.Header`); those of later forks come last. */
const FIELDS = [
  ...['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot', 'logsBloom', 'difficulty', 'number'],
  ...['gasLimit', 'gasUsed', 'timestamp', 'extraData', 'mixHash', 'nonce'],
];
const LATER_FIELDS = ['baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas', 'parentBeaconBlockRoot', 'requestsHash'];
const NUMBERS = new Set(['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas']);
/** Told beside the header, and no part of what is hashed. */
const BESIDE = new Set(['hash', 'size', 'totalDifficulty', 'uncles', 'transactions', 'withdrawals']);
const HEX = /^0x[0-9a-fA-F]*$/;

/**
 * The hash that a header's fields make: what binds its parent, time, bloom and roots to the hash that endpoints agree about. Null where there is no telling:
 * a field is missing, or there is one of a fork or chain that hashes more than we know of.
 */
export function headerHash(block: Readonly<Record<string, unknown>>): Hex | null {
  const present = LATER_FIELDS.filter((field) => block[field] != null);
  // NOTE: forks only ever add; a gap means that this endpoint leaves out what it hashed.
  if (present.some((field, i) => field !== LATER_FIELDS[i])) return null;
  const hashed = [...FIELDS, ...present];
  for (const [name, value] of Object.entries(block)) if (value != null && !hashed.includes(name) && !BESIDE.has(name)) return null;
  const items: Bytes[] = [];
  for (const field of hashed) {
    const value = block[field];
    if (typeof value !== 'string' || !HEX.test(value)) return null;
    items.push(NUMBERS.has(field) ? minimal(value) : (value as Bytes));
  }
  return items.every((item) => item.length % 2 === 0) ? keccak256(toRlp(items)) : null;
}

/** Do a header's fields make its hash? `fields`: how many of later forks it has. Null where there is no telling. */
export function sealOf(header: unknown): { readonly fits: boolean; readonly fields: number } | null {
  if (typeof header !== 'object' || header === null || !('hash' in header) || typeof header.hash !== 'string') return null;
  const block = header as Readonly<Record<string, unknown>>;
  const made = headerHash(block);
  if (made === null) return null;
  return { fits: made === header.hash.toLowerCase(), fields: LATER_FIELDS.filter((field) => block[field] != null).length };
}

/** Without leading zeros, zero being nothing: RLP's way of writing numbers. */
function minimal(quantity: string): Bytes {
  const digits = quantity.slice(2).replace(/^0+/, '');
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`;
}

import { concatBytes, hexToBytes, keccak256, numberToHex, toRlp } from 'viem';
import type { Hex } from '../lib/types.ts';

/** A node as its parent holds it: its RLP where that is short, else its hash. */
type Reference = { readonly rlp: Uint8Array };
type Leaf = { readonly path: readonly number[]; readonly value: Uint8Array };

const EMPTY_ROOT_SOURCE: Hex = '0x80';

/** The root of the Merkle Patricia trie that maps each index (RLP) to its value: how blocks commit to their receipts. */
export function orderedTrieRoot(values: readonly Uint8Array[]): Hex {
  if (values.length === 0) return keccak256(EMPTY_ROOT_SOURCE);
  const leaves = values.map((value, index) => ({ path: nibblesOf(hexToBytes(toRlp(index === 0 ? '0x' : evenHex(index)))), value }));
  return keccak256(node(leaves, 0));
}

/** The RLP of the node that holds these leaves, whose paths agree up to `depth`. */
function node(leaves: readonly Leaf[], depth: number): Uint8Array {
  const [first] = leaves;
  if (leaves.length === 1) return list([string(compact(first!.path.slice(depth), true)), string(first!.value)]);
  const shared = sharedLength(leaves, depth);
  if (shared > 0) return list([string(compact(first!.path.slice(depth, depth + shared), false)), reference(leaves, depth + shared).rlp]);
  const children = Array.from({ length: 16 }, (_, digit) => {
    const below = leaves.filter(({ path }) => path[depth] === digit);
    return below.length === 0 ? string(new Uint8Array()) : reference(below, depth + 1).rlp;
  });
  // NOTE: the key of one index is never the beginning of another's, so no branch has a value.
  return list([...children, string(new Uint8Array())]);
}

function reference(leaves: readonly Leaf[], depth: number): Reference {
  const rlp = node(leaves, depth);
  return { rlp: rlp.length < 32 ? rlp : string(hexToBytes(keccak256(rlp))) };
}

function sharedLength(leaves: readonly Leaf[], depth: number): number {
  const [{ path }] = leaves as readonly [Leaf];
  let length = 0;
  while (depth + length < path.length && leaves.every((leaf) => leaf.path[depth + length] === path[depth + length])) length++;
  return length;
}

/** Hex-prefix encoding: a flag for leaf and odd length, then the digits. */
function compact(path: readonly number[], leaf: boolean): Uint8Array {
  const flag = leaf ? 2 : 0;
  const digits = path.length % 2 === 1 ? [flag + 1, ...path] : [flag, 0, ...path];
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => digits[2 * i]! * 16 + digits[2 * i + 1]!);
}

function nibblesOf(bytes: Uint8Array): number[] {
  return [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
}

function string(bytes: Uint8Array): Uint8Array {
  return toRlp(bytes, 'bytes');
}

/** A list of items that are encoded already. */
function list(items: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes([...items]);
  if (body.length < 56) return concatBytes([Uint8Array.of(0xc0 + body.length), body]);
  const length = hexToBytes(evenHex(body.length));
  return concatBytes([Uint8Array.of(0xf7 + length.length), length, body]);
}

function evenHex(value: number): Hex {
  const hex = numberToHex(value);
  return hex.length % 2 === 0 ? hex : `0x0${hex.slice(2)}`;
}

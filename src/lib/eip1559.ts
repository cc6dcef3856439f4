/** EIP-1559 transactions as bytes: what is hashed to be signed, and what is sent. In hex digits all the way: nothing is turned into bytes and back. */
import type { Signature } from './ecdsa.ts';
import type { Address, Hex } from './types.ts';

export type Eip1559 = {
  readonly chainId: number;
  readonly nonce: number;
  readonly priorityFeeWei: bigint;
  readonly maxFeeWei: bigint;
  readonly gasLimit: bigint;
  /** Null: it creates a contract. */
  readonly to: Address | null;
  readonly valueWei: bigint;
  readonly data: Hex;
  readonly accessList: readonly { readonly address: Address; readonly storageKeys: readonly Hex[] }[];
};

const TYPE = '0x02';
const STRING = 0x80;
const LIST = 0xc0;
/** Lengths above this stand in bytes of their own (RLP). */
const LONGEST_SHORT = 55;

/** Both forms, the fields being encoded once. */
export class Eip1559Bytes {
  readonly #fields: string;

  constructor({ chainId, nonce, priorityFeeWei, maxFeeWei, gasLimit, to, valueWei, data, accessList }: Eip1559) {
    const entries = accessList.map(({ address, storageKeys }) => list(string(address.slice(2)) + list(storageKeys.map(wordOf).join(''))));
    this.#fields =
      quantity(chainId) +
      quantity(nonce) +
      quantity(priorityFeeWei) +
      quantity(maxFeeWei) +
      quantity(gasLimit) +
      string(to?.slice(2) ?? '') +
      quantity(valueWei) +
      string(data.slice(2)) +
      list(entries.join(''));
  }

  get unsigned(): Hex {
    return (TYPE + list(this.#fields)) as Hex;
  }

  signed({ r, s, yParity }: Signature): Hex {
    return (TYPE + list(this.#fields + quantity(yParity) + wholeOf(r) + wholeOf(s))) as Hex;
  }
}

/** A number as RLP has it: big-endian, without zeros before it. */
function quantity(value: number | bigint): string {
  if (value < 0) throw new RangeError(`${value} is below zero`);
  if (value === 0 || value === 0n) return string('');
  const digits = value.toString(16);
  return string(digits.length % 2 === 0 ? digits : `0${digits}`);
}

/** A word as a number. */
function wholeOf(word: Hex): string {
  let from = 2;
  while (word.startsWith('00', from)) from += 2;
  return string(word.slice(from));
}

function wordOf(key: Hex): string {
  return string(key.slice(2));
}

function string(digits: string): string {
  return digits.length === 2 && digits < '80' ? digits : header(STRING, digits.length / 2) + digits;
}

function list(encoded: string): string {
  return header(LIST, encoded.length / 2) + encoded;
}

function header(kind: number, bytes: number): string {
  if (bytes <= LONGEST_SHORT) return (kind + bytes).toString(16);
  const digits = bytes.toString(16);
  const length = digits.length % 2 === 0 ? digits : `0${digits}`;
  return (kind + LONGEST_SHORT + length.length / 2).toString(16) + length;
}

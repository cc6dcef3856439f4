/** Values written one after another as bytes, and read back in the same order. What is read is untrusted: whatever does not fit throws a RangeError. */
import type { Address, Hex, LogFilter } from './types.ts';

const FIRST_ROOM = 1_024;
const ADDRESS_BYTES = 20;
const HASH_BYTES = 32;
const SHORT_BYTES = 2;
const WORD_BYTES = 4;
const LIMB_BYTES = 8;
const LIMB_BITS = 64n;
/** A bigint is a byte that tells its sign and its limbs, and then those, the lowest first. */
const MOST_LIMBS = 4;
const NEGATIVE = 0x80;

export class ByteWriter {
  #bytes = Buffer.alloc(FIRST_ROOM);
  /** NOTE: Buffer's own ways with bigints take several times as long. */
  #view = viewOf(this.#bytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written, good until more is: the writer begins anew in the same memory, which a garbage collector would take long over if there was much of it. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  /** 16 bits. */
  short(value: number): void {
    this.#room(SHORT_BYTES);
    this.#view.setUint16(this.#length, value, true);
    this.#length += SHORT_BYTES;
  }

  /** 32 bits. */
  word(value: number): void {
    this.#room(WORD_BYTES);
    this.#view.setUint32(this.#length, value, true);
    this.#length += WORD_BYTES;
  }

  /** Up to 2^53. */
  number(value: number): void {
    this.#room(LIMB_BYTES);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += LIMB_BYTES;
  }

  /** Of at most 256 bits, and a sign. */
  bigint(value: bigint): void {
    this.#room(1 + MOST_LIMBS * LIMB_BYTES);
    const at = this.#length++;
    let rest = value < 0n ? -value : value;
    let limbs = 0;
    for (; rest > 0n; limbs++) {
      if (limbs === MOST_LIMBS) throw new RangeError(`${value} has more than 256 bits`);
      this.#view.setBigUint64(this.#length, rest, true);
      this.#length += LIMB_BYTES;
      rest >>= LIMB_BITS;
    }
    this.#bytes[at] = limbs | (value < 0n ? NEGATIVE : 0);
  }

  address(address: Address): void {
    this.#hex(address, ADDRESS_BYTES);
  }

  hash(hash: Hex): void {
    this.#hex(hash, HASH_BYTES);
  }

  filters(filters: readonly LogFilter[]): void {
    this.number(filters.length);
    for (const { addresses, topics0 } of filters) {
      this.number(addresses?.length ?? -1);
      for (const address of addresses ?? []) this.address(address);
      this.number(topics0.length);
      for (const topic of topics0) this.hash(topic);
    }
  }

  #hex(text: Hex, bytes: number): void {
    this.#room(bytes);
    if (this.#bytes.write(text.slice(2), this.#length, bytes, 'hex') !== bytes) throw new RangeError(`${text} has not ${bytes} bytes`);
    this.#length += bytes;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const next = Buffer.alloc(2 * (this.#length + bytes));
    this.#bytes.copy(next, 0, 0, this.#length);
    this.#bytes = next;
    this.#view = viewOf(next);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

export class ByteReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = viewOf(bytes);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Bytes that were not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#advance(1)]!;
  }

  short(): number {
    return this.#view.getUint16(this.#advance(SHORT_BYTES), true);
  }

  /** A whole number from -1 up to 2^53. */
  number(): number {
    const value = this.#view.getFloat64(this.#advance(LIMB_BYTES), true);
    if (!Number.isSafeInteger(value) || value < -1) throw new RangeError('not a whole number');
    return value;
  }

  bigint(): bigint {
    const head = this.byte();
    const limbs = head & ~NEGATIVE;
    if (limbs > MOST_LIMBS) throw new RangeError('not a number of at most 256 bits');
    const from = this.#advance(limbs * LIMB_BYTES);
    if (limbs === 1 && head === 1) return this.#view.getBigUint64(from, true);
    let value = 0n;
    for (let limb = limbs - 1; limb >= 0; limb--) value = (value << LIMB_BITS) | this.#view.getBigUint64(from + limb * LIMB_BYTES, true);
    return (head & NEGATIVE) === 0 ? value : -value;
  }

  /** 32 bits. */
  word(): number {
    return this.#view.getUint32(this.#advance(WORD_BYTES), true);
  }

  address(): Address {
    return this.#hex(ADDRESS_BYTES);
  }

  hash(): Hex {
    return this.#hex(HASH_BYTES);
  }

  filters(): LogFilter[] {
    return this.list(() => {
      const count = this.number();
      const addresses = count === -1 ? {} : { addresses: Array.from({ length: this.#count(count) }, () => this.address()) };
      return { ...addresses, topics0: this.list(() => this.hash()) };
    });
  }

  /** A count and so many of what `read` reads. */
  list<T>(read: () => T): T[] {
    return Array.from({ length: this.#count(this.number()) }, read);
  }

  /** NOTE: a list longer than the bytes that are left would make room for what is not there. */
  #count(count: number): number {
    if (count < 0 || count > this.#bytes.length - this.#at) throw new RangeError('a list is cut off');
    return count;
  }

  #hex(bytes: number): Hex {
    const from = this.#advance(bytes);
    return `0x${this.#bytes.toString('hex', from, from + bytes)}`;
  }

  #advance(bytes: number): number {
    const from = this.#at;
    if (from + bytes > this.#bytes.length) throw new RangeError('the bytes end early');
    this.#at = from + bytes;
    return from;
  }
}

/** Addresses by number, and numbers by address, in 30 bytes each: 20 for the address, the rest to find it by. */
import { randomInt } from 'node:crypto';
import { grown } from './grown.ts';
import type { Address, Hex } from './types.ts';

/** Of 32 bits in an address. */
const WORDS = 5;
const ADDRESS_LENGTH = 42;
const WORD_LENGTH = 66;
const LEAST_PLACES = 64;
/** Places of which this part is taken are looked through quickly. */
const FULLEST = 0.6;
/** Who may choose addresses shall not know where they come to lie. */
const SEED = randomInt(2 ** 32);

const asked = new Uint32Array(WORDS);

export class AddressTable {
  #words = new Uint32Array(0);
  /** By hash: one more than the number of an address; 0 for none. */
  #places = new Int32Array(LEAST_PLACES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The words of all addresses, five each: as they can be written down. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length * WORDS);
  }

  *[Symbol.iterator](): Iterator<Address> {
    for (let index = 0; index < this.#length; index++) yield this.at(index);
  }

  at(index: number): Address {
    if (!(index >= 0 && index < this.#length)) throw new RangeError(`no address has the number ${index}`);
    let text = '0x';
    for (let word = index * WORDS; word < (index + 1) * WORDS; word++) text += this.#words[word]!.toString(16).padStart(8, '0');
    return text as Address;
  }

  indexOf(address: Address): number | undefined {
    read(address, ADDRESS_LENGTH);
    return this.#asked();
  }

  /** The same of the address at the end of a topic. */
  indexOfTopic(topic: Hex): number | undefined {
    read(topic, WORD_LENGTH);
    return this.#asked();
  }

  #asked(): number | undefined {
    const found = this.#places[this.#placeOf(hashOf(asked, 0))]!;
    return found === 0 ? undefined : found - 1;
  }

  /** Its number: a new one where it has none yet. */
  add(address: Address): number {
    read(address, ADDRESS_LENGTH);
    return this.#add();
  }

  /** As `add`, of an address whose words are read one after another. */
  addWords(next: () => number): number {
    for (let word = 0; word < WORDS; word++) asked[word] = next();
    return this.#add();
  }

  /** Makes room for so many in all. */
  reserve(length: number): void {
    if (length * WORDS > this.#words.length) this.#words = grown(this.#words, length * WORDS);
    let places = this.#places.length;
    while (length > places * FULLEST) places *= 2;
    if (places > this.#places.length) this.#rehash(places);
  }

  #add(): number {
    const place = this.#placeOf(hashOf(asked, 0));
    const found = this.#places[place]!;
    return found === 0 ? this.#append(place) : found - 1;
  }

  /** Takes the last one out. */
  pop(): void {
    const last = this.#length - 1;
    if (last < 0) throw new RangeError('there is no address to take out');
    asked.set(this.#words.subarray(last * WORDS, this.#length * WORDS));
    this.#vacate(this.#placeOf(hashOf(asked, 0)));
    this.#length = last;
  }

  #append(place: number): number {
    const index = this.#length;
    if ((index + 1) * WORDS > this.#words.length) this.#words = grown(this.#words, (index + 1) * WORDS);
    this.#words.set(asked, index * WORDS);
    this.#places[place] = index + 1;
    this.#length = index + 1;
    if (this.#length > this.#places.length * FULLEST) this.#rehash(this.#places.length * 2);
    return index;
  }

  /** Where the address in `asked` is, or would be. */
  #placeOf(hash: number): number {
    const places = this.#places;
    const words = this.#words;
    const mask = places.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const found = places[place]!;
      if (found === 0) return place;
      const word = (found - 1) * WORDS;
      if (
        words[word] === asked[0] &&
        words[word + 1] === asked[1] &&
        words[word + 2] === asked[2] &&
        words[word + 3] === asked[3] &&
        words[word + 4] === asked[4]
      )
        return place;
    }
  }

  /** NOTE: what comes behind without a gap may have to move up, or it would not be found any more. */
  #vacate(place: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let gap = place;
    for (let next = (gap + 1) & mask; places[next] !== 0; next = (next + 1) & mask) {
      const home = hashOf(this.#words, (places[next]! - 1) * WORDS) & mask;
      if (((next - home) & mask) < ((next - gap) & mask)) continue;
      places[gap] = places[next]!;
      gap = next;
    }
    places[gap] = 0;
  }

  #rehash(length: number): void {
    const places = new Int32Array(length);
    const mask = places.length - 1;
    for (let index = 0; index < this.#length; index++) {
      let place = hashOf(this.#words, index * WORDS) & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = index + 1;
    }
    this.#places = places;
  }
}

/** @param length how long the text has to be; its last 40 digits are the address */
function read(text: Hex, length: number): void {
  if (text.length !== length) throw new RangeError(`${text} holds no address`);
  const start = length - 8 * WORDS;
  for (let word = 0; word < WORDS; word++) {
    let value = 0;
    for (let place = start + word * 8; place < start + 8 + word * 8; place++) {
      const code = text.charCodeAt(place);
      // '0' to '9' end in their digit, letters of either case in one less than a ninth of theirs.
      value = (value << 4) | ((code & 15) + (code > 57 ? 9 : 0));
    }
    asked[word] = value;
  }
}

function hashOf(words: Uint32Array, from: number): number {
  let hash = SEED;
  for (let word = from; word < from + WORDS; word++) {
    hash = Math.imul(hash ^ words[word]!, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hash;
}

import { ByteReader, ByteWriter } from '../lib/bytes.ts';
import type { Address, RawLog } from '../lib/types.ts';

/**
 * What a Mirrored keeps over a restart: what it would otherwise have to gather from a long history, or read account by account. All else is read at any start:
 * nodes do not tell the state of old blocks, and what is kept twice can differ.
 *
 * Blocks may be folded in while it is being kept: a piece tells the state of any block from the snapshot's first to its last. So whoever is named by a log after
 * the first has to be read anew after `restore`; `discover` is handed those logs, by the filters that `discoveryFilters` returns then.
 */
export interface Keeping {
  /** What the pieces hold and whose they are: changes with their shape, and with the contracts that are mirrored. Pieces of another one are not restored. */
  readonly shape: string;
  /** In pieces that take less than a millisecond each to make, each good until the next is asked for. */
  keep(): Iterable<Uint8Array>;
  /** Before anything was discovered. All or nothing: throws a RangeError for what it cannot read, and has changed nothing then. */
  restore(pieces: Iterable<Uint8Array>): void;
}

const WORD_DIGITS = 64;
const ADDRESS_DIGITS = 40;
const PADDING = '0'.repeat(WORD_DIGITS - ADDRESS_DIGITS);

/** Every address that a log may name: each of its words that could be one. */
export function* namedIn({ topics, data }: RawLog): Iterable<Address> {
  for (let place = 1; place < topics.length; place++) {
    const topic = topics[place]!;
    if (topic.startsWith(PADDING, 2)) yield `0x${topic.slice(2 + PADDING.length)}`;
  }
  for (let from = 2; from + WORD_DIGITS <= data.length; from += WORD_DIGITS)
    if (data.startsWith(PADDING, from)) yield `0x${data.slice(from + PADDING.length, from + WORD_DIGITS)}`;
}

const ADDRESSES_A_PIECE = 1_000;

/** Sets of addresses, each known by its place in the list. */
export function* keepSets(sets: readonly Iterable<Address>[]): Iterable<Uint8Array> {
  for (const [place, set] of sets.entries()) {
    const writer = new ByteWriter();
    let count = 0;
    writer.byte(place);
    for (const address of set) {
      writer.address(address);
      if (++count % ADDRESSES_A_PIECE !== 0) continue;
      yield writer.take();
      writer.byte(place);
    }
    yield writer.take();
  }
}

/** Throws a RangeError where there are more than so many sets. */
export function setsIn(pieces: Iterable<Uint8Array>, count: number): Set<Address>[] {
  const sets = Array.from({ length: count }, () => new Set<Address>());
  for (const piece of pieces) {
    const reader = new ByteReader(piece);
    const set = sets[reader.byte()];
    if (set === undefined) throw new RangeError(`there are ${count} sets`);
    while (!reader.done) set.add(reader.address());
  }
  return sets;
}

const NUMBERS_A_PIECE = 2_000;

export function* keepNumbers(numbers: Iterable<bigint>): Iterable<Uint8Array> {
  const writer = new ByteWriter();
  let count = 0;
  for (const number of numbers) {
    writer.bigint(number);
    if (++count % NUMBERS_A_PIECE === 0) yield writer.take();
  }
  yield writer.take();
}

export function numbersIn(pieces: Iterable<Uint8Array>): bigint[] {
  const numbers: bigint[] = [];
  for (const piece of pieces) for (const reader = new ByteReader(piece); !reader.done; ) numbers.push(reader.bigint());
  return numbers;
}

/** Of a list that others may join meanwhile. */
export function* addressesOf(accounts: readonly { readonly address: Address }[]): Iterable<Address> {
  for (let place = 0; place < accounts.length; place++) yield accounts[place]!.address;
}

/** What several keep, as one; there are fewer than 256 of them. */
export function keptTogether(keepings: readonly Keeping[]): Keeping {
  return {
    shape: keepings.map(({ shape }) => shape).join(', '),
    *keep() {
      for (const [place, keeping] of keepings.entries()) for (const piece of keeping.keep()) yield Buffer.concat([Buffer.of(place), piece]);
    },
    restore(pieces) {
      const own = Map.groupBy(pieces, (piece) => piece[0]);
      for (const [place, keeping] of keepings.entries()) keeping.restore((own.get(place) ?? []).map((piece) => piece.subarray(1)));
    },
  };
}

/**
 * A snapshot as a file: a line that says what it is, a header in JSON, frames of bytes, a trailer in JSON, and a SHA-256 over all of it. Every number in front of
 * a part tells its length, the entry that a frame belongs to being told before that.
 */
import { createHash } from 'node:crypto';
import type { BlockRef, Hex } from '../../lib/types.ts';

const MAGIC = Buffer.from('bailiff snapshot 2\n');
const MAGIC_PREFIX = 'bailiff snapshot ';
const DIGEST_BYTES = 32;
const NUMBER_BYTES = 4;
/** In place of an entry's number: the trailer follows. */
const TRAILER = 0xffff_ffff;

/** One Mirrored's part. `to`: every log up to this block is in it. */
export type KeptEntry = { readonly id: string; readonly shape: string; readonly fromBlock: number; readonly to: number };
/** `first`: the block whose state is the oldest that a piece may tell. */
export type SnapshotHeader = { readonly chainId: number; readonly first: BlockRef; readonly entries: readonly KeptEntry[] };
/** `last`: the block whose state is the newest that a piece may tell. */
export type SnapshotTrailer = { readonly last: BlockRef };

export type Snapshot = SnapshotHeader & SnapshotTrailer & { pieces(entry: number): Iterable<Uint8Array> };

/** The file is no whole snapshot of this version; the message says why, without its name. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

/** Makes a file's parts in order; the digest goes on with each. */
export class SnapshotEncoder {
  readonly #digest = createHash('sha256');

  begin(header: SnapshotHeader): Uint8Array {
    const json = Buffer.from(JSON.stringify(header));
    return this.#add(Buffer.concat([MAGIC, numbers(json.length), json]));
  }

  frame(entry: number, bytes: Uint8Array): readonly Uint8Array[] {
    return [this.#add(numbers(entry, bytes.length)), this.#add(bytes)];
  }

  end(trailer: SnapshotTrailer): Uint8Array {
    const json = Buffer.from(JSON.stringify(trailer));
    const body = this.#add(Buffer.concat([numbers(TRAILER, json.length), json]));
    return Buffer.concat([body, this.#digest.digest()]);
  }

  #add(bytes: Uint8Array): Uint8Array {
    this.#digest.update(bytes);
    return bytes;
  }
}

/** Throws SnapshotError for anything but a whole file of this version. */
export function decodeSnapshot(file: Uint8Array): Snapshot {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const start = bytes.subarray(0, MAGIC.length);
  if (!start.equals(MAGIC)) {
    const older = start.toString('latin1').startsWith(MAGIC_PREFIX);
    throw new SnapshotError(older ? 'it is of another version' : 'it is no snapshot');
  }
  const end = bytes.length - DIGEST_BYTES;
  if (end < MAGIC.length || !createHash('sha256').update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end)))
    throw new SnapshotError('it is torn: its checksum does not fit');
  try {
    return decodeWhole(bytes.subarray(0, end));
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) throw new SnapshotError(`it cannot be read: ${error.message}`);
    throw error;
  }
}

function decodeWhole(bytes: Buffer): Snapshot {
  let at = MAGIC.length;
  const number = (): number => {
    at += NUMBER_BYTES;
    return bytes.readUInt32LE(at - NUMBER_BYTES);
  };
  const part = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('a part reaches beyond the end');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const header = readHeader(JSON.parse(part(number()).toString('utf8')));
  const frames = header.entries.map((): Uint8Array[] => []);
  for (;;) {
    const entry = number();
    const piece = part(number());
    if (entry === TRAILER) return { ...header, ...readTrailer(JSON.parse(piece.toString('utf8'))), pieces: (which) => frames[which] ?? [] };
    const own = frames[entry];
    if (own === undefined) throw new RangeError(`there is no entry ${entry}`);
    own.push(piece);
  }
}

function readHeader(json: unknown): SnapshotHeader {
  const { chainId, first, entries } = fieldsOf(json);
  if (!Array.isArray(entries)) throw new RangeError('its header has no entries');
  return {
    chainId: numberIn(chainId),
    first: readBlock(first),
    entries: entries.map((entry: unknown) => {
      const { id, shape, fromBlock, to } = fieldsOf(entry);
      if (typeof id !== 'string' || typeof shape !== 'string') throw new RangeError('an entry has no name');
      return { id, shape, fromBlock: numberIn(fromBlock), to: numberIn(to) };
    }),
  };
}

function readTrailer(json: unknown): SnapshotTrailer {
  return { last: readBlock(fieldsOf(json)['last']) };
}

function readBlock(json: unknown): BlockRef {
  const { number, hash } = fieldsOf(json);
  if (typeof hash !== 'string' || !/^0x[0-9a-f]{64}$/.test(hash)) throw new RangeError('a block has no hash');
  return { number: numberIn(number), hash: hash as Hex };
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null) throw new RangeError('it is no object');
  return json as Record<string, unknown>;
}

function numberIn(json: unknown): number {
  if (typeof json !== 'number' || !Number.isSafeInteger(json)) throw new RangeError('it has no number where one belongs');
  return json;
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(NUMBER_BYTES * values.length);
  for (const [place, value] of values.entries()) bytes.writeUInt32LE(value, NUMBER_BYTES * place);
  return bytes;
}

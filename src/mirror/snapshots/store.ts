/** The snapshots of one DATA_DIR. A file has its name only once it is whole and on the disk; a few are kept, the newest that is still of our chain is used. */
import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { explainError } from '../../lib/errors.ts';
import type { BlockRef } from '../../lib/types.ts';
import { decodeSnapshot, type Snapshot, SnapshotError } from './format.ts';
import type { Sink } from './take.ts';

const FOLDER = 'snapshots';
const ENDING = '.snapshot';
const UNFINISHED = '.tmp';
const DIGITS = 12;
/** The newest may not be final yet, the one before it torn, and the one before that has still to be there. */
const KEPT = 4;
/** Written at once: less would be slower. */
const BUFFERED_BYTES = 256 * 1024;

export type Refused = { readonly file: string; readonly reason: string };
/** Is this block of our chain, and final? Undefined: it is; else why not. */
export type IsOurs = (block: BlockRef) => Promise<string | undefined>;

export class SnapshotStore {
  readonly #folder: string;

  constructor(dataDir: string) {
    this.#folder = join(dataDir, FOLDER);
  }

  /** The newest that can be used, and those that were passed over for it, with the reason. */
  async newest(
    chainId: number,
    isOurs: IsOurs,
  ): Promise<{ readonly snapshot: Snapshot | undefined; readonly refused: readonly Refused[] }> {
    const refused: Refused[] = [];
    for (const file of await this.#files()) {
      const reason = await this.#read(file).then(
        async (snapshot) => {
          if (snapshot.chainId !== chainId) return `it is of chain ${snapshot.chainId}`;
          const foreign = await isOurs(snapshot.last);
          return foreign ?? snapshot;
        },
        (error: unknown) => (error instanceof SnapshotError ? error.message : explainError(error)),
      );
      if (typeof reason !== 'string') return { snapshot: reason, refused };
      refused.push({ file: join(this.#folder, file), reason });
    }
    return { snapshot: undefined, refused };
  }

  /** @param make hands the parts of a file over and resolves with its first block's number, or with undefined where it shall not be kept after all */
  async save(make: (sink: Sink) => Promise<number | undefined>): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const unfinished = join(this.#folder, `next${UNFINISHED}`);
    const file = await open(unfinished, 'w', 0o600);
    let number: number | undefined;
    try {
      const sink = new FileSink(file);
      number = await make(sink);
      if (number !== undefined) {
        await sink.flush();
        await file.sync();
      }
    } finally {
      await file.close();
      if (number === undefined) await rm(unfinished, { force: true });
    }
    if (number === undefined) return;
    await rename(unfinished, join(this.#folder, `${String(number).padStart(DIGITS, '0')}${ENDING}`));
    await this.#syncFolder();
    for (const old of (await this.#files()).slice(KEPT)) await rm(join(this.#folder, old), { force: true });
  }

  async #read(file: string): Promise<Snapshot> {
    return decodeSnapshot(await readFile(join(this.#folder, file)));
  }

  /** Newest first. */
  async #files(): Promise<string[]> {
    const there = await access(this.#folder, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (!there) return [];
    return (await readdir(this.#folder))
      .filter((name) => name.endsWith(ENDING))
      .sort()
      .reverse();
  }

  /** A name is not on the disk before its folder is. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** Gathers small parts in the same memory again and again, and writes them together. */
class FileSink implements Sink {
  readonly #file: FileHandle;
  #buffer = Buffer.alloc(2 * BUFFERED_BYTES);
  #length = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  add(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#buffer.length) this.#buffer = Buffer.concat([this.#buffer.subarray(0, this.#length)], 2 * length);
    this.#buffer.set(part, this.#length);
    this.#length = length;
  }

  async drain(): Promise<void> {
    if (this.#length >= BUFFERED_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    await this.#file.appendFile(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
  }
}

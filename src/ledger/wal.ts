import fs from 'node:fs';
import { IN_MEMORY, LedgerError } from './database.ts';

/**
 * Puts what is committed on the disk without holding up the main thread. SQLite itself commits with `synchronous = NORMAL`: into its write-ahead log, which it
 * syncs only before a checkpoint. docs/ledger.md says why the two together are as safe as `FULL`.
 *
 * NOTE: never open the database file itself like this: whoever closes a descriptor of it gives up SQLite's locks. The log is not locked.
 */
export class WalFile {
  readonly #file: string;
  readonly #handle: number | undefined;
  #failure: LedgerError | undefined;

  /** @param file the database, which is open, written to, and stays so until `close`: the log then stays the same file */
  constructor(file: string) {
    this.#file = file;
    this.#handle = file === IN_MEMORY ? undefined : fs.openSync(`${file}-wal`, 'r+');
  }

  /**
   * Resolves when whatever was committed before the call will outlast a loss of power. NOTE: once the disk has failed to take something it may say that all is
   * well the next time, and what it has not taken stands before all that follows: from then on every call is rejected.
   */
  async sync(): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    const error = await new Promise<Error | null>((resolve) => fs.fdatasync(handle, resolve));
    if (error !== null)
      this.#failure ??= new LedgerError(
        `the ledger ${this.#file}: the disk did not take what was written (${error.message}); look at the disk, then start the keeper anew`,
      );
    if (this.#failure !== undefined) throw this.#failure;
  }

  close(): void {
    if (this.#handle !== undefined) fs.closeSync(this.#handle);
  }
}

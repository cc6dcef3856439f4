import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { Kysely, SqliteDialect, type SqliteStatement } from 'kysely';
import { OperatorError } from '../lib/errors.ts';
import type { Schema } from './schema.ts';

export type Database = Kysely<Schema>;

/** The store failed; the message names the file and what to do. */
export class LedgerError extends OperatorError {
  override readonly name = 'LedgerError';
}

export const IN_MEMORY = ':memory:';
/** How long a commit waits for another process's commit (`bailiff pause`, a report's snapshot). Theirs take milliseconds. */
const BUSY_MS = 2_000;
/** Statements kept prepared; the program has fewer, so nothing is ever thrown out in practice. */
const MOST_STATEMENTS = 256;

export function ledgerFile(dataDir: string): string {
  return dataDir === IN_MEMORY ? IN_MEMORY : join(dataDir, 'ledger.sqlite');
}

/** Created for the operator's eyes alone: the signed transactions and the relay key lie in it. */
export function makeDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new LedgerError(`DATA_DIR ${dataDir} cannot be created (${reasonOf(error)}); name a folder that this user may write`);
  }
}

type Access = 'own' | 'command' | 'read';

/** The keeper syncs the log itself, off its main thread (`WalFile`), and folds it into the file when no bundle waits. */
const DURABILITY = {
  own: 'PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0',
  command: 'PRAGMA synchronous = FULL',
} as const;

/** Opens the file as a keeper, who creates and migrates it, or in memory. Throws as `openDatabase` does. */
export function openOwn(file: string): { readonly db: Database; readonly sqlite: DatabaseSync } {
  if (file !== IN_MEMORY) makeDataDir(dirname(file));
  const sqlite = open(file, 'own');
  return { db: built(sqlite, file, 'own'), sqlite };
}

/**
 * Opens the file beside a keeper. `command`: for a short write. `read`: never writes a row. Throws LedgerError when it is missing, damaged, locked or of no
 * use.
 */
export function openDatabase(file: string, access: Exclude<Access, 'own'>): Database {
  return built(open(file, access), file, access);
}

function built(sqlite: DatabaseSync, file: string, access: Access): Database {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: adapter(sqlite, file, access) }) });
}

function open(file: string, access: Access): DatabaseSync {
  return guarded(file, () => {
    const opened = new DatabaseSync(file, { readOnly: access === 'read', timeout: BUSY_MS });
    try {
      if (access !== 'read') opened.exec(`PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; ${DURABILITY[access]}`);
      // NOTE: a damaged page is otherwise met only when a query touches it, perhaps between an intent and its sending.
      const damage = access === 'own' ? opened.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] : 'ok';
      if (damage !== 'ok') throw new LedgerError(`the ledger ${file} is damaged (${String(damage)}); ${MEND_DAMAGE}`);
      return opened;
    } catch (error) {
      opened.close();
      throw error;
    }
  });
}

/** node:sqlite as the better-sqlite3 that Kysely's dialect expects. */
function adapter(sqlite: DatabaseSync, file: string, access: Access) {
  const statements = new Map<string, SqliteStatement>();
  // NOTE: a deferred `begin` that reads before it writes fails at once, without waiting, when another process wrote in between.
  const begin = access === 'read' ? 'begin' : 'begin immediate';
  return {
    close: () => sqlite.close(),
    prepare(sql: string): SqliteStatement {
      const ready = statements.get(sql);
      if (ready !== undefined) return ready;
      const statement = guarded(file, () => sqlite.prepare(sql === 'begin' ? begin : sql));
      const wrapped: SqliteStatement = {
        reader: statement.columns().length > 0,
        all: (parameters) => guarded(file, () => statement.all(...(parameters as SQLInputValue[]))),
        run(parameters) {
          // NOTE: on a full disk SQLite has rolled back by itself, and a second rollback would hide the error that says so.
          if (sql === 'rollback' && !sqlite.isTransaction) return { changes: 0, lastInsertRowid: 0 };
          return guarded(file, () => statement.run(...(parameters as SQLInputValue[])));
        },
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
      };
      if (statements.size >= MOST_STATEMENTS) statements.clear();
      statements.set(sql, wrapped);
      return wrapped;
    },
  };
}

const MEND_DAMAGE = 'move it away, with its -wal and -shm, and start again, or put a copy back';

/** SQLite's primary result codes that an operator can mend. */
const MENDS: Readonly<Record<number, string>> = {
  5: 'another process holds it: try again, and end a second keeper',
  6: 'another process holds it: try again, and end a second keeper',
  8: 'it cannot be written: mend its permissions',
  10: 'reading or writing it failed: look at the disk, its free space and the file size limit',
  11: MEND_DAMAGE,
  13: 'the disk is full: free some space',
  14: 'it cannot be opened: check that it exists and its permissions',
  26: MEND_DAMAGE,
};

/** Does what touches the file; throws LedgerError for what an operator can mend. */
export function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof LedgerError) throw error;
    const code = (error as { errcode?: unknown }).errcode;
    // NOTE: constraint and SQL errors are this program's own mistakes; they keep their stack.
    const mend = typeof code === 'number' ? MENDS[code & 0xff] : undefined;
    if (mend === undefined) throw error;
    throw new LedgerError(`the ledger ${file}: ${reasonOf(error)}; ${mend}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason';
}

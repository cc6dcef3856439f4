import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LedgerError, makeDataDir } from './database.ts';

/** Outlasts the moment in which `isLocked` of another process looks. */
const WAIT_MS = 1_000;
const BUSY = 5;

// NOTE: a database that nothing refers to is closed by the garbage collector, and the lock goes with it.
const held = new Set<DatabaseSync>();

export type DataDirLock = { readonly kind: 'held'; release(): void } | { readonly kind: 'refused'; readonly heldBy: string };

/**
 * Makes this process the one keeper of the folder, until `release` or its end by whatever means: the lock is SQLite's exclusive lock on a file of its
 * own, which the operating system takes back from the dead, so nothing stale can stay behind.
 */
export function lockDataDir(dataDir: string): DataDirLock {
  makeDataDir(dataDir);
  const database = openLock(dataDir, WAIT_MS);
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (isBusy(error)) return { kind: 'refused', heldBy: holderOf(dataDir) };
    throw unusable(dataDir, error);
  }
  writeFileSync(pidFile(dataDir), `${process.pid}\n`, { mode: 0o600 });
  held.add(database);
  return {
    kind: 'held',
    release() {
      if (held.delete(database)) database.close();
    },
  };
}

/** True while a process holds the folder. Looking takes no lock that could refuse a keeper that starts at this moment. */
export function isLocked(dataDir: string): boolean {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(lockFile(dataDir), { readOnly: true, timeout: 0 });
  } catch {
    return false;
  }
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw unusable(dataDir, error);
  } finally {
    database.close();
  }
}

// NOTE: never open this file by other means in a process that holds it: closing any descriptor of a file drops its POSIX locks.
function lockFile(dataDir: string): string {
  return join(dataDir, 'lock.sqlite');
}

function pidFile(dataDir: string): string {
  return join(dataDir, 'keeper.pid');
}

function openLock(dataDir: string, timeout: number): DatabaseSync {
  try {
    return new DatabaseSync(lockFile(dataDir), { timeout });
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

/** For the message alone: the pid file of a process that died may be old, the lock never is. */
function holderOf(dataDir: string): string {
  try {
    return `process ${readFileSync(pidFile(dataDir), 'utf8').trim()}`;
  } catch {
    return 'another process';
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === 'number' && (code & 0xff) === BUSY;
}

function unusable(dataDir: string, error: unknown): LedgerError {
  const reason = error instanceof Error ? error.message : 'unknown reason';
  return new LedgerError(`the lock file ${lockFile(dataDir)}: ${reason}; check that DATA_DIR can be written and is not full`, {
    cause: error,
  });
}

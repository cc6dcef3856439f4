import { randomUUID } from 'node:crypto';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { isReadableByAll } from '../../config/files.ts';
import { makeDataDir } from '../../ledger/database.ts';
import { isLocked } from '../../ledger/lock.ts';
import { explainError } from '../../lib/errors.ts';
import { bad, type Check, good } from './check.ts';

/** What this machine has to offer. */
export function checkMachine(config: Config, folder: string): readonly Check[] {
  return [checkDotenv(folder), checkDataDir(config.dataDir)];
}

function checkDotenv(folder: string): Check {
  const file = join(folder, '.env');
  return isReadableByAll(file)
    ? bad('.env', `${file} can be read by every user of this machine`, `chmod 600 ${file}`)
    : good('.env', 'private, or not used');
}

function checkDataDir(dataDir: string): Check {
  const probe = join(dataDir, `.doctor-${randomUUID()}`);
  try {
    makeDataDir(dataDir);
    writeFileSync(probe, 'written by bailiff doctor', { mode: 0o600 });
    rmSync(probe);
  } catch (error) {
    return bad('DATA_DIR', `${dataDir}: ${explainError(error)}`, 'name a folder that this user may write, with free space');
  }
  if ((statSync(dataDir).mode & 0o077) !== 0) return bad('DATA_DIR', `${dataDir} is open to other users`, `chmod 700 ${dataDir}`);
  return good('DATA_DIR', `${dataDir} can be written${isLocked(dataDir) ? '; a keeper runs on it' : ''}`);
}

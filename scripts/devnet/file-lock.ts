/** One process at a time: test files run in parallel, and twenty seconds of compiling must not happen in each of them. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 100;

/**
 * Runs `work` while holding `file`, which names the holder's process. A lock whose holder is gone is taken over. Throws when the
 * lock is not had within `timeoutMs`. NOTE: two that find a dead holder at the same instant may both get in; `work` has to bear that.
 */
export async function withFileLock<T>(file: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const deadline = performance.now() + timeoutMs;
  while (!(await take(file))) {
    if (performance.now() > deadline) throw new Error(`${file} is held by another process for over ${timeoutMs / 1000} s`);
    await delay(POLL_MS);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = Number(await readFile(file, 'utf8').catch(() => ''));
  // NOTE: an empty file is one whose holder is just writing its name.
  if (holder > 0 && !isAlive(holder)) await rm(file, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

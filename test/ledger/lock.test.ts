import { expect, test } from 'vitest';
import { isLocked, lockDataDir } from '../../src/ledger/lock.ts';
import { temporaryDir } from './fixtures.ts';
import { child } from './process.ts';

test('a second process is refused, and told who holds the folder', async () => {
  const dir = temporaryDir();
  const holder = child('holder.ts', [dir]);
  await holder.line((line) => line === 'held');
  expect(isLocked(dir)).toBe(true);
  expect(lockDataDir(dir)).toEqual({ kind: 'refused', heldBy: `process ${holder.process.pid}` });
});

test('a killed holder leaves nothing behind that has to be cleaned up', async () => {
  const dir = temporaryDir();
  const holder = child('holder.ts', [dir]);
  await holder.line((line) => line === 'held');
  await holder.kill();
  expect(isLocked(dir)).toBe(false);
  const lock = lockDataDir(dir);
  expect(lock.kind).toBe('held');
  if (lock.kind === 'held') lock.release();
  expect(isLocked(dir)).toBe(false);
});

test('the same process cannot hold it twice', () => {
  const dir = temporaryDir();
  const first = lockDataDir(dir);
  expect(lockDataDir(dir).kind).toBe('refused');
  if (first.kind === 'held') first.release();
  const again = lockDataDir(dir);
  expect(again.kind).toBe('held');
  if (again.kind === 'held') again.release();
});

test('a folder that nobody ever used is not locked', () => {
  expect(isLocked(`${temporaryDir()}/absent`)).toBe(false);
});

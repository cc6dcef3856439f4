import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { LedgerError } from '../../src/ledger/database.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import type { Ledger } from '../../src/ledger/types.ts';
import { hashOf, result, temporaryDir, transaction } from './fixtures.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

async function opened(): Promise<{ readonly dir: string; readonly ledger: Ledger }> {
  const dir = temporaryDir();
  const ledger = await openLedger(dir);
  onTestFinished(() => ledger.close());
  return { dir, ledger };
}

/** A disk that takes its time: resolves with what ends the sync that it is asked for. */
function slowDisk(): Promise<(error: NodeJS.ErrnoException | null) => void> {
  return new Promise((asked) => {
    vi.spyOn(fs, 'fdatasync').mockImplementationOnce((_, done) => asked(done));
  });
}

const failure = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);

test('a write is done when the disk has it, not when it is committed', async () => {
  const { dir, ledger } = await opened();
  const disk = slowDisk();
  let done = false;
  const intending = ledger.intend(transaction(1)).then(() => {
    done = true;
  });
  const finish = await disk;
  const reader = await readLedger(dir);
  onTestFinished(() => reader.close());
  expect((await reader.transactions({})).map(({ txHash }) => txHash)).toEqual([hashOf(1)]);
  expect(done).toBe(false);
  finish(null);
  await intending;
});

test('what the disk failed to take is rejected, and so is every later write, whatever the disk says then', async () => {
  const { dir, ledger } = await opened();
  const disk = slowDisk();
  const intending = failure(ledger.intend(transaction(1)));
  (await disk)(new Error('EIO: i/o error, fdatasync'));
  const error = await intending;
  expect(error).toBeInstanceOf(LedgerError);
  expect((error as Error).message).toMatch(/ledger\.sqlite: .*EIO.*start the keeper anew/);
  // Nothing of it left this machine; until it is known to have missed its block it counts as under way.
  expect(await ledger.open(0)).toMatchObject([{ txHash: hashOf(1), status: 'intended' }]);
  const writes: readonly (() => Promise<unknown>)[] = [
    () => ledger.intend(transaction(2)),
    () => ledger.sent(hashOf(1), {}),
    () => ledger.goPublic(hashOf(1)),
    () => ledger.settle(result(transaction(1), 'missed')),
    () => ledger.reopen(hashOf(1)),
    () => ledger.decide({ block: 1, protocol: 'p', market: 'm', account: hashOf(1), kind: 'skip', detail: '' }),
    () => ledger.setSwitch('paused', 'test'),
    () => ledger.resetFailures(),
    () => ledger.acknowledge(1, 'done'),
    () => ledger.put('key', 'value'),
    () => ledger.forgetHedge('one'),
    () => ledger.forgetUnwind('one'),
  ];
  for (const write of writes) expect(await failure(write()), String(write)).toBe(error);

  const anew = await openLedger(dir);
  onTestFinished(() => anew.close());
  await anew.intend(transaction(3));
});

test('the log is folded into the file, and used again, when no bundle waits', async () => {
  const { dir, ledger } = await opened();
  const [file, log] = [join(dir, 'ledger.sqlite'), join(dir, 'ledger.sqlite-wal')];
  const value = 'x'.repeat(4_096);
  for (let n = 0; n < 250; n++) await ledger.put(`key ${n}`, value);
  const before = fs.statSync(file).size;
  for (let n = 0; n < 10; n++) await ledger.intend(transaction(n));
  expect(fs.statSync(file).size).toBe(before);
  await ledger.sent(hashOf(1), {});
  expect(fs.statSync(file).size).toBeGreaterThan(250 * value.length);
  const size = fs.statSync(log).size;
  for (let n = 0; n < 100; n++) await ledger.put(`key ${n}`, value);
  expect(fs.statSync(log).size).toBe(size);
});

import { copyFileSync, existsSync, openSync, readFileSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { LedgerError } from '../../src/ledger/database.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { temporaryDir, transaction } from './fixtures.ts';
import { child } from './process.ts';

async function filledLedger(): Promise<string> {
  const dir = temporaryDir();
  const ledger = await openLedger(dir);
  for (let n = 0; n < 200; n++) await ledger.intend(transaction(n, { raw: `0x${'ab'.repeat(500)}` }));
  await ledger.close();
  return join(dir, 'ledger.sqlite');
}

const dirOf = (file: string) => file.slice(0, -'/ledger.sqlite'.length);
const failure = (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);

test('a file that is no database: one error that names it and says what to do', async () => {
  const file = join(temporaryDir(), 'ledger.sqlite');
  writeFileSync(file, 'not a database at all, but long enough to be looked at as one'.repeat(20));
  const error = await failure(openLedger(dirOf(file)));
  expect(error).toBeInstanceOf(LedgerError);
  expect((error as Error).message).toContain(file);
  expect((error as Error).message).toContain('move it away');
});

test('damaged pages are found when it is opened, not when the row is needed', async () => {
  const file = await filledLedger();
  const size = readFileSync(file).length;
  const handle = openSync(file, 'r+');
  for (let at = 4096 * 4; at < size; at += 4096) writeSync(handle, Buffer.alloc(200, 0xee), 0, 200, at);
  const error = await failure(openLedger(dirOf(file)));
  expect(error).toBeInstanceOf(LedgerError);
  expect((error as Error).message).toContain(file);
});

test('half a file is damaged too', async () => {
  const file = await filledLedger();
  truncateSync(file, 4096 * 3);
  const error = await failure(openLedger(dirOf(file)));
  expect(error).toBeInstanceOf(LedgerError);
  expect((error as Error).message).toContain(file);
});

test('no room left ends in one line that names the file, and what was committed before stays', async () => {
  const dir = temporaryDir();
  const writer = child('writer.ts', [dir], 'ulimit -f 400');
  const { code, stderr } = await writer.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: the ledger .*ledger\.sqlite: .*(disk|space).*\n$/);
  const reader = await readLedger(dir);
  const committed = (await reader.transactions({})).length;
  await reader.close();
  expect(committed).toBeGreaterThanOrEqual(writer.lines.filter((line) => line.startsWith('intended')).length);
});

test('a ledger of a newer version is left alone', async () => {
  const file = await filledLedger();
  const database = new DatabaseSync(file);
  database.exec("INSERT INTO migrations VALUES (99, 'later', 0)");
  database.close();
  const copy = `${file}.copy`;
  copyFileSync(file, copy);
  expect(await failure(openLedger(dirOf(file)))).toMatchObject({ message: expect.stringContaining('newer version') });
  expect(await failure(readLedger(dirOf(file)))).toMatchObject({ message: expect.stringContaining('newer version') });
});

test('reading where there is no ledger says so and makes none', async () => {
  const dir = temporaryDir();
  expect(await failure(readLedger(dir))).toMatchObject({ message: expect.stringContaining('no ledger at') });
  expect(existsSync(join(dir, 'ledger.sqlite'))).toBe(false);
});

import { expect, onTestFinished, test } from 'vitest';
import { commandKeeper, spokenAnswer } from '../../src/ledger/control.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { lockDataDir } from '../../src/ledger/lock.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { result, temporaryDir, transaction } from './fixtures.ts';

async function running() {
  const dir = temporaryDir();
  const lock = lockDataDir(dir);
  const ledger = await openLedger(dir);
  onTestFinished(async () => {
    await ledger.close();
    if (lock.kind === 'held') lock.release();
  });
  return { dir, ledger };
}

test('a reader beside the keeper sees each commit, exact to the unit', async () => {
  const { dir, ledger } = await running();
  const reader = await readLedger(dir);
  onTestFinished(() => reader.close());
  expect(await reader.transactions({})).toEqual([]);
  const intent = transaction(1);
  const settled = result(intent, 'included', { bidWei: 77n, netUsd8: -3n });
  await ledger.intend(intent);
  await ledger.settle(settled);
  const [record] = await reader.transactions({});
  expect(record).toMatchObject({ txHash: intent.txHash, outcome: 'included', mined: settled.mined });
  const { attemptId, ...outcome } = settled.attempts[0]!;
  expect(record!.attempts).toEqual([{ ...intent.attempts[0]!, attemptId, result: outcome }]);
  expect((await reader.events(intent.txHash)).map((event) => event.event)).toEqual(['intended', 'settled']);
});

test('a scope narrows by the block that took it, or was to take it', async () => {
  const { dir, ledger } = await running();
  for (const n of [1, 2, 3]) await ledger.intend(transaction(n, { targetBlock: 100 * n }));
  await ledger.settle(result(transaction(1), 'included', { block: 250 }));
  const reader = await readLedger(dir);
  onTestFinished(() => reader.close());
  const nonces = async (...scope: Parameters<typeof reader.transactions>) =>
    (await reader.transactions(...scope)).map((each) => each.nonce);
  expect(await nonces({ sinceBlock: 250 })).toEqual([1, 3]);
  expect(await nonces({}, 2)).toEqual([2, 3]);
  expect(await nonces({ sinceMs: Date.now() + 60_000 })).toEqual([]);
});

test('a command reaches the keeper and its answer comes back', async () => {
  const { dir, ledger } = await running();
  const asked = commandKeeper(dir, { command: 'resume', afterKill: true });
  await expect.poll(() => ledger.commands()).toEqual([{ id: 1, command: 'resume', afterKill: true }]);
  await ledger.acknowledge(1, spokenAnswer(true, 'running'));
  expect(await asked).toEqual({ kind: 'answered', done: true, answer: 'running' });
  expect(await ledger.commands()).toEqual([]);

  const refused = commandKeeper(dir, { command: 'resume', afterKill: false });
  await expect.poll(() => ledger.commands()).toHaveLength(1);
  await ledger.acknowledge(2, spokenAnswer(false, 'killed'));
  expect(await refused).toEqual({ kind: 'answered', done: false, answer: 'killed' });
});

test('a command that nobody answers is taken back, so that it cannot act later', async () => {
  const { dir, ledger } = await running();
  expect(await commandKeeper(dir, { command: 'kill', afterKill: false }, 100)).toEqual({ kind: 'silent', waitedMs: 100 });
  expect(await ledger.commands()).toEqual([]);
});

test('without a keeper a command is not even written', async () => {
  const dir = temporaryDir();
  await (await openLedger(dir)).close();
  expect(await commandKeeper(dir, { command: 'pause', afterKill: false })).toEqual({ kind: 'no-keeper' });
  const ledger = await openLedger(dir);
  onTestFinished(() => ledger.close());
  expect(await ledger.commands()).toEqual([]);
});

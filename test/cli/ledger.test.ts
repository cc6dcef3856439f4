import { describe, expect, onTestFinished, test } from 'vitest';
import { controlShape, reportShape } from '../../src/cli/shapes.ts';
import { spokenAnswer } from '../../src/ledger/control.ts';
import { FIRST_BLOCK, HEAD_BLOCK } from '../../src/ledger/facts.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { lockDataDir } from '../../src/ledger/lock.ts';
import { noteOf } from '../../src/ledger/relay-notes.ts';
import type { Ledger } from '../../src/ledger/types.ts';
import { attempt, result, transaction } from '../ledger/fixtures-plain.ts';
import { bailiff, documentOf, temporaryDir } from './cli.ts';

/** A folder held as a running keeper holds it. */
async function held(): Promise<{ readonly dir: string; readonly ledger: Ledger }> {
  const dir = temporaryDir();
  const lock = lockDataDir(dir);
  const ledger = await openLedger(dir);
  onTestFinished(async () => {
    await ledger.close();
    if (lock.kind === 'held') lock.release();
  });
  return { dir, ledger };
}

describe('pause, resume, kill', () => {
  /** Answers each command as it comes, as a keeper would. */
  async function answering(ledger: Ledger, answer: string): Promise<{ readonly command: string; readonly afterKill: boolean }> {
    for (;;) {
      const [first] = await ledger.commands();
      if (first !== undefined) {
        await ledger.acknowledge(first.id, answer);
        return first;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('the command reaches the keeper beside it, and its answer is printed', async () => {
    const { dir, ledger } = await held();
    const asked = bailiff(['resume', '--after-kill', '--json'], { DATA_DIR: dir });
    expect(await answering(ledger, spokenAnswer(true, 'running'))).toMatchObject({ command: 'resume', afterKill: true });
    const ended = await asked;
    expect([ended.code, controlShape.parse(documentOf(ended))]).toEqual([0, { done: true, answer: 'running' }]);
  });

  test('a refusal is an error', async () => {
    const { dir, ledger } = await held();
    const asked = bailiff(['resume', '--json'], { DATA_DIR: dir });
    await answering(ledger, spokenAnswer(false, 'killed: only `resume --after-kill` lifts that'));
    expect(await asked).toMatchObject({ code: 1, stdout: '', stderr: 'error: killed: only `resume --after-kill` lifts that\n' });
  });

  test.each(['pause', 'resume', 'kill'])('%s without a keeper exits 1', async (command) => {
    const dir = temporaryDir();
    await (await openLedger(dir)).close();
    const { code, stdout, stderr } = await bailiff([command, '--json'], { DATA_DIR: dir });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: no keeper runs on [^\n]+\n$/);
  });
});

describe('report', () => {
  async function filled(): Promise<{ readonly dir: string; readonly ledger: Ledger }> {
    const { dir, ledger } = await held();
    const two = transaction(1, { attempts: [attempt(1, 0), attempt(1, 1)], targetBlock: 102 });
    const [lost, missed, open] = [transaction(2), transaction(3), transaction(4)];
    for (const each of [two, lost, missed, open]) await ledger.intend(each);
    const took = { relay: 'one.example.org', answer: 'accepted', detail: '0xab' };
    await ledger.sent(two.txHash, noteOf([took, { relay: 'other.example.org', answer: 'refused', detail: 'no' }]));
    await ledger.sent(missed.txHash, noteOf([took, took, { relay: 'other.example.org', answer: 'resting', detail: 'it kept failing' }]));
    await ledger.sent(open.txHash, noteOf([{ relay: 'public mempool', answer: 'accepted', detail: open.txHash }]));
    await ledger.settle(result(two, 'included', { netUsd8: 100_50000001n, gasWei: 10n ** 15n, bidWei: 3n * 10n ** 15n, block: 102 }));
    await ledger.settle(result(lost, 'reverted', { netUsd8: -2_25000000n, gasWei: 10n ** 15n, block: 103 }));
    await ledger.settle(result(missed, 'missed'));
    await ledger.put(FIRST_BLOCK, '90');
    await ledger.put(HEAD_BLOCK, '120');
    return { dir, ledger };
  }

  const report = async (dir: string, ...args: string[]) => {
    const ended = await bailiff(['report', '--json', ...args], { DATA_DIR: dir });
    expect(ended.stderr).toBe('');
    return reportShape.parse(documentOf(ended));
  };

  test('the totals are those of the books, beside a running keeper', async () => {
    const { dir } = await filled();
    const document = await report(dir);
    expect(document).toMatchObject({
      from: { block: 90 },
      to: { block: 120 },
      totals: {
        profitUsd: '98.25000001',
        gasUsd: '4.00',
        bidUsd: '6.00',
        attempts: 5,
        included: 2,
        reverted: 1,
        missed: 1,
        open: 1,
        transactionsMined: 2,
      },
      blocksAfterUpdate: { '1': 2 },
      misses: { 'reverted: MustNotLeaveDust': 1, missed: 1 },
      relays: [
        { relay: 'one.example.org', sent: 3, accepted: 3, refused: 0, landed: 1 },
        { relay: 'other.example.org', sent: 1, accepted: 0, refused: 1, landed: 0 },
      ],
    });
    expect(document.attempts.map(({ outcome, block, blocksAfterUpdate }) => [outcome, block, blocksAfterUpdate])).toEqual([
      ['included', 102, 1],
      ['included', 102, 1],
      ['reverted', 103, 1],
      ['missed', undefined, undefined],
      ['open', undefined, undefined],
    ]);
  });

  test('--since narrows by block or by time', async () => {
    const { dir } = await filled();
    expect(await report(dir, '--since', '103')).toMatchObject({ from: { block: 103 }, totals: { profitUsd: '-2.25', attempts: 3 } });
    expect((await report(dir, '--since', '1h')).totals.attempts).toBe(5);
    expect((await report(dir, '--since', '2999-01-01')).totals).toMatchObject({ attempts: 0, profitUsd: '0.00' });
  });

  test('for people it says the same', async () => {
    const { dir } = await filled();
    const { code, stdout } = await bailiff(['report'], { DATA_DIR: dir });
    expect(code).toBe(0);
    expect(stdout).toContain('blocks 90 to 120');
    expect(stdout).toContain('$98.25');
    expect(stdout).toContain('2 included, 1 reverted, 1 missed');
  });

  test('where no keeper ever ran it says so', async () => {
    const { code, stderr } = await bailiff(['report', '--json'], { DATA_DIR: temporaryDir() });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: no ledger at [^\n]+\n$/);
  });
});

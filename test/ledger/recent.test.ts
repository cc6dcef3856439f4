import { expect, it, onTestFinished, vi } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import { Recent } from '../../src/ledger/recent.ts';
import type { IntendedTransaction } from '../../src/ledger/types.ts';
import type { Hex } from '../../src/lib/types.ts';

const WORD: Hex = `0x${'01'.repeat(32)}`;
const LANE: Hex = `0x${'02'.repeat(20)}`;
const TRANSACTION: IntendedTransaction = {
  ...{ txHash: WORD, raw: '0x02', lane: LANE, nonce: 0, channel: 'bundle', targetBlock: 7, lastBlock: 7 },
  ...{ gasLimit: 1n, maxFeeWei: 1n, worstGasWei: 10n, worstGasUsd8: 3n, attempts: [] },
};

it('asks again for another argument, after it forgot, and after a failure', async () => {
  const recent = new Recent();
  const work = vi.fn(async () => work.mock.calls.length);
  expect([await recent.ask('open', 1, work), await recent.ask('open', 1, work), await recent.ask('open', 2, work)]).toEqual([1, 1, 2]);
  recent.forget();
  expect(await recent.ask('open', 2, work)).toBe(3);
  await expect(recent.ask('other', 1, () => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
  expect(await recent.ask('other', 1, work)).toBe(4);
});

it('the ledger’s answers are never older than its last write', async () => {
  const ledger = await openLedger(':memory:', () => 1_000);
  onTestFinished(() => ledger.close());
  const look = async () => [(await ledger.open(7)).length, (await ledger.dormant(LANE)).length, (await ledger.spending(0)).gasUsd8];
  expect(await look()).toEqual([0, 0, 0n]);
  // Asked while the write is under way: what comes after it must not be what was known before.
  const writing = ledger.intend(TRANSACTION);
  await look();
  await writing;
  expect(await look()).toEqual([1, 0, 3n]);
  await ledger.sent(WORD, {});
  await ledger.settle({ txHash: WORD, outcome: 'missed', attempts: [] });
  expect(await look()).toEqual([1, 1, 0n]);
  await ledger.reopen(WORD);
  expect(await look()).toEqual([1, 0, 3n]);
});

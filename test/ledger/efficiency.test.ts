import { describe, expect, it } from 'vitest';
import { efficiencyOf } from '../../src/ledger/efficiency.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { readLedger } from '../../src/ledger/reader.ts';
import { attemptLines } from '../../src/ledger/report.ts';
import type { OutcomeKind, TransactionResult } from '../../src/ledger/types.ts';
import { temporaryDir } from '../cli/cli.ts';
import { attempt, result, transaction } from './fixtures.ts';

/** One transaction with one attempt each, in this order, through a ledger on disk. */
async function efficiency(
  tries: readonly { n: number; account: number; outcome?: OutcomeKind; reason?: string; block?: number; bidWei?: bigint }[],
) {
  const dir = temporaryDir();
  const ledger = await openLedger(dir);
  for (const { n, account, outcome, reason, ...figures } of tries) {
    const intent = transaction(n, { attempts: [attempt(n, 0, { account: `0x${String(account).padStart(40, '0')}`, sinceBlock: 100 })] });
    await ledger.intend(intent);
    if (outcome === undefined) continue;
    const settled = result(intent, outcome, figures);
    const attempts = settled.attempts.map((one) => ({ ...one, reason: reason ?? one.reason }));
    await ledger.settle({ ...settled, attempts } as TransactionResult);
  }
  await ledger.close();
  const reader = await readLedger(dir);
  try {
    return efficiencyOf(attemptLines(await reader.transactions({})));
  } finally {
    await reader.close();
  }
}

describe('efficiency', () => {
  it('counts a position once, however often it was tried, and what it brought against what the lost ones would have', async () => {
    const figures = await efficiency([
      { n: 1, account: 1, outcome: 'missed', reason: 'not in block 102' },
      { n: 2, account: 1, outcome: 'included', block: 103 },
      { n: 3, account: 2, outcome: 'missed', reason: 'not in block 102' },
      { n: 4, account: 2, outcome: 'missed', reason: 'not in block 103' },
    ]);
    // Realised 12.34 USD of each 20 expected (fixtures).
    expect(figures).toMatchObject({
      tried: 2,
      won: 1,
      captureRateBps: 3_815,
      slippageBps: 3_830,
      blocksToLiquidate: { p50: 3, p90: 3, most: 3 },
    });
    expect(figures.missedProfitUsd8).toEqual({ 'missed: not in block …': 20_00000000n });
  });

  it('leaves out what is still open, and says nothing where there is nothing', async () => {
    const figures = await efficiency([{ n: 1, account: 1 }]);
    expect(figures).toMatchObject({ tried: 0, won: 0, captureRateBps: undefined, revertRateBps: undefined, blocksToLiquidate: undefined });
  });

  it('tells bids, gas and reverts as shares', async () => {
    const figures = await efficiency([
      { n: 1, account: 1, outcome: 'included', bidWei: 33n * 10n ** 15n },
      { n: 2, account: 2, outcome: 'reverted' },
    ]);
    // Gross 0.1, gas 0.001 each (fixtures).
    expect(figures).toMatchObject({ revertRateBps: 5_000, bidShareBps: 3_333, gasShareBps: 100, won: 1, tried: 2 });
    expect(figures.missedProfitUsd8).toEqual({ 'reverted: MustNotLeaveDust': 20_00000000n });
  });
});

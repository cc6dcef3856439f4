/** What it costs to have an intent on the disk before it is sent. */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLedger } from '../../src/ledger/ledger.ts';
import type { IntendedTransaction } from '../../src/ledger/types.ts';
import type { Address, Hex } from '../../src/lib/types.ts';
import { type Bench, medianMs, type Result } from './result.ts';

const RUNS = 400;
const WARM_UP = 50;
const CALLDATA_BYTES = 2_000;

function intended(index: number): IntendedTransaction {
  const word = index.toString(16).padStart(64, '0');
  const address: Address = `0x${word.slice(24)}`;
  const raw: Hex = `0x${'ab'.repeat(CALLDATA_BYTES)}`;
  return {
    ...{ txHash: `0x${word}`, raw, lane: address, nonce: index, channel: 'bundle', targetBlock: index, lastBlock: index },
    ...{ gasLimit: 900_000n, maxFeeWei: 10n ** 9n, worstGasWei: 10n ** 15n, worstGasUsd8: 3n * 10n ** 8n },
    attempts: [
      {
        ...{ attemptId: word, protocol: 'aave-v3', market: 'core', account: address, debtAsset: address, collateralAsset: address },
        ...{ repayRaw: 10n ** 18n, repayUsd8: 10n ** 11n, expectedProfitWei: 10n ** 16n, expectedProfitUsd8: 10n ** 9n, sinceBlock: index },
        updateTxHash: undefined,
      },
    ],
  };
}

async function run(): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'));
  const ledger = await openLedger(folder);
  const file = openSync(join(folder, 'plain'), 'a');
  try {
    let next = 0;
    const ours = await medianMs(RUNS, () => ledger.intend(intended(next++)), WARM_UP);
    const text = 'x'.repeat(2 * CALLDATA_BYTES);
    const append = () => {
      writeSync(file, text);
      fsyncSync(file);
    };
    const floor = await medianMs(RUNS, append, WARM_UP);
    const notes = 'one transaction with one attempt, SQLite WAL, synced off the main thread';
    return [
      { name: 'durable intent', ours: ours * 1_000, unit: 'µs', peers: [{ name: 'floor: append and fsync', value: floor * 1_000 }], notes },
    ];
  } finally {
    closeSync(file);
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

export const ledger: Bench = { name: 'ledger', about: 'a durable small commit', run };

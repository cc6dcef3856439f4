import { expect, onTestFinished, test } from 'vitest';
import { readLedger } from '../../src/ledger/reader.ts';
import { hashOf, temporaryDir } from './fixtures.ts';
import { child } from './process.ts';

test('killed at any moment, nothing that was committed is lost, and the next process goes on unaided', async () => {
  const dir = temporaryDir();
  let next = 0;
  for (let round = 0; round < 6; round++) {
    const writer = child('writer.ts', [dir, String(next)]);
    const seen = next + 5 + round * 7;
    await writer.line((line) => line === `intended ${seen}`);
    await writer.kill();

    const reader = await readLedger(dir);
    onTestFinished(() => reader.close());
    const outcomes = new Map((await reader.transactions({})).map((each) => [each.txHash, each.outcome]));
    for (const line of writer.lines) {
      const [what, n] = line.split(' ');
      expect(outcomes.has(hashOf(Number(n))), line).toBe(true);
      if (what === 'settled') expect(outcomes.get(hashOf(Number(n))), line).toBe(Number(n) % 3 === 0 ? 'reverted' : 'missed');
    }
    next = outcomes.size;
  }
}, 30_000);

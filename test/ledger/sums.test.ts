import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import type { OutcomeKind } from '../../src/ledger/types.ts';
import { attempt, result, transaction } from './fixtures.ts';

const COUNT = 4;
const outcomes: readonly OutcomeKind[] = ['included', 'reverted', 'missed', 'replaced', 'expired'];
const deed = fc.oneof(
  fc.record({ kind: fc.constant('sent' as const), of: fc.nat(COUNT - 1) }),
  fc.record({ kind: fc.constant('goPublic' as const), of: fc.nat(COUNT - 1) }),
  fc.record({ kind: fc.constant('reopen' as const), of: fc.nat(COUNT - 1) }),
  fc.record({
    kind: fc.constant('settle' as const),
    of: fc.nat(COUNT - 1),
    outcome: fc.constantFrom(...outcomes),
    gasUsd8: fc.bigInt(1n, 10n ** 12n),
    netUsd8: fc.bigInt(-(10n ** 12n), 10n ** 12n),
  }),
);

test('in whatever order transactions are sent, made public, settled and reopened, the sums are those of the last word on each', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 30 }), async (deeds) => {
      const ledger = await openLedger(':memory:');
      const intents = Array.from({ length: COUNT }, (_, n) => transaction(n, { attempts: [attempt(n, 0), attempt(n, 1)] }));
      for (const intent of intents) await ledger.intend(intent);
      const inPublic = new Set<number>();
      const lastWord = new Map<number, { gasUsd8: bigint; lossUsd8: bigint }>();
      for (const each of deeds) {
        const intent = intents[each.of]!;
        if (each.kind === 'sent') await ledger.sent(intent.txHash, {});
        if (each.kind === 'goPublic') {
          await ledger.goPublic(intent.txHash);
          inPublic.add(each.of);
        }
        if (each.kind === 'reopen') {
          await ledger.reopen(intent.txHash);
          lastWord.delete(each.of);
        }
        if (each.kind === 'settle') {
          // At this native price 1e18 wei are worth one unit of 8-decimal USD.
          const gasWei = each.gasUsd8 * 10n ** 18n;
          await ledger.settle(result(intent, each.outcome, { gasWei, netUsd8: each.netUsd8, nativeUsd8: 1n }));
          const mined = each.outcome === 'included' || each.outcome === 'reverted';
          lastWord.set(each.of, { gasUsd8: mined ? each.gasUsd8 : 0n, lossUsd8: mined && each.netUsd8 < 0n ? -each.netUsd8 : 0n });
        }
      }
      const expected = intents.map(
        (intent, n) =>
          lastWord.get(n) ?? {
            gasUsd8: intent.worstGasUsd8,
            lossUsd8: intent.channel === 'public' || inPublic.has(n) ? intent.worstGasUsd8 : 0n,
          },
      );
      const { gasUsd8, lossUsd8 } = await ledger.spending(0);
      const open = await ledger.open(Number.MAX_SAFE_INTEGER);
      await ledger.close();
      expect(gasUsd8).toBe(expected.reduce((sum, each) => sum + each.gasUsd8, 0n));
      expect(lossUsd8).toBe(expected.reduce((sum, each) => sum + each.lossUsd8, 0n));
      expect(open).toHaveLength(COUNT - lastWord.size);
    }),
    { seed: 20_240_601, numRuns: 60 },
  );
});

test('of what was signed for one nonce one can be mined: the dearest counts, for each lane and nonce', async () => {
  const ledger = await openLedger(':memory:');
  await ledger.intend(transaction(0, { nonce: 5, worstGasUsd8: 7n, channel: 'public' }));
  await ledger.intend(transaction(1, { nonce: 5, worstGasUsd8: 9n, channel: 'bundle' }));
  await ledger.intend(transaction(2, { nonce: 6, worstGasUsd8: 3n, channel: 'bundle' }));
  await ledger.intend(transaction(3, { nonce: 5, worstGasUsd8: 1n, channel: 'bundle', lane: `0x${'c3'.repeat(20)}` }));
  const { gasUsd8, lossUsd8 } = await ledger.spending(0);
  await ledger.close();
  expect({ gasUsd8, lossUsd8 }).toEqual({ gasUsd8: 13n, lossUsd8: 7n });
});

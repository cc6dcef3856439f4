import type { Answer } from '../execution/sender.ts';
import type { Settled } from '../execution/tracker.ts';
import type { IntendedTransaction, OpenTransaction } from '../ledger/types.ts';
import { usdText, weiToUsd8Floor } from '../lib/usd.ts';
import { INVENTORY } from '../risk/types.ts';
import type { Emit } from '../telemetry/events.ts';

/** One line for each attempt that has come to its end. */
export function tellOutcomes(settled: readonly Settled[], emit: Emit): void {
  for (const { transaction, result } of settled) {
    for (const [index, attempt] of result.attempts.entries()) {
      const intended = transaction.attempts[index];
      emit(`attempt.${attempt.outcome}`, {
        ...identify(transaction, index),
        ...(result.mined === undefined
          ? {}
          : { block: result.mined.block, blocksAfterUpdate: result.mined.block - (intended?.sinceBlock ?? result.mined.block) }),
        ...(attempt.reason === undefined ? {} : { reason: attempt.reason }),
        ...(result.mined === undefined
          ? {}
          : {
              ...(attempt.unpriced ? {} : { profitWei: String(attempt.profitWei), profitUsd: usdText(attempt.profitUsd8) }),
              bidWei: String(attempt.bidWei),
              gasWei: String(attempt.gasWei),
              gasUsd: usdText(weiToUsd8Floor(attempt.gasWei, result.mined.nativeUsd8)),
            }),
      });
    }
  }
}

/** One line for each relay that was handed a bundle. */
export function tellBundle(
  relays: readonly Answer[],
  sent: readonly IntendedTransaction[],
  sentAfterMs: number,
  emit: Emit,
  more = {},
): void {
  const [first] = sent;
  if (first === undefined) return;
  // One that rests was handed nothing, and was told of when its rest began.
  for (const { relay, answer, detail } of relays)
    if (answer !== 'resting')
      emit('bundle.sent', { relay, answer, detail, transactions: sent.length, targetBlock: first.targetBlock, sentAfterMs, ...more });
}

/** One line for each attempt that left this machine. */
export function tellSent(sent: readonly IntendedTransaction[], emit: Emit): void {
  for (const transaction of sent)
    for (const [index, attempt] of transaction.attempts.entries())
      emit('attempt.sent', { ...identify(transaction, index), expectedProfitWei: String(attempt.expectedProfitWei) });
}

/** What every line about an attempt carries. */
export function identify(transaction: Pick<OpenTransaction, 'txHash' | 'targetBlock' | 'lane' | 'nonce' | 'attempts'>, index: number) {
  const attempt = transaction.attempts[index]!;
  return {
    attemptId: attempt.attemptId,
    protocol: attempt.protocol,
    market: attempt.market,
    account: attempt.account,
    txHash: transaction.txHash,
    ...(attempt.updateTxHash === undefined ? {} : { updateTxHash: attempt.updateTxHash }),
    targetBlock: transaction.targetBlock,
    lane: transaction.lane,
    nonce: transaction.nonce,
  };
}

/**
 * Mined with profit or not, for the breaker; undefined where nothing was mined (a bundle that misses costs nothing), nothing was tried, or what was tried was to
 * sell inventory, which may cost a little.
 */
export function successOf({ transaction, result: { mined, outcome } }: Settled): boolean | undefined {
  if (outcome === 'included' && transaction.attempts.every(({ protocol }) => protocol === INVENTORY)) return undefined;
  return mined === undefined || transaction.attempts.length === 0 ? undefined : mined.netUsd8 >= 0n;
}

import type { AttemptResult, OpenTransaction, OutcomeKind, TransactionResult } from '../ledger/types.ts';
import type { Address } from '../lib/types.ts';
import { weiToUsd8Floor } from '../lib/usd.ts';
import { NATIVE, type Receipt, shares } from './accounting.ts';
import type { Settlement } from './decode-executor.ts';

export type SettlementContext = {
  /** Of what is ours, by token, raw units. */
  readonly changes: Readonly<Record<Address, bigint>>;
  /** USD (8 decimals) of one whole native token as of the end of the block. */
  readonly nativeUsd8: bigint;
  /** Of what the sequence was counted in nobody knew the price. */
  readonly unpriced: boolean;
  /** USD (8 decimals) of a raw amount of a token as of the end of the block, rounded down; undefined without a price. */
  worthUsd8(token: Address, amountRaw: bigint): bigint | undefined;
};

/** The result of a mined transaction, each attempt with its exact share: the shares add up to what the chain took and gave. */
export function settleMined(
  transaction: OpenTransaction,
  receipt: Receipt,
  settlement: Settlement | undefined,
  revertReason: string | undefined,
  context: SettlementContext,
): TransactionResult {
  const { changes } = context;
  // Groups stand in the order of the attempts.
  const groups = transaction.attempts.map((_, index) => settlement?.groups.find((group) => group.index === index));
  const gross = groups.map((group) => (group?.outcome === 'done' ? group.profitRaw : 0n));
  const gas = shares(
    receipt.gasWei,
    transaction.attempts.map(() => 1n),
  );
  const bidWei = settlement?.bidRaw ?? 0n;
  const bids = bidWei === 0n ? gross.map(() => 0n) : shares(bidWei, gross);
  const attempts = transaction.attempts.map((attempt, index): AttemptResult => {
    const group = groups[index];
    // What is not known is not made up: in the sums it stands as nothing.
    const unpriced = context.unpriced && group?.outcome === 'done';
    const profitWei = gross[index]! - bids[index]! - gas[index]!;
    return {
      attemptId: attempt.attemptId,
      outcome: group?.outcome === 'done' ? 'included' : 'reverted',
      reason: group?.outcome === 'done' ? undefined : (group?.reason ?? revertReason ?? 'reverted without a reason'),
      grossWei: gross[index]!,
      bidWei: bids[index]!,
      gasWei: gas[index]!,
      profitWei,
      profitUsd8: weiToUsd8Floor(profitWei, context.nativeUsd8),
      ...(unpriced && { unpriced }),
    };
  });
  let netUsd8 = 0n;
  for (const [token, deltaRaw] of Object.entries(changes) as [Address, bigint][]) {
    netUsd8 += token === NATIVE ? weiToUsd8Floor(deltaRaw, context.nativeUsd8) : (context.worthUsd8(token, deltaRaw) ?? 0n);
  }
  return {
    txHash: transaction.txHash,
    outcome: receipt.succeeded ? 'included' : 'reverted',
    mined: {
      block: receipt.block,
      blockHash: receipt.blockHash,
      gasUsed: receipt.gasUsed,
      gasWei: receipt.gasWei,
      bidWei,
      netUsd8,
      balanceChanges: changes,
      nativeUsd8: context.nativeUsd8,
    },
    attempts,
  };
}

/** The result of a transaction that was not mined while it could. */
export function settleUnmined(
  transaction: OpenTransaction,
  outcome: Exclude<OutcomeKind, 'included' | 'reverted'>,
  reason: string,
): TransactionResult {
  const nothing = { grossWei: 0n, bidWei: 0n, gasWei: 0n, profitWei: 0n, profitUsd8: 0n };
  return {
    txHash: transaction.txHash,
    outcome,
    attempts: transaction.attempts.map((attempt) => ({ attemptId: attempt.attemptId, outcome, reason, ...nothing })),
  };
}

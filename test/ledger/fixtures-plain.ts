import type { IntendedAttempt, IntendedTransaction, OutcomeKind, TransactionResult } from '../../src/ledger/types.ts';
import type { Hex } from '../../src/lib/types.ts';

export const hashOf = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`;
const addressOf = (n: number): Hex => `0x${n.toString(16).padStart(40, '0')}`;

export function attempt(n: number, part = 0, over: Partial<IntendedAttempt> = {}): IntendedAttempt {
  return {
    attemptId: `a${n}.${part}`,
    protocol: 'aave-v3',
    market: 'core',
    account: addressOf(1000 + n),
    debtAsset: addressOf(1),
    collateralAsset: addressOf(2),
    repayRaw: 2n ** 200n + BigInt(n),
    repayUsd8: 5_000_00000000n,
    expectedProfitWei: 10n ** 16n,
    expectedProfitUsd8: 20_00000000n,
    sinceBlock: 100 + n,
    updateTxHash: n % 2 === 0 ? hashOf(9_000 + n) : undefined,
    ...over,
  };
}

export function transaction(n: number, over: Partial<IntendedTransaction> = {}): IntendedTransaction {
  return {
    txHash: hashOf(n),
    raw: '0x02aabb',
    lane: addressOf(77),
    nonce: n,
    channel: 'bundle',
    targetBlock: 101 + n,
    lastBlock: 101 + n,
    gasLimit: 1_000_000n,
    maxFeeWei: 50n * 10n ** 9n,
    worstGasWei: 10n ** 15n,
    worstGasUsd8: 3_00000000n,
    attempts: [attempt(n)],
    ...over,
  };
}

/** A result whose attempts' shares add up, `gasWei` and `bidWei` falling on the first attempt. */
export function result(
  of: IntendedTransaction,
  outcome: OutcomeKind,
  figures: { gasWei?: bigint; bidWei?: bigint; netUsd8?: bigint; block?: number; nativeUsd8?: bigint } = {},
): TransactionResult {
  const isMined = outcome === 'included' || outcome === 'reverted';
  const gasWei = isMined ? (figures.gasWei ?? 10n ** 15n) : 0n;
  const bidWei = isMined ? (figures.bidWei ?? 0n) : 0n;
  const block = figures.block ?? of.targetBlock;
  return {
    txHash: of.txHash,
    outcome,
    ...(isMined && {
      mined: {
        block,
        blockHash: hashOf(5_000_000 + block),
        gasUsed: 400_000n,
        gasWei,
        bidWei,
        netUsd8: figures.netUsd8 ?? 12_34000000n,
        balanceChanges: { [addressOf(0)]: -gasWei, [addressOf(2)]: 2n ** 130n },
        nativeUsd8: figures.nativeUsd8 ?? 2_000_00000000n,
      },
    }),
    attempts: of.attempts.map((each, index) => {
      const gas = index === 0 ? gasWei : 0n;
      const bid = index === 0 ? bidWei : 0n;
      return {
        attemptId: each.attemptId,
        outcome,
        reason: outcome === 'reverted' ? 'MustNotLeaveDust' : undefined,
        grossWei: 10n ** 17n,
        bidWei: bid,
        gasWei: gas,
        profitWei: 10n ** 17n - bid - gas,
        profitUsd8: 12_34000000n,
      };
    }),
  };
}

import type { TransactionResult } from './types.ts';

/** The attempts' shares must be the transaction's figures to the wei: what the books say is what the chain took. */
export function mistakeIn(result: TransactionResult, known: ReadonlySet<string>): string | undefined {
  const { mined, attempts, outcome } = result;
  if ((outcome === 'included' || outcome === 'reverted') !== (mined !== undefined))
    return `${outcome} ${mined ? 'with' : 'without'} a block`;
  const given = new Set(attempts.map((attempt) => attempt.attemptId));
  if (given.size !== attempts.length || given.size !== known.size || ![...given].every((id) => known.has(id)))
    return 'its attempts are not those intended';
  if (attempts.length === 0) return undefined;
  const sum = (figure: (attempt: TransactionResult['attempts'][number]) => bigint) =>
    attempts.reduce((total, attempt) => total + figure(attempt), 0n);
  if (sum((attempt) => attempt.gasWei) !== (mined?.gasWei ?? 0n)) return 'gas of its attempts';
  if (sum((attempt) => attempt.bidWei) !== (mined?.bidWei ?? 0n)) return 'bids of its attempts';
  const unsound = attempts.find((attempt) => attempt.profitWei !== attempt.grossWei - attempt.bidWei - attempt.gasWei);
  return unsound && `profit of attempt ${unsound.attemptId}`;
}

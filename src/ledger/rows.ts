import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import type { Address, Hex } from '../lib/types.ts';
import type { AttemptsTable, Schema, TransactionsTable } from './schema.ts';
import type { AttemptResult, IntendedAttempt, IntendedTransaction, OpenTransaction, TransactionResult } from './types.ts';

/** Between the ledger's values and its rows; bigints travel as decimal text. What is not known yet of a new row is null by itself. */

export type TransactionRow = Selectable<TransactionsTable>;
export type AttemptRow = Selectable<AttemptsTable>;

export function intendedRow(transaction: IntendedTransaction, now: number): Insertable<TransactionsTable> {
  return {
    tx_hash: transaction.txHash,
    raw: transaction.raw,
    lane: transaction.lane,
    nonce: transaction.nonce,
    channel: transaction.channel,
    target_block: transaction.targetBlock,
    last_block: transaction.lastBlock,
    gas_limit: String(transaction.gasLimit),
    max_fee_wei: String(transaction.maxFeeWei),
    worst_gas_wei: String(transaction.worstGasWei),
    worst_gas_usd8: String(transaction.worstGasUsd8),
    intended_at: now,
  };
}

export function attemptRow(attempt: IntendedAttempt, txHash: IntendedTransaction['txHash'], position: number): Insertable<AttemptsTable> {
  return {
    attempt_id: attempt.attemptId,
    tx_hash: txHash,
    position,
    protocol: attempt.protocol,
    market: attempt.market,
    account: attempt.account,
    debt_asset: attempt.debtAsset,
    collateral_asset: attempt.collateralAsset,
    repay_raw: String(attempt.repayRaw),
    repay_usd8: String(attempt.repayUsd8),
    expected_profit_wei: String(attempt.expectedProfitWei),
    expected_profit_usd8: String(attempt.expectedProfitUsd8),
    since_block: attempt.sinceBlock,
    update_tx_hash: attempt.updateTxHash ?? null,
  };
}

export function minedColumns(mined: NonNullable<TransactionResult['mined']>): Updateable<TransactionsTable> {
  return {
    mined_block: mined.block,
    mined_block_hash: mined.blockHash,
    gas_used: String(mined.gasUsed),
    gas_wei: String(mined.gasWei),
    bid_wei: String(mined.bidWei),
    net_usd8: String(mined.netUsd8),
    native_usd8: String(mined.nativeUsd8),
    balance_changes: JSON.stringify(Object.fromEntries(Object.entries(mined.balanceChanges).map(([asset, raw]) => [asset, String(raw)]))),
  };
}

export function resultColumns(result: AttemptResult): Updateable<AttemptsTable> {
  return {
    outcome: result.outcome,
    reason: result.reason ?? null,
    gross_wei: result.unpriced ? null : String(result.grossWei),
    bid_wei: String(result.bidWei),
    gas_wei: String(result.gasWei),
    profit_wei: result.unpriced ? null : String(result.profitWei),
    profit_usd8: result.unpriced ? null : String(result.profitUsd8),
  };
}

export const UNMINED = {
  mined_block: null,
  mined_block_hash: null,
  gas_used: null,
  gas_wei: null,
  bid_wei: null,
  net_usd8: null,
  native_usd8: null,
  balance_changes: null,
} as const;

export const UNSETTLED = { outcome: null, settled_at: null, settled_event: null, ...UNMINED } as const;

export const UNRESOLVED = {
  outcome: null,
  reason: null,
  gross_wei: null,
  bid_wei: null,
  gas_wei: null,
  profit_wei: null,
  profit_usd8: null,
} as const;

export function openTransaction(row: TransactionRow, attempts: readonly AttemptRow[]): OpenTransaction {
  return {
    txHash: row.tx_hash,
    raw: row.raw,
    lane: row.lane,
    nonce: row.nonce,
    channel: row.channel,
    targetBlock: row.target_block,
    lastBlock: row.last_block,
    gasLimit: BigInt(row.gas_limit),
    maxFeeWei: BigInt(row.max_fee_wei),
    worstGasWei: BigInt(row.worst_gas_wei),
    worstGasUsd8: BigInt(row.worst_gas_usd8),
    attempts: attempts.map(intendedAttempt),
    status: row.outcome ?? (row.sent_at === null ? 'intended' : 'sent'),
    ...(row.mined_block !== null && row.mined_block_hash !== null && { seen: { block: row.mined_block, blockHash: row.mined_block_hash } }),
  };
}

export function intendedAttempt(row: AttemptRow): IntendedAttempt {
  return {
    attemptId: row.attempt_id,
    protocol: row.protocol,
    market: row.market,
    account: row.account,
    debtAsset: row.debt_asset,
    collateralAsset: row.collateral_asset,
    repayRaw: BigInt(row.repay_raw),
    repayUsd8: BigInt(row.repay_usd8),
    expectedProfitWei: BigInt(row.expected_profit_wei),
    expectedProfitUsd8: BigInt(row.expected_profit_usd8),
    sinceBlock: row.since_block,
    updateTxHash: row.update_tx_hash ?? undefined,
  };
}

/** Well under every database's limit of variables in one statement. */
const ASKED_AT_ONCE = 500;

/** The attempts of these transactions, in their order. */
export async function attemptsOf(db: Kysely<Schema>, rows: readonly TransactionRow[]): Promise<ReadonlyMap<Hex, readonly AttemptRow[]>> {
  const attempts: AttemptRow[] = [];
  for (let start = 0; start < rows.length; start += ASKED_AT_ONCE) {
    const hashes = rows.slice(start, start + ASKED_AT_ONCE).map((row) => row.tx_hash);
    attempts.push(...(await db.selectFrom('attempts').selectAll().where('tx_hash', 'in', hashes).orderBy('position').execute()));
  }
  return Map.groupBy(attempts, (attempt) => attempt.tx_hash);
}

/** The notes made when these transactions went out, oldest first. */
export async function notesOf(
  db: Kysely<Schema>,
  hashes: readonly Hex[],
): Promise<ReadonlyMap<Hex, readonly Readonly<Record<string, string>>[]>> {
  const notes = new Map<Hex, Readonly<Record<string, string>>[]>();
  for (let start = 0; start < hashes.length; start += ASKED_AT_ONCE) {
    const asked = hashes.slice(start, start + ASKED_AT_ONCE);
    const rows = await db
      .selectFrom('events')
      .select(['tx_hash', 'figures'])
      .where('event', '=', 'sent')
      .where('tx_hash', 'in', asked)
      .orderBy('id')
      .execute();
    for (const { tx_hash, figures } of rows)
      if (tx_hash !== null) notes.set(tx_hash, [...(notes.get(tx_hash) ?? []), JSON.parse(figures) as Record<string, string>]);
  }
  return notes;
}

export function balanceChanges(row: TransactionRow): Readonly<Record<Address, bigint>> {
  const changes = JSON.parse(row.balance_changes ?? '{}') as Record<Address, string>;
  return Object.fromEntries(Object.entries(changes).map(([asset, raw]) => [asset, BigInt(raw)]));
}

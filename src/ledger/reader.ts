import { existsSync } from 'node:fs';
import type { Switch } from '../guard/types.ts';
import type { Unwind } from '../guard/unwind-types.ts';
import type { Address, Hex } from '../lib/types.ts';
import { CAPITAL, type Capital, capitalOf } from './capital.ts';
import { type Database, LedgerError, ledgerFile, openDatabase } from './database.ts';
import { requireVersion } from './migrations.ts';
import { statedKey } from './report.ts';
import { type AttemptRow, attemptsOf, balanceChanges, intendedAttempt, notesOf, type TransactionRow } from './rows.ts';
import { type StatedRisk, statedIn } from './stated.ts';
import type { AttemptResult, IntendedAttempt, OutcomeKind } from './types.ts';
import { unwindOf } from './unwinds.ts';

/** Narrows what is read; each part that is given must hold. */
export type Scope = {
  /** Transactions whose target (or the block that took them) is this or later. */
  readonly sinceBlock?: number;
  /** Intended at or after this unix time in ms of this machine. */
  readonly sinceMs?: number;
};

/** A transaction with its attempts as the books have them. `outcome` is undefined while it is open. */
export type TransactionRecord = {
  readonly txHash: Hex;
  /** The signed bytes. */
  readonly raw: Hex;
  readonly lane: Address;
  readonly nonce: number;
  readonly channel: 'bundle' | 'public';
  readonly targetBlock: number;
  readonly lastBlock: number;
  readonly intendedAt: number;
  readonly sentAt: number | undefined;
  readonly settledAt: number | undefined;
  readonly outcome: OutcomeKind | undefined;
  readonly mined:
    | {
        readonly block: number;
        readonly blockHash: Hex;
        readonly gasUsed: bigint;
        readonly gasWei: bigint;
        readonly bidWei: bigint;
        readonly netUsd8: bigint;
        readonly nativeUsd8: bigint;
        readonly balanceChanges: Readonly<Record<Address, bigint>>;
      }
    | undefined;
  readonly attempts: readonly AttemptRecord[];
};

export type AttemptRecord = IntendedAttempt & { readonly result: Omit<AttemptResult, 'attemptId'> | undefined };

export type EventRecord = {
  readonly at: number;
  readonly txHash: Hex | undefined;
  readonly event: string;
  readonly figures: Readonly<Record<string, string>>;
};

export type DecisionRecord = {
  readonly at: number;
  readonly block: number;
  readonly protocol: string;
  readonly market: string;
  readonly account: Address;
  readonly kind: 'plan' | 'skip';
  readonly detail: string;
};

/** The books, seen from outside: reads beside a running keeper, or without one, and changes nothing. */
export interface LedgerReader {
  /** Oldest first. With `latest`, only that many of the newest. */
  transactions(scope: Scope, latest?: number): Promise<readonly TransactionRecord[]>;
  events(txHash: Hex): Promise<readonly EventRecord[]>;
  /** What relays said to each of these transactions, every time that it went out. */
  relayNotes(transactions: readonly TransactionRecord[]): Promise<ReadonlyMap<Hex, readonly Readonly<Record<string, string>>[]>>;
  /** What was stated of the risk of plans for these accounts, by `statedKey`. */
  statedRisks(transactions: readonly TransactionRecord[]): Promise<ReadonlyMap<string, StatedRisk>>;
  /** Newest first. */
  decisions(about: { readonly account?: Address }, limit: number): Promise<readonly DecisionRecord[]>;
  switchState(): Promise<{ readonly state: Switch; readonly reason: string | undefined }>;
  get(key: string): Promise<string | undefined>;
  /** What is ours at venues, one for each deployment. */
  capital(): Promise<readonly Capital[]>;
  /** Collateral that is kept and being sold. */
  inventory(): Promise<readonly Unwind[]>;
  close(): Promise<void>;
}

/** Throws LedgerError when the folder holds no ledger, or one of another version. */
export async function readLedger(dataDir: string): Promise<LedgerReader> {
  const file = ledgerFile(dataDir);
  if (!existsSync(file)) throw new LedgerError(`no ledger at ${file}; \`bailiff run\` makes it, and DATA_DIR says where`);
  const db = openDatabase(file, 'read');
  try {
    await requireVersion(db, file);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return new SqlReader(db);
}

/** In one query: a statement has only so many places for values. */
const MOST_NAMED = 500;

class SqlReader implements LedgerReader {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async transactions(scope: Scope, latest?: number): Promise<readonly TransactionRecord[]> {
    const { sinceBlock, sinceMs } = scope;
    // One snapshot for both tables, whatever the keeper writes meanwhile.
    return this.#db.transaction().execute(async (trx) => {
      const rows = await trx
        .selectFrom('transactions')
        .selectAll()
        .$if(sinceBlock !== undefined, (query) =>
          query.where((eb) =>
            eb.or([
              eb('mined_block', '>=', sinceBlock ?? 0),
              eb.and([eb('mined_block', 'is', null), eb('target_block', '>=', sinceBlock ?? 0)]),
            ]),
          ),
        )
        .$if(sinceMs !== undefined, (query) => query.where('intended_at', '>=', sinceMs ?? 0))
        .orderBy('intended_at', 'desc')
        .orderBy('nonce', 'desc')
        .$if(latest !== undefined, (query) => query.limit(latest ?? 0))
        .execute();
      const attempts = await attemptsOf(trx, rows);
      return rows.reverse().map((row) => transactionRecord(row, attempts.get(row.tx_hash) ?? []));
    });
  }

  async events(txHash: Hex): Promise<readonly EventRecord[]> {
    const rows = await this.#db.selectFrom('events').selectAll().where('tx_hash', '=', txHash).orderBy('id').execute();
    return rows.map((row) => ({
      at: row.at,
      txHash: row.tx_hash ?? undefined,
      event: row.event,
      figures: JSON.parse(row.figures) as Record<string, string>,
    }));
  }

  relayNotes(transactions: readonly TransactionRecord[]) {
    return notesOf(
      this.#db,
      transactions.map(({ txHash }) => txHash),
    );
  }

  async statedRisks(transactions: readonly TransactionRecord[]): Promise<ReadonlyMap<string, StatedRisk>> {
    const accounts = [...new Set(transactions.flatMap(({ attempts }) => attempts.map(({ account }) => account)))];
    const blocks = transactions.map(({ targetBlock }) => targetBlock - 1);
    const risks = new Map<string, StatedRisk>();
    if (accounts.length === 0) return risks;
    for (let first = 0; first < accounts.length; first += MOST_NAMED) {
      const rows = await this.#db
        .selectFrom('decisions')
        .select(['block', 'protocol', 'market', 'account', 'detail'])
        .where('kind', '=', 'plan')
        .where('account', 'in', accounts.slice(first, first + MOST_NAMED))
        .where(
          'block',
          '>=',
          blocks.reduce((a, b) => Math.min(a, b)),
        )
        .where(
          'block',
          '<=',
          blocks.reduce((a, b) => Math.max(a, b)),
        )
        .orderBy('id')
        .execute();
      for (const { detail, ...plan } of rows) {
        const risk = statedIn(detail);
        if (risk !== undefined) risks.set(statedKey(plan as Parameters<typeof statedKey>[0]), risk);
      }
    }
    return risks;
  }

  async decisions(about: { readonly account?: Address }, limit: number): Promise<readonly DecisionRecord[]> {
    const { account } = about;
    return this.#db
      .selectFrom('decisions')
      .select(['at', 'block', 'protocol', 'market', 'account', 'kind', 'detail'])
      .$if(account !== undefined, (query) => query.where('account', '=', account ?? '0x'))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
  }

  async switchState() {
    const row = await this.#db.selectFrom('switches').select(['state', 'reason']).orderBy('id', 'desc').limit(1).executeTakeFirst();
    return row ?? { state: 'running' as const, reason: undefined };
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#db.selectFrom('facts').select('value').where('key', '=', key).executeTakeFirst())?.value;
  }

  async capital(): Promise<readonly Capital[]> {
    const rows = await this.#db.selectFrom('facts').select('value').where('key', 'like', `${CAPITAL}%`).orderBy('key').execute();
    return rows.map((row) => capitalOf(row.value));
  }

  async inventory(): Promise<readonly Unwind[]> {
    const rows = await this.#db.selectFrom('unwinds').select('unwind').orderBy('at').execute();
    return rows.map((row) => unwindOf(row.unwind));
  }

  close(): Promise<void> {
    return this.#db.destroy();
  }
}

function transactionRecord(row: TransactionRow, attempts: readonly AttemptRow[]): TransactionRecord {
  return {
    txHash: row.tx_hash,
    raw: row.raw,
    lane: row.lane,
    nonce: row.nonce,
    channel: row.channel,
    targetBlock: row.target_block,
    lastBlock: row.last_block,
    intendedAt: row.intended_at,
    sentAt: row.sent_at ?? undefined,
    settledAt: row.settled_at ?? undefined,
    outcome: row.outcome ?? undefined,
    mined:
      row.mined_block === null || row.mined_block_hash === null
        ? undefined
        : {
            block: row.mined_block,
            blockHash: row.mined_block_hash,
            gasUsed: BigInt(row.gas_used ?? 0),
            gasWei: BigInt(row.gas_wei ?? 0),
            bidWei: BigInt(row.bid_wei ?? 0),
            netUsd8: BigInt(row.net_usd8 ?? 0),
            nativeUsd8: BigInt(row.native_usd8 ?? 0),
            balanceChanges: balanceChanges(row),
          },
    attempts: attempts.map((attempt) => ({ ...intendedAttempt(attempt), result: attemptResult(attempt) })),
  };
}

function attemptResult(row: AttemptRow): AttemptRecord['result'] {
  if (row.outcome === null) return undefined;
  return {
    outcome: row.outcome,
    reason: row.reason ?? undefined,
    grossWei: BigInt(row.gross_wei ?? 0),
    bidWei: BigInt(row.bid_wei ?? 0),
    gasWei: BigInt(row.gas_wei ?? 0),
    profitWei: BigInt(row.profit_wei ?? 0),
    profitUsd8: BigInt(row.profit_usd8 ?? 0),
    ...(row.profit_wei === null && { unpriced: true }),
  };
}

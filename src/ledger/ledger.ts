import { sql, type Transaction } from 'kysely';
import type { Hedge } from '../guard/hedge-types.ts';
import type { Unwind } from '../guard/unwind-types.ts';
import type { Address, Hex } from '../lib/types.ts';
import { type Database, IN_MEMORY, LedgerError, ledgerFile, openOwn } from './database.ts';
import { Decisions } from './decisions.ts';
import { Direct } from './direct.ts';
import { hedgeOf, hedgeText } from './hedges.ts';
import { migrate } from './migrations.ts';
import { Recent } from './recent.ts';
import { mistakeIn } from './result.ts';
import {
  attemptRow,
  attemptsOf,
  intendedRow,
  minedColumns,
  openTransaction,
  resultColumns,
  type TransactionRow,
  UNMINED,
  UNRESOLVED,
  UNSETTLED,
} from './rows.ts';
import type { Schema } from './schema.ts';
import { FAILURES_RESET, spendingSince } from './spending.ts';
import type { IntendedTransaction, Ledger, TransactionResult } from './types.ts';
import { unwindOf, unwindText } from './unwinds.ts';
import { WalFile } from './wal.ts';

/** Decisions, unlike what was sent, are of passing interest; older ones go when the ledger is opened. */
const DECISIONS_KEPT_MS = 30 * 86_400_000;
/** Writes until the log, a few pages for each, is folded into the file. */
const CHECKPOINT_AFTER = 256;
/** The fact that tells when it was last folded in. */
const CHECKPOINT = 'checkpoint';

/** `inserts`: made in whatever transaction is open on the connection. */
type Write = { readonly kind: 'inserts'; insert(): void } | { readonly kind: 'work'; work(trx: Transaction<Schema>): Promise<void> };
type Figures = Readonly<Record<string, string>>;

/**
 * Opens, and creates or migrates, the store of `dataDir`; `:memory:` for one that is not kept. `clock` gives unix ms. The caller holds the folder's lock.
 * Throws LedgerError, here and in every method, when the file is damaged, full or out of reach.
 */
export async function openLedger(dataDir: string, clock: () => number = Date.now): Promise<Ledger> {
  const file = dataDir === IN_MEMORY ? IN_MEMORY : ledgerFile(dataDir);
  const { db, sqlite } = openOwn(file);
  try {
    await migrate(db, file, clock());
    await db
      .deleteFrom('decisions')
      .where('at', '<', clock() - DECISIONS_KEPT_MS)
      .execute();
    const wal = new WalFile(file);
    await wal.sync();
    return new SqlLedger(db, new Direct(sqlite, file), wal, clock);
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

class SqlLedger implements Ledger {
  readonly #db: Database;
  readonly #direct: Direct;
  readonly #wal: WalFile;
  readonly #clock: () => number;
  readonly #recent = new Recent();
  readonly #decisions: Decisions;
  #waiting: Write[] = [];
  /** Of those that wait, whether a bundle waits for one. */
  #hurried = false;
  #sinceCheckpoint = 0;
  #batch: Promise<void> = Promise.resolve();
  #allBatches: Promise<unknown> = this.#batch;

  constructor(db: Database, direct: Direct, wal: WalFile, clock: () => number) {
    this.#db = db;
    this.#direct = direct;
    this.#decisions = new Decisions(direct, (insert) => this.#enqueue({ kind: 'inserts', insert }));
    this.#wal = wal;
    this.#clock = clock;
  }

  async intend(transaction: IntendedTransaction): Promise<void> {
    const { txHash, attempts } = transaction;
    this.#hurried = true;
    this.#recent.forget();
    const insert = () => {
      const at = this.#clock();
      this.#direct.insert('transactions', intendedRow(transaction, at));
      for (const [position, attempt] of attempts.entries()) this.#direct.insert('attempts', attemptRow(attempt, txHash, position));
      this.#direct.insert('events', { tx_hash: txHash, event: 'intended', figures: '{}', at });
    };
    await this.#enqueue({ kind: 'inserts', insert }).finally(() => this.#recent.forget());
  }

  async sent(txHash: Hex, note: Figures): Promise<void> {
    await this.#change(async (trx) => {
      const row = await this.#transaction(trx, txHash);
      if (row.sent_at === null)
        await trx.updateTable('transactions').set({ sent_at: this.#clock() }).where('tx_hash', '=', txHash).execute();
      await this.#event(trx, txHash, 'sent', note);
    });
  }

  async goPublic(txHash: Hex): Promise<void> {
    await this.#change(async (trx) => {
      await this.#transaction(trx, txHash);
      await trx.updateTable('transactions').set({ channel: 'public' }).where('tx_hash', '=', txHash).execute();
      await this.#event(trx, txHash, 'public', {});
    });
  }

  async settle(result: TransactionResult): Promise<void> {
    const { txHash, outcome, mined } = result;
    await this.#change(async (trx) => {
      const row = await this.#transaction(trx, txHash);
      const known = await trx.selectFrom('attempts').select('attempt_id').where('tx_hash', '=', txHash).execute();
      const mistake = mistakeIn(result, new Set(known.map((attempt) => attempt.attempt_id)));
      if (mistake !== undefined) throw new LedgerError(`the result of ${txHash} does not add up: ${mistake}`);
      const event = await this.#event(trx, txHash, 'settled', {
        outcome,
        ...(mined && { block: String(mined.block), blockHash: mined.blockHash }),
      });
      // A result that is merely confirmed keeps its place in time, so that it neither ages anew in the limits nor follows a later reset.
      const confirmed = row.outcome === outcome && row.mined_block === (mined?.block ?? null);
      await trx
        .updateTable('transactions')
        .set({
          outcome,
          ...(mined === undefined ? UNMINED : minedColumns(mined)),
          ...(!confirmed && { settled_at: this.#clock(), settled_event: event }),
        })
        .where('tx_hash', '=', txHash)
        .execute();
      for (const attempt of result.attempts)
        await trx.updateTable('attempts').set(resultColumns(attempt)).where('attempt_id', '=', attempt.attemptId).execute();
    });
  }

  async reopen(txHash: Hex): Promise<void> {
    await this.#change(async (trx) => {
      const row = await this.#transaction(trx, txHash);
      if (row.outcome === null) return;
      // Whatever had an outcome had left this machine.
      const sent_at = row.sent_at ?? this.#clock();
      await trx
        .updateTable('transactions')
        .set({ ...UNSETTLED, sent_at })
        .where('tx_hash', '=', txHash)
        .execute();
      await trx.updateTable('attempts').set(UNRESOLVED).where('tx_hash', '=', txHash).execute();
      await this.#event(trx, txHash, 'reopened', { outcome: row.outcome });
    });
  }

  open(sinceBlock: number) {
    return this.#recent.ask('open', sinceBlock, () => this.#open(sinceBlock));
  }

  async #open(sinceBlock: number) {
    const rows = await this.#db
      .selectFrom('transactions')
      .selectAll()
      .where((eb) =>
        eb.or([
          eb('outcome', 'is', null),
          eb('mined_block', '>=', sinceBlock),
          // What missed its block may be in the one that takes that block's place.
          eb.and([eb('mined_block', 'is', null), eb('last_block', '>=', sinceBlock)]),
        ]),
      )
      .orderBy('target_block')
      .orderBy('nonce')
      .execute();
    return this.#openTransactions(rows);
  }

  dormant(lane: Address) {
    return this.#recent.ask(`dormant ${lane}`, undefined, () => this.#dormant(lane));
  }

  async #dormant(lane: Address) {
    const used = await this.#db
      .selectFrom('transactions')
      .select('nonce')
      .where('lane', '=', lane)
      .where('mined_block', 'is not', null)
      .orderBy('nonce', 'desc')
      .limit(1)
      .executeTakeFirst();
    const rows = await this.#db
      .selectFrom('transactions')
      .selectAll()
      .where('lane', '=', lane)
      .where('nonce', '>', used?.nonce ?? -1)
      .where('outcome', 'in', ['missed', 'expired'])
      .orderBy('nonce')
      .orderBy('target_block')
      .execute();
    return this.#openTransactions(rows);
  }

  async decide(decision: Parameters<Ledger['decide']>[0]): Promise<void> {
    await this.#decisions.add(decision, this.#clock());
  }

  spending(sinceMs: number) {
    return this.#recent.ask('spending', sinceMs, () => spendingSince(this.#db, sinceMs));
  }

  async switchState() {
    const row = await this.#db.selectFrom('switches').select(['state', 'reason']).orderBy('id', 'desc').limit(1).executeTakeFirst();
    return row === undefined ? { state: 'running' as const, reason: undefined } : row;
  }

  async setSwitch(...[state, reason]: Parameters<Ledger['setSwitch']>): Promise<void> {
    await this.#atomically(async (trx) => {
      await trx.insertInto('switches').values({ state, reason, at: this.#clock() }).execute();
    });
  }

  async resetFailures(): Promise<void> {
    await this.#change((trx) => this.#event(trx, null, FAILURES_RESET, {}));
  }

  async commands() {
    const rows = await this.#db.selectFrom('commands').selectAll().where('answered_at', 'is', null).orderBy('id').execute();
    return rows.map((row) => ({ id: row.id, command: row.command, afterKill: row.after_kill === 1 }));
  }

  async acknowledge(id: number, answer: string): Promise<void> {
    await this.#atomically(async (trx) => {
      await trx
        .updateTable('commands')
        .set({ answer, answered_at: this.#clock() })
        .where('id', '=', id)
        .where('answered_at', 'is', null)
        .execute();
    });
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#db.selectFrom('facts').select('value').where('key', '=', key).executeTakeFirst())?.value;
  }

  async put(key: string, value: string): Promise<void> {
    const fact = { value, at: this.#clock() };
    await this.#atomically(async (trx) => {
      await trx
        .insertInto('facts')
        .values({ key, ...fact })
        .onConflict((conflict) => conflict.column('key').doUpdateSet(fact))
        .execute();
    });
  }

  async hedges() {
    const rows = await this.#db.selectFrom('hedges').select('hedge').orderBy('at').execute();
    return rows.map((row) => hedgeOf(row.hedge));
  }

  async saveHedge(hedge: Hedge): Promise<void> {
    const row = { hedge: hedgeText(hedge), at: this.#clock() };
    await this.#atomically(async (trx) => {
      await trx
        .insertInto('hedges')
        .values({ id: hedge.id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
    });
  }

  async forgetHedge(id: string): Promise<void> {
    await this.#atomically(async (trx) => {
      await trx.deleteFrom('hedges').where('id', '=', id).execute();
    });
  }

  async unwinds() {
    const rows = await this.#db.selectFrom('unwinds').select('unwind').orderBy('at').execute();
    return rows.map((row) => unwindOf(row.unwind));
  }

  async saveUnwind(unwind: Unwind): Promise<void> {
    const row = { unwind: unwindText(unwind), at: this.#clock() };
    await this.#atomically(async (trx) => {
      await trx
        .insertInto('unwinds')
        .values({ id: unwind.token, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
    });
  }

  async forgetUnwind(token: string): Promise<void> {
    await this.#atomically(async (trx) => {
      await trx.deleteFrom('unwinds').where('id', '=', token).execute();
    });
  }

  async close(): Promise<void> {
    await this.#decisions.settled();
    await this.#allBatches;
    try {
      this.#wal.close();
    } finally {
      await this.#db.destroy();
    }
  }

  async #openTransactions(rows: readonly TransactionRow[]) {
    const attempts = await attemptsOf(this.#db, rows);
    return rows.map((row) => openTransaction(row, attempts.get(row.tx_hash) ?? []));
  }

  /** A write that answers rest on. NOTE: forgotten once more when it is done: somebody may have asked meanwhile. */
  #change<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    this.#recent.forget();
    return this.#atomically(work).finally(() => this.#recent.forget());
  }

  #atomically<T>(work: (trx: Transaction<Schema>) => Promise<T>): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    return this.#enqueue({ kind: 'work', work: async (trx) => resolve(await work(trx)) }).then(() => promise);
  }

  /** What is written in one go is committed together, or not at all: a crash of thousands must not wait for thousands of disk flushes. */
  #enqueue(write: Write): Promise<void> {
    this.#waiting.push(write);
    if (this.#waiting.length === 1) {
      this.#batch = Promise.resolve().then(() => this.#writeAll());
      this.#allBatches = Promise.allSettled([this.#allBatches, this.#batch]);
    }
    return this.#batch;
  }

  async #writeAll(): Promise<void> {
    const batch = this.#waiting;
    const hurried = this.#hurried;
    this.#waiting = [];
    this.#hurried = false;
    const inserts = batch.filter((write) => write.kind === 'inserts');
    if (inserts.length === batch.length && !this.#direct.busy)
      this.#direct.transaction(() => {
        for (const { insert } of inserts) insert();
      });
    else
      await this.#db.transaction().execute(async (trx) => {
        for (const write of batch) await (write.kind === 'inserts' ? write.insert() : write.work(trx));
      });
    await this.#wal.sync();
    this.#sinceCheckpoint += batch.length;
    if (!hurried && this.#sinceCheckpoint >= CHECKPOINT_AFTER) await this.#checkpoint();
  }

  /**
   * What is in the log is safe there: where folding it in fails, a later time will do.
   * NOTE: whatever is written next begins the log anew, for which SQLite waits for the disk. That is this row, whose time is new, not an intent.
   */
  async #checkpoint(): Promise<void> {
    this.#sinceCheckpoint = 0;
    try {
      await sql`PRAGMA wal_checkpoint(PASSIVE)`.execute(this.#db);
      const fact = { value: 'done', at: this.#clock() };
      await this.#db
        .insertInto('facts')
        .values({ key: CHECKPOINT, ...fact })
        .onConflict((conflict) => conflict.column('key').doUpdateSet(fact))
        .execute();
    } catch {}
  }

  async #transaction(trx: Transaction<Schema>, txHash: Hex) {
    const row = await trx
      .selectFrom('transactions')
      .select(['outcome', 'sent_at', 'mined_block'])
      .where('tx_hash', '=', txHash)
      .executeTakeFirst();
    if (row === undefined) throw new LedgerError(`transaction ${txHash} was never intended`);
    return row;
  }

  async #event(trx: Transaction<Schema>, txHash: Hex | null, event: string, figures: Figures): Promise<number> {
    const row = { tx_hash: txHash, event, figures: JSON.stringify(figures), at: this.#clock() };
    const { id } = await trx.insertInto('events').values(row).returning('id').executeTakeFirstOrThrow();
    return id;
  }
}

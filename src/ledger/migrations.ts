import type { Transaction } from 'kysely';
import { type Database, LedgerError } from './database.ts';
import type { Schema } from './schema.ts';

type Migration = { readonly name: string; up(trx: Transaction<Schema>): Promise<void> };

/** In order, numbered from 1. A migration that was once released is never changed. */
const MIGRATIONS: readonly Migration[] = [
  { name: 'transactions, attempts, decisions, switch', up: first },
  { name: 'hedges', up: hedges },
  { name: 'unwinds', up: unwinds },
];

/** Brings the database to this program's version, all in one transaction: a crash in between leaves the old version. */
export async function migrate(db: Database, file: string, now: number): Promise<void> {
  await db.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('version', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute();
  await db.transaction().execute(async (trx) => {
    const { version } = await trx
      .selectFrom('migrations')
      .select((eb) => eb.fn.max('version').as('version'))
      .executeTakeFirstOrThrow();
    const current = version ?? 0;
    if (current > MIGRATIONS.length) throw newer(file, current);
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < current) continue;
      await migration.up(trx);
      await trx
        .insertInto('migrations')
        .values({ version: index + 1, name: migration.name, at: now })
        .execute();
    }
  });
}

/** For those who open the file without owning it. Throws LedgerError unless it has exactly this program's version. */
export async function requireVersion(db: Database, file: string): Promise<void> {
  const tables = await db.introspection.getTables();
  const known = tables.some((table) => table.name === 'migrations');
  const row = known
    ? await db
        .selectFrom('migrations')
        .select((eb) => eb.fn.max('version').as('version'))
        .executeTakeFirst()
    : undefined;
  const version = row?.version ?? 0;
  if (version > MIGRATIONS.length) throw newer(file, version);
  if (version < MIGRATIONS.length)
    throw new LedgerError(`the ledger ${file} has an older form (${version}); \`bailiff run\` brings it up to date`);
}

function newer(file: string, version: number): LedgerError {
  return new LedgerError(
    `the ledger ${file} was written by a newer version (form ${version}, known up to ${MIGRATIONS.length}); update this program`,
  );
}

// NOTE: `integer primary key` numbers itself in SQLite only; it is the one column type that another dialect has to spell differently.
async function first(trx: Transaction<Schema>): Promise<void> {
  const text = (table: ReturnType<typeof trx.schema.createTable>, required: readonly string[], optional: readonly string[] = []) => {
    const withRequired = required.reduce((builder, name) => builder.addColumn(name, 'text', (column) => column.notNull()), table);
    return optional.reduce((builder, name) => builder.addColumn(name, 'text'), withRequired);
  };
  const numbered = (name: string) => trx.schema.createTable(name).addColumn('id', 'integer', (column) => column.primaryKey());

  await text(
    trx.schema.createTable('transactions').addColumn('tx_hash', 'text', (column) => column.primaryKey()),
    ['raw', 'lane', 'channel', 'gas_limit', 'max_fee_wei', 'worst_gas_wei', 'worst_gas_usd8'],
    ['outcome', 'mined_block_hash', 'gas_used', 'gas_wei', 'bid_wei', 'net_usd8', 'native_usd8', 'balance_changes'],
  )
    .addColumn('nonce', 'bigint', (column) => column.notNull())
    .addColumn('target_block', 'bigint', (column) => column.notNull())
    .addColumn('last_block', 'bigint', (column) => column.notNull())
    .addColumn('intended_at', 'bigint', (column) => column.notNull())
    .addColumn('sent_at', 'bigint')
    .addColumn('settled_at', 'bigint')
    .addColumn('settled_event', 'bigint')
    .addColumn('mined_block', 'bigint')
    .execute();
  // One for each way in which `open` finds a transaction.
  for (const column of ['outcome', 'mined_block', 'last_block'] as const)
    await trx.schema.createIndex(`transactions_${column}`).on('transactions').column(column).execute();
  await trx.schema.createIndex('transactions_nonce').on('transactions').columns(['lane', 'nonce']).execute();
  await trx.schema.createIndex('transactions_settled').on('transactions').column('settled_at').execute();

  await text(
    trx.schema.createTable('attempts').addColumn('attempt_id', 'text', (column) => column.primaryKey()),
    [
      'protocol',
      'market',
      'account',
      'debt_asset',
      'collateral_asset',
      'repay_raw',
      'repay_usd8',
      'expected_profit_wei',
      'expected_profit_usd8',
    ],
    ['update_tx_hash', 'outcome', 'reason', 'gross_wei', 'bid_wei', 'gas_wei', 'profit_wei', 'profit_usd8'],
  )
    .addColumn('tx_hash', 'text', (column) => column.notNull().references('transactions.tx_hash'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('since_block', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('attempts_position', ['tx_hash', 'position'])
    .execute();

  await text(numbered('events'), ['event', 'figures'], ['tx_hash'])
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute();
  await trx.schema.createIndex('events_transaction').on('events').column('tx_hash').execute();

  await text(numbered('decisions'), ['protocol', 'market', 'account', 'kind', 'detail'])
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('block', 'bigint', (column) => column.notNull())
    .execute();
  await trx.schema.createIndex('decisions_age').on('decisions').column('at').execute();
  await trx.schema.createIndex('decisions_position').on('decisions').columns(['protocol', 'market', 'account', 'id']).execute();

  await text(numbered('switches'), ['state', 'reason'])
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute();
  await text(numbered('commands'), ['command'], ['answer'])
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('after_kill', 'integer', (column) => column.notNull())
    .addColumn('answered_at', 'bigint')
    .execute();
  await trx.schema
    .createTable('facts')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute();
}

async function hedges(trx: Transaction<Schema>): Promise<void> {
  await trx.schema
    .createTable('hedges')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('hedge', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute();
}

async function unwinds(trx: Transaction<Schema>): Promise<void> {
  await trx.schema
    .createTable('unwinds')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('unwind', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute();
}

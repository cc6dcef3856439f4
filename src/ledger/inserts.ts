import type { CompiledQuery, Insertable, Transaction } from 'kysely';
import type { Schema } from './schema.ts';

/** Inserts that a bundle waits for: the query builder takes longer over each than SQLite does, so it makes each statement once. */
export class Inserts {
  readonly #statements = new Map<string, CompiledQuery>();

  /** @param rows of the same columns, in the same order, whenever it is the same table */
  async insert<T extends keyof Schema>(trx: Transaction<Schema>, table: T, rows: readonly Insertable<Schema[T]>[]): Promise<void> {
    if (rows.length === 0) return;
    const key = `${table} ${rows.length}`;
    let statement = this.#statements.get(key);
    if (statement === undefined) {
      statement = trx.insertInto<keyof Schema>(table).values(rows).compile();
      this.#statements.set(key, statement);
    }
    await trx.executeQuery({ ...statement, parameters: rows.flatMap((row) => Object.values(row)) });
  }
}

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Insertable } from 'kysely';
import { guarded } from './database.ts';
import type { Schema } from './schema.ts';

/** Inserts that a bundle waits for, without the query builder and its promises, which take as long over them as SQLite does. */
export class Direct {
  readonly #sqlite: DatabaseSync;
  readonly #file: string;
  readonly #statements = new Map<string, StatementSync>();

  constructor(sqlite: DatabaseSync, file: string) {
    this.#sqlite = sqlite;
    this.#file = file;
  }

  /** A transaction of the query builder's is under way: it must end first, or be what the inserts are made in. */
  get busy(): boolean {
    return this.#sqlite.isTransaction;
  }

  /** All that `work` inserts, committed when this returns, or nothing of it. Throws LedgerError. */
  transaction(work: () => void): void {
    this.#run('begin immediate', []);
    try {
      work();
      this.#run('commit', []);
    } catch (error) {
      // NOTE: on a full disk SQLite has rolled back by itself, and a second rollback would hide the error that says so.
      if (this.#sqlite.isTransaction) this.#run('rollback', []);
      throw error;
    }
  }

  /** @param row of the same columns, in the same order, whenever it is the same table */
  insert<T extends keyof Schema>(table: T, row: Insertable<Schema[T]>): void {
    this.#run(table, Object.values(row), () => {
      const columns = Object.keys(row);
      return `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`;
    });
  }

  /** A statement that is always the same, in whatever transaction is open. */
  run(sql: string, values: readonly SQLInputValue[]): void {
    this.#run(sql, values);
  }

  #run(key: string, values: readonly SQLInputValue[], sqlOf = () => key): void {
    guarded(this.#file, () => {
      let statement = this.#statements.get(key);
      if (statement === undefined) {
        statement = this.#sqlite.prepare(sqlOf());
        this.#statements.set(key, statement);
      }
      statement.run(...values);
    });
  }
}

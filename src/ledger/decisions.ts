import { setImmediate as turn } from 'node:timers/promises';
import type { Direct } from './direct.ts';
import type { Ledger } from './types.ts';

type Decision = Parameters<Ledger['decide']>[0];
type Waiting = { readonly decision: Decision; readonly at: number; readonly written: PromiseWithResolvers<void> };

/** So many are committed together: what a bundle waits for stands behind these at most. */
const AT_ONCE = 64;

const INSERT_UNLESS_LAST = `
  insert into decisions (protocol, market, account, kind, detail, block, at)
  select ?, ?, ?, ?, ?, ?, ?
  where not exists (
    select 1 from (select kind, detail from decisions where protocol = ? and market = ? and account = ? order by id desc limit 1) as last
    where last.kind = ? and last.detail = ?
  )`;

/** Decisions, written where they differ from the last one about the position. A crash decides thousands in a block, and nobody waits for them: they let all else pass. */
export class Decisions {
  readonly #direct: Direct;
  readonly #write: (insert: () => void) => Promise<void>;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;

  /** @param write commits what one call inserts, with what else there is */
  constructor(direct: Direct, write: (insert: () => void) => Promise<void>) {
    this.#direct = direct;
    this.#write = write;
  }

  add(decision: Decision, at: number): Promise<void> {
    const written = Promise.withResolvers<void>();
    this.#waiting.push({ decision, at, written });
    this.#draining ??= this.#drain();
    return written.promise;
  }

  /** All that were added have been written, or have failed. */
  async settled(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // What is added in the same turn goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, AT_ONCE);
      try {
        await this.#write(() => {
          for (const one of some) this.#insert(one);
        });
        for (const { written } of some) written.resolve();
      } catch (error) {
        for (const { written } of some) written.reject(error);
      }
      if (this.#waiting.length > 0) await turn();
    }
    this.#draining = undefined;
  }

  #insert({ decision: { protocol, market, account, kind, detail, block }, at }: Waiting): void {
    const row = [protocol, market, account, kind, detail, block, at];
    this.#direct.run(INSERT_UNLESS_LAST, [...row, protocol, market, account, kind, detail]);
  }
}

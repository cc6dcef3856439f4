import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import { uintOf, viewCall } from '../lib/words.ts';
import { Journal, nothing } from './journal.ts';
import type { Mirrored, Reading, Undo, ViewCheck } from './types.ts';

/** Multicall3 answers for accounts what no call of theirs could. */
const getEthBalance = viewCall('function getEthBalance(address)');

/** What accounts hold of the native token, read with everything else of a block: no log tells. */
export class NativeBalances implements Mirrored {
  readonly id = 'native balances';
  readonly fromBlock = 0;
  readonly #multicall3: Address;
  readonly #accounts: readonly Address[];
  readonly #journal = new Journal();
  readonly #state: { held: readonly (bigint | undefined)[] } = { held: [] };

  constructor(multicall3: Address, accounts: readonly Address[]) {
    this.#multicall3 = multicall3;
    this.#accounts = accounts;
  }

  /** In wei; undefined where nobody answered. */
  of(account: Address): bigint | undefined {
    return this.#state.held[this.#accounts.indexOf(account)];
  }

  discoveryFilters(): readonly LogFilter[] {
    return [];
  }

  discover(_logs: readonly RawLog[]): void {}

  *anchor(block: Head): Reading {
    this.#journal.stop();
    this.#take(yield this.reads(block));
  }

  filters(): readonly LogFilter[] {
    return [];
  }

  apply(_block: Head, _logs: readonly RawLog[]): Undo {
    return nothing;
  }

  reads(_block: Head): readonly ViewCall[] {
    return this.#accounts.map((account) => getEthBalance(this.#multicall3, account));
  }

  ingest(_block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    this.#take(answers);
    return this.#journal.take();
  }

  audit(_block: BlockRef, _limit: number, _seed: number): readonly ViewCheck[] {
    return [];
  }

  #take(answers: readonly ViewAnswer[]): void {
    this.#journal.set(
      this.#state,
      'held',
      Array.from(this.#accounts, (_, index) => uintOf(answers[index])),
    );
  }
}

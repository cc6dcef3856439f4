import type { Address, BlockRef, Head, LogFilter, RawLog, ViewAnswer, ViewCall } from '../lib/types.ts';
import { uintOf, viewCall } from '../lib/words.ts';
import { Journal, nothing } from './journal.ts';
import type { Mirrored, Reading, Undo, ViewCheck } from './types.ts';

const balanceOf = viewCall('function balanceOf(address)');
/** What nobody expects there is looked for so often. */
const ALL_EVERY_BLOCKS = 32;

/** What one account holds of tokens: those that it holds or is to get in every block's batch, all others now and then. */
export class TokenHoldings implements Mirrored {
  readonly id = 'inventory';
  readonly fromBlock = 0;
  readonly account: Address;
  readonly #tokens: () => readonly Address[];
  readonly #expected = new Set<Address>();
  readonly #held = new Map<Address, bigint>();
  readonly #journal = new Journal();
  #asked: readonly Address[] = [];

  /** @param tokens all that may be found there */
  constructor(account: Address, tokens: () => readonly Address[]) {
    this.account = account;
    this.#tokens = tokens;
  }

  /** In raw units; 0 where nobody answered yet. */
  of(token: Address): bigint {
    return this.#held.get(token) ?? 0n;
  }

  /** The tokens of which it holds any. */
  get held(): readonly Address[] {
    return [...this.#held.keys()];
  }

  /** From the next block on it is looked at in each. */
  expect(tokens: Iterable<Address>): void {
    this.#expected.clear();
    for (const token of tokens) this.#expected.add(token);
  }

  discoveryFilters(): readonly LogFilter[] {
    return [];
  }

  discover(_logs: readonly RawLog[]): void {}

  *anchor(_block: Head): Reading {
    this.#journal.stop();
    this.#asked = [...this.#tokens()];
    this.#take(yield this.#calls());
  }

  filters(): readonly LogFilter[] {
    return [];
  }

  apply(_block: Head, _logs: readonly RawLog[]): Undo {
    return nothing;
  }

  reads(block: Head): readonly ViewCall[] {
    const all = block.number % ALL_EVERY_BLOCKS === 0 ? this.#tokens() : [];
    this.#asked = [...new Set([...this.#held.keys(), ...this.#expected, ...all])];
    return this.#calls();
  }

  ingest(_block: Head, answers: readonly ViewAnswer[]): Undo {
    this.#journal.begin();
    this.#take(answers);
    return this.#journal.take();
  }

  audit(_block: BlockRef, _limit: number, _seed: number): readonly ViewCheck[] {
    return [];
  }

  #calls(): readonly ViewCall[] {
    return this.#asked.map((token) => balanceOf(token, this.account));
  }

  /** What is not answered for stays as it was. */
  #take(answers: readonly ViewAnswer[]): void {
    for (const [index, token] of this.#asked.entries()) {
      const heldRaw = uintOf(answers[index]);
      if (heldRaw === undefined || heldRaw === this.of(token)) continue;
      if (heldRaw === 0n) this.#journal.deleteKey(this.#held, token);
      else this.#journal.setKey(this.#held, token, heldRaw);
    }
  }
}

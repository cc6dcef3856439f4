/** What outlasts a restart: who borrowed, and what each supplied and owes. What reserves, modes and prices are at is read at any start. */
import { covers } from '../../chain/filters.ts';
import { ByteReader, ByteWriter } from '../../lib/bytes.ts';
import type { Address, LogFilter, RawLog } from '../../lib/types.ts';
import { topicOf } from '../../lib/words.ts';
import { namedIn } from '../../mirror/keeping.ts';
import type { Slot } from '../types.ts';
import { Accounts } from './accounts.ts';
import { makeRoom, readAccounts, writeAccounts } from './packed.ts';

const ACCOUNTS_A_PIECE = 250;
const ADDRESSES_A_PIECE = 1_000;
const KIND = { contracts: 0, accounts: 1, borrowers: 2 } as const;
/** After this, what was stored may be read otherwise. */
const UPGRADED = topicOf('event Upgraded(address indexed implementation)');

/** Accounts as they were, until a log names them. */
export class KeptMarket {
  readonly filters: readonly LogFilter[];
  readonly #pool: Address;
  readonly #accounts: Accounts;
  /** By slot: 1 where they have to be read. */
  readonly #stale: Uint8Array;
  #upgraded = false;

  constructor(pool: Address, filters: readonly LogFilter[], accounts: Accounts) {
    this.#pool = pool;
    this.filters = filters;
    this.#accounts = accounts;
    this.#stale = new Uint8Array(accounts.length);
    for (let slot = 0; slot < accounts.length; slot++) this.#stale[slot] = accounts.isKnown(slot) ? 0 : 1;
  }

  see(log: RawLog): void {
    if (log.topics[0] === UPGRADED) this.#upgraded = true;
    for (const address of namedIn(log)) {
      const slot = this.#accounts.slotOf(address);
      if (slot !== undefined) this.#stale[slot] = 1;
    }
  }

  /** Who was followed, whatever has become of their state. */
  get addresses(): Iterable<Address> {
    return this.#accounts.addresses;
  }

  /**
   * The accounts, and which of them need not be read; undefined when there is another pool, or contracts whose logs would have had to be seen too.
   *
   * @param filters what the market follows now
   */
  asOf(pool: Address, filters: readonly LogFilter[]): { readonly accounts: Accounts; isFresh(slot: Slot): boolean } | undefined {
    if (pool !== this.#pool || this.#upgraded || !covers(this.filters, filters)) return undefined;
    return { accounts: this.#accounts, isFresh: (slot) => this.#stale[slot] === 0 };
  }
}

export type Followed = { readonly pool: Address; readonly filters: readonly LogFilter[]; readonly accounts: Accounts };

/** @param discovered borrowers by the contract that logged them, where nothing is followed yet */
export function* keepMarket(followed: Followed | undefined, discovered: ReadonlyMap<Address, Iterable<Address>>): Iterable<Uint8Array> {
  if (followed !== undefined) {
    yield* keepFollowed(followed);
    return;
  }
  const writer = new ByteWriter();
  for (const [contract, borrowers] of discovered) {
    const begin = () => {
      writer.byte(KIND.borrowers);
      writer.address(contract);
    };
    begin();
    let count = 0;
    for (const borrower of borrowers) {
      writer.address(borrower);
      if (++count % ADDRESSES_A_PIECE !== 0) continue;
      yield writer.take();
      begin();
    }
    yield writer.take();
  }
}

function* keepFollowed({ pool, filters, accounts }: Followed): Iterable<Uint8Array> {
  const writer = new ByteWriter();
  writer.byte(KIND.contracts);
  writer.address(pool);
  writer.filters(filters);
  yield writer.take();
  for (let slot = 0; slot < accounts.length; slot += ACCOUNTS_A_PIECE) {
    writer.byte(KIND.accounts);
    writeAccounts(writer, accounts, slot, Math.min(slot + ACCOUNTS_A_PIECE, accounts.length));
    yield writer.take();
  }
}

export type RestoredMarket = { readonly market: KeptMarket | undefined; readonly borrowers: ReadonlyMap<Address, readonly Address[]> };

export function marketIn(pieces: Iterable<Uint8Array>): RestoredMarket {
  const accounts = new Accounts();
  const packed: ByteReader[] = [];
  const borrowers = new Map<Address, Address[]>();
  let contracts: { pool: Address; filters: readonly LogFilter[] } | undefined;
  for (const piece of pieces) {
    const reader = new ByteReader(piece);
    const kind = reader.byte();
    if (kind === KIND.contracts) contracts = { pool: reader.address(), filters: reader.filters() };
    else if (kind === KIND.accounts) packed.push(reader);
    else if (kind === KIND.borrowers) {
      const contract = reader.address();
      const own = borrowers.get(contract) ?? [];
      borrowers.set(contract, own);
      while (!reader.done) own.push(reader.address());
    } else throw new RangeError(`nothing is of kind ${kind}`);
  }
  makeRoom(accounts, packed);
  for (const reader of packed) readAccounts(reader, accounts);
  return { market: contracts === undefined ? undefined : new KeptMarket(contracts.pool, contracts.filters, accounts), borrowers };
}

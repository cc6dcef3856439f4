/** What outlasts a restart: who borrowed, and what each supplied and owes. What reserves, modes and prices are at is read at any start. */
import { covers } from '../../chain/filters.ts';
import { ByteReader, ByteWriter } from '../../lib/bytes.ts';
import type { Address, LogFilter, RawLog } from '../../lib/types.ts';
import { topicOf } from '../../lib/words.ts';
import { namedIn } from '../../mirror/keeping.ts';
import type { Slot } from '../types.ts';
import { Accounts } from './accounts.ts';

const ACCOUNTS_A_PIECE = 50;
const ADDRESS_WORDS = 5;
const ADDRESSES_A_PIECE = 1_000;
const KIND = { contracts: 0, accounts: 1, borrowers: 2 } as const;
/** After this, what was stored may be read otherwise. */
const UPGRADED = topicOf('event Upgraded(address indexed implementation)');

/** Accounts as they were, until a log names them. */
export class KeptMarket {
  readonly filters: readonly LogFilter[];
  readonly #pool: Address;
  readonly #accounts: Accounts;
  readonly #count: number;
  readonly #stale = new Set<Slot>();
  #upgraded = false;

  constructor(pool: Address, filters: readonly LogFilter[], accounts: Accounts) {
    this.#pool = pool;
    this.filters = filters;
    this.#accounts = accounts;
    this.#count = accounts.length;
    for (const slot of accounts.slots()) if (!accounts.isKnown(slot)) this.#stale.add(slot);
  }

  see(log: RawLog): void {
    if (log.topics[0] === UPGRADED) this.#upgraded = true;
    for (const address of namedIn(log)) {
      const slot = this.#accounts.slotOf(address);
      if (slot !== undefined) this.#stale.add(slot);
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
    return { accounts: this.#accounts, isFresh: (slot) => slot < this.#count && !this.#stale.has(slot) };
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
  for (let slot = 0; slot < accounts.length; slot++) {
    if (writer.length === 0) writer.byte(KIND.accounts);
    writeAccount(writer, accounts, accounts.words, slot);
    if ((slot + 1) % ACCOUNTS_A_PIECE === 0) yield writer.take();
  }
  if (writer.length > 0) yield writer.take();
}

function writeAccount(writer: ByteWriter, accounts: Accounts, words: Uint32Array, slot: Slot): void {
  for (let word = slot * ADDRESS_WORDS; word < (slot + 1) * ADDRESS_WORDS; word++) writer.word(words[word]!);
  writer.byte(accounts.isKnown(slot) ? 1 : 0);
  writer.byte(accounts.eModeOf(slot));
  const first = accounts.first(slot);
  const end = accounts.end(slot);
  writer.short(end - first);
  for (let entry = first; entry < end; entry++) {
    writer.short(accounts.tagOf(entry));
    writer.bigint(accounts.amountOf(entry) ?? 0n);
  }
  const fixed = accounts.fixedOf(slot);
  writer.short(fixed.size);
  for (const [id, { principalRaw, rateRay, updatedAt }] of fixed) {
    writer.byte(id);
    writer.bigint(principalRaw);
    writer.bigint(rateRay);
    writer.number(updatedAt);
  }
}

export type RestoredMarket = { readonly market: KeptMarket | undefined; readonly borrowers: ReadonlyMap<Address, readonly Address[]> };

export function marketIn(pieces: Iterable<Uint8Array>): RestoredMarket {
  const accounts = new Accounts();
  const borrowers = new Map<Address, Address[]>();
  let contracts: { pool: Address; filters: readonly LogFilter[] } | undefined;
  for (const piece of pieces) {
    const reader = new ByteReader(piece);
    const kind = reader.byte();
    if (kind === KIND.contracts) contracts = { pool: reader.address(), filters: reader.filters() };
    else if (kind === KIND.accounts) while (!reader.done) readAccount(reader, accounts);
    else if (kind === KIND.borrowers) {
      const contract = reader.address();
      const own = borrowers.get(contract) ?? [];
      borrowers.set(contract, own);
      while (!reader.done) own.push(reader.address());
    } else throw new RangeError(`nothing is of kind ${kind}`);
  }
  return { market: contracts === undefined ? undefined : new KeptMarket(contracts.pool, contracts.filters, accounts), borrowers };
}

function readAccount(reader: ByteReader, accounts: Accounts): void {
  const slot = accounts.addWords(() => reader.word());
  accounts.setKnown(slot, reader.byte() === 1);
  accounts.setEMode(slot, reader.byte());
  for (let left = reader.short(); left > 0; left--) accounts.restore(slot, reader.short(), reader.bigint());
  for (let left = reader.short(); left > 0; left--)
    accounts.setFixed(slot, reader.byte(), { principalRaw: reader.bigint(), rateRay: reader.bigint(), updatedAt: reader.number() });
}

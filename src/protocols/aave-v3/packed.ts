/** Accounts as they are written down: in words as they lie in memory, since a million of them are read back before anything else is done. */
import type { ByteReader, ByteWriter } from '../../lib/bytes.ts';
import type { Slot } from '../types.ts';
import type { Accounts } from './accounts.ts';

const ADDRESS_WORDS = 5;
/** What is said of an account, beside its efficiency mode. */
const KNOWN = 1;
const FIXED = 2;
/** Beside an entry's own marks: its amount takes four words instead of two; or no words hold it, and it is written as a bigint. */
const WIDE = 0x800;
const ODD = 0x1000;
const LEAST_BYTES = 24;
const LEAST_ENTRY_BYTES = 10;

/** Those from a slot on, before `end`, as they are now. */
export function writeAccounts(writer: ByteWriter, accounts: Accounts, from: Slot, end: Slot): void {
  let entries = 0;
  for (let slot = from; slot < end; slot++) entries += accounts.end(slot) - accounts.first(slot);
  writer.word(end - from);
  writer.word(entries);
  const { words } = accounts;
  for (let slot = from; slot < end; slot++) {
    const fixed = accounts.fixedOf(slot);
    writer.short(accounts.end(slot) - accounts.first(slot));
    for (let word = slot * ADDRESS_WORDS; word < (slot + 1) * ADDRESS_WORDS; word++) writer.word(words[word]!);
    writer.byte((accounts.isKnown(slot) ? KNOWN : 0) | (fixed.size > 0 ? FIXED : 0));
    writer.byte(accounts.eModeOf(slot));
    for (let entry = accounts.first(slot), last = accounts.end(slot); entry < last; entry++) writeEntry(writer, accounts, entry);
    if (fixed.size === 0) continue;
    writer.short(fixed.size);
    for (const [id, { principalRaw, rateRay, updatedAt }] of fixed) {
      writer.byte(id);
      writer.bigint(principalRaw);
      writer.bigint(rateRay);
      writer.number(updatedAt);
    }
  }
}

function writeEntry(writer: ByteWriter, accounts: Accounts, entry: number): void {
  const { amounts } = accounts;
  const tag = accounts.tagOf(entry);
  if (amounts.isOdd(entry)) {
    writer.short(tag | ODD);
    writer.bigint(amounts.get(entry));
    return;
  }
  const wide = amounts.word(entry, 2) !== 0 || amounts.word(entry, 3) !== 0;
  writer.short(wide ? tag | WIDE : tag);
  for (let place = 0; place < (wide ? 4 : 2); place++) writer.word(amounts.word(entry, place));
}

/** Reads how many there are, and makes room for all: growing with each of them would copy what is there again and again. */
export function makeRoom(accounts: Accounts, readers: readonly ByteReader[]): void {
  let [count, entries] = [0, 0];
  for (const reader of readers) {
    count += Math.min(reader.word(), reader.left / LEAST_BYTES);
    entries += Math.min(reader.word(), reader.left / LEAST_ENTRY_BYTES);
  }
  accounts.reserve(Math.floor(count), Math.floor(entries));
}

/** What `writeAccounts` wrote behind that, at the next slots. Throws a RangeError for what does not fit; the accounts are of no use then. */
export function readAccounts(reader: ByteReader, accounts: Accounts): void {
  const { amounts } = accounts;
  const next = () => reader.word();
  while (!reader.done) {
    const slot = accounts.addWords(next, reader.short());
    const said = reader.byte();
    accounts.setKnown(slot, (said & KNOWN) !== 0);
    accounts.setEMode(slot, reader.byte());
    for (let entry = accounts.first(slot), last = accounts.end(slot); entry < last; entry++) {
      const tag = reader.short();
      accounts.mark(entry, tag & ~(WIDE | ODD));
      if ((tag & ODD) !== 0) amounts.set(entry, reader.bigint());
      else if ((tag & WIDE) === 0) amounts.setWords(entry, reader.word(), reader.word(), 0, 0);
      else amounts.setWords(entry, reader.word(), reader.word(), reader.word(), reader.word());
    }
    if ((said & FIXED) === 0) continue;
    for (let debts = reader.short(); debts > 0; debts--)
      accounts.setFixed(slot, reader.byte(), { principalRaw: reader.bigint(), rateRay: reader.bigint(), updatedAt: reader.number() });
  }
}

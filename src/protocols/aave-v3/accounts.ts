/**
 * The accounts of a market: what each supplied and owes, exactly, in typed arrays. An account's entries, one for each side of a reserve, stand beside each
 * other. Every change can go through a journal, which takes it back.
 */
import { AddressTable } from '../../lib/address-table.ts';
import { Amounts } from '../../lib/amounts.ts';
import { grown } from '../../lib/grown.ts';
import type { Address, Hex } from '../../lib/types.ts';
import type { Journal } from '../../mirror/journal.ts';
import type { Slot } from '../types.ts';
import type { Account } from './account.ts';
import type { FixedDebt } from './interest.ts';
import { Places } from './places.ts';

/** What is to be said of an entry beside its amount, in 16 bits: the reserve's id in the lower eight. */
const RESERVE = 0xff;
/** Owed; otherwise supplied. */
const DEBT = 0x100;
/** Collateral: its flag is set. */
const FLAGGED = 0x200;
/** Its amount was read, or follows from logs. */
const READ = 0x400;
const SIDE = DEBT | RESERVE;

const MOST_MODES = 255;
const NO_FIXED: ReadonlyMap<number, FixedDebt> = new Map();

export class Accounts {
  readonly #addresses = new AddressTable();
  readonly #places = new Places();
  #eModes = new Uint8Array(0);
  #known = new Uint8Array(0);
  #tags = new Uint16Array(0);
  readonly #amounts = new Amounts();
  /** By slot. Few have any, and no release since 3.2 does. */
  readonly #fixed = new Map<Slot, Map<number, FixedDebt>>();

  get length(): number {
    return this.#addresses.length;
  }

  /** By slot. */
  get addresses(): Iterable<Address> {
    return this.#addresses;
  }

  slotOf(address: Address): Slot | undefined {
    return this.#addresses.indexOf(address);
  }

  /** Of the address that a log's topic holds. */
  slotOfTopic(topic: Hex): Slot | undefined {
    return this.#addresses.indexOfTopic(topic);
  }

  addressOf(slot: Slot): Address {
    return this.#addresses.at(slot);
  }

  /** One that was never seen, at the next slot, or the slot of one that was. */
  add(address: Address, journal?: Journal): Slot {
    const before = this.length;
    const slot = this.#addresses.add(address);
    if (this.length === before) return slot;
    this.#open(slot);
    journal?.record(() => {
      this.#places.close(slot);
      this.#fixed.delete(slot);
      this.#addresses.pop();
    });
    return slot;
  }

  // ---- for writing many down and taking them up again (packed.ts)

  /** The words of all addresses, by slot, five each. */
  get words(): Uint32Array {
    return this.#addresses.words;
  }

  /** By entry. */
  get amounts(): Amounts {
    return this.#amounts;
  }

  /** All that is said of an entry beside its amount. */
  tagOf(entry: number): number {
    return this.#tags[entry]!;
  }

  /** Makes room for so many more. */
  reserve(accounts: number, entries: number): void {
    this.#addresses.reserve(this.length + accounts);
    this.#reserve(this.#places.end + entries);
  }

  /**
   * An account at the next slot, by the words of its address read one after another, with so many entries, which are to be marked then. Throws a RangeError for
   * one that is there already.
   */
  addWords(next: () => number, entries: number): Slot {
    const slot = this.length;
    if (this.#addresses.addWords(next) !== slot) throw new RangeError('an account is there twice');
    this.#open(slot);
    this.#places.fill(slot, entries, (all) => this.#reserve(all));
    return slot;
  }

  /** Throws a RangeError for what is said of no entry. */
  mark(entry: number, tag: number): void {
    if ((tag & ~(SIDE | FLAGGED | READ)) !== 0 || (tag & (FLAGGED | READ)) === 0) throw new RangeError(`no entry is marked ${tag}`);
    this.#tags[entry] = tag;
  }

  // ---- one by one

  isKnown(slot: Slot): boolean {
    return this.#known[slot] === 1;
  }

  setKnown(slot: Slot, known: boolean, journal?: Journal): void {
    const before = this.isKnown(slot);
    journal?.record(() => this.setKnown(slot, before));
    this.#known[slot] = known ? 1 : 0;
  }

  eModeOf(slot: Slot): number {
    return this.#eModes[slot]!;
  }

  /** Throws a RangeError for what is no uint8. */
  setEMode(slot: Slot, eMode: number, journal?: Journal): void {
    if (!(eMode >= 0 && eMode <= MOST_MODES)) throw new RangeError(`${eMode} is no efficiency mode`);
    const before = this.eModeOf(slot);
    journal?.record(() => this.setEMode(slot, before));
    this.#eModes[slot] = eMode;
  }

  // ---- entries, for those who look at many: from `first` on, before `end`

  first(slot: Slot): number {
    return this.#places.first(slot);
  }

  end(slot: Slot): number {
    return this.#places.first(slot) + this.#places.count(slot);
  }

  reserveOf(entry: number): number {
    return this.#tags[entry]! & RESERVE;
  }

  isDebt(entry: number): boolean {
    return (this.#tags[entry]! & DEBT) !== 0;
  }

  isCollateral(entry: number): boolean {
    return (this.#tags[entry]! & FLAGGED) !== 0;
  }

  /** Scaled; undefined where it has not been read yet. */
  amountOf(entry: number): bigint | undefined {
    return (this.#tags[entry]! & READ) === 0 ? undefined : this.#amounts.get(entry);
  }

  /** The same as a double, with at most three roundings; NaN where it has not been read yet. */
  floatOf(entry: number): number {
    return (this.#tags[entry]! & READ) === 0 ? Number.NaN : this.#amounts.float(entry);
  }

  /** As one that was never read. */
  clear(slot: Slot): void {
    for (let entry = this.end(slot) - 1, first = this.first(slot); entry >= first; entry--) this.#remove(slot, entry);
    this.#fixed.delete(slot);
    this.#known[slot] = 0;
    this.#eModes[slot] = 0;
  }

  // ---- by reserve

  isFlagged(slot: Slot, id: number): boolean {
    const entry = this.#find(slot, id);
    return entry !== undefined && this.isCollateral(entry);
  }

  suppliedOf(slot: Slot, id: number): bigint | undefined {
    const entry = this.#find(slot, id);
    return entry === undefined ? undefined : this.amountOf(entry);
  }

  /** 0 where nothing is owed. */
  owedOf(slot: Slot, id: number): bigint {
    const entry = this.#find(slot, id | DEBT);
    return entry === undefined ? 0n : this.#amounts.get(entry);
  }

  fixedOf(slot: Slot): ReadonlyMap<number, FixedDebt> {
    return this.#fixed.get(slot) ?? NO_FIXED;
  }

  inDebt(slot: Slot): boolean {
    for (let entry = this.first(slot), end = this.end(slot); entry < end; entry++) if (this.isDebt(entry)) return true;
    return this.#fixed.has(slot);
  }

  setFlag(slot: Slot, id: number, flagged: boolean, journal?: Journal): void {
    if (this.isFlagged(slot, id) === flagged) return;
    journal?.record(() => this.setFlag(slot, id, !flagged));
    const entry = this.#find(slot, id) ?? this.#append(slot, id);
    this.#tags[entry]! ^= FLAGGED;
    this.#dropIfEmpty(slot, entry);
  }

  /** @param scaled undefined: from now on it is not followed */
  setSupplied(slot: Slot, id: number, scaled: bigint | undefined, journal?: Journal): void {
    const found = this.#find(slot, id);
    const before = found === undefined ? undefined : this.amountOf(found);
    if (before === scaled) return;
    journal?.record(() => this.setSupplied(slot, id, before));
    const entry = found ?? this.#append(slot, id);
    if (scaled === undefined) this.#tags[entry]! &= ~READ;
    else this.#tags[entry]! |= READ;
    this.#amounts.set(entry, scaled ?? 0n);
    this.#dropIfEmpty(slot, entry);
  }

  setOwed(slot: Slot, id: number, scaled: bigint, journal?: Journal): void {
    const found = this.#find(slot, id | DEBT);
    const before = found === undefined ? 0n : this.#amounts.get(found);
    if (before === scaled) return;
    journal?.record(() => this.setOwed(slot, id, before));
    if (scaled === 0n) {
      this.#remove(slot, found!);
      return;
    }
    this.#amounts.set(found ?? this.#append(slot, id | DEBT | READ), scaled);
  }

  /** The entry of what is supplied to a reserve, or owed to it. */
  entryOf(slot: Slot, id: number, debt: boolean): number | undefined {
    return this.#find(slot, debt ? id | DEBT : id);
  }

  /** Another amount for an entry, scaled and not 0, in place of the one that it has, which is `before`. */
  replace(slot: Slot, entry: number, before: bigint, scaled: bigint, journal: Journal): void {
    const id = this.reserveOf(entry);
    const debt = this.isDebt(entry);
    journal.record(() => (debt ? this.setOwed(slot, id, before) : this.setSupplied(slot, id, before)));
    this.#amounts.set(entry, scaled);
  }

  setFixed(slot: Slot, id: number, debt: FixedDebt | undefined, journal?: Journal): void {
    const own = this.#fixed.get(slot) ?? new Map<number, FixedDebt>();
    const before = own.get(id);
    journal?.record(() => this.setFixed(slot, id, before));
    if (debt === undefined) own.delete(id);
    else own.set(id, debt);
    if (own.size === 0) this.#fixed.delete(slot);
    else this.#fixed.set(slot, own);
  }

  /** NOTE: a copy, made anew each time. */
  read(slot: Slot): Account {
    const collateral = new Set<number>();
    const supplied = new Map<number, bigint>();
    const owed = new Map<number, bigint>();
    for (let entry = this.first(slot), end = this.end(slot); entry < end; entry++) {
      const id = this.reserveOf(entry);
      const amount = this.amountOf(entry);
      if (this.isCollateral(entry)) collateral.add(id);
      if (amount !== undefined) (this.isDebt(entry) ? owed : supplied).set(id, amount);
    }
    const fixed = new Map(this.fixedOf(slot));
    return { address: this.addressOf(slot), known: this.isKnown(slot), eMode: this.eModeOf(slot), collateral, supplied, owed, fixed };
  }

  *slots(): Iterable<Slot> {
    for (let slot = 0; slot < this.length; slot++) yield slot;
  }

  /** Copies of all, by slot. */
  all(): readonly Account[] {
    return Array.from({ length: this.length }, (_, slot) => this.read(slot));
  }

  // ---- inside

  #open(slot: Slot): void {
    this.#places.open(slot);
    if (slot >= this.#known.length) {
      this.#known = grown(this.#known, slot + 1);
      this.#eModes = grown(this.#eModes, slot + 1);
    }
    this.#known[slot] = 0;
    this.#eModes[slot] = 0;
  }

  #find(slot: Slot, side: number): number | undefined {
    for (let entry = this.first(slot), end = this.end(slot); entry < end; entry++) if ((this.#tags[entry]! & SIDE) === side) return entry;
    return undefined;
  }

  /** An entry more for the account, whose others may move for it. */
  #append(slot: Slot, tag: number): number {
    const { from, to } = this.#places.append(slot, (entries) => this.#reserve(entries));
    const entry = this.end(slot) - 1;
    if (from !== to) for (let offset = 0; to + offset < entry; offset++) this.#move(from + offset, to + offset);
    this.#tags[entry] = tag;
    return entry;
  }

  #dropIfEmpty(slot: Slot, entry: number): void {
    if ((this.#tags[entry]! & (FLAGGED | READ)) === 0) this.#remove(slot, entry);
  }

  /** The last one takes its place. */
  #remove(slot: Slot, entry: number): void {
    const last = this.end(slot) - 1;
    if (entry !== last) this.#move(last, entry);
    this.#amounts.set(last, 0n);
    this.#places.removeLast(slot);
  }

  #move(from: number, to: number): void {
    this.#tags[to] = this.#tags[from]!;
    this.#amounts.set(to, this.#amounts.get(from));
    this.#amounts.set(from, 0n);
  }

  #reserve(entries: number): void {
    this.#amounts.reserve(entries);
    if (entries > this.#tags.length) this.#tags = grown(this.#tags, entries);
  }
}

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressAt } from '../../../scripts/bench/market.ts';
import { ByteReader, ByteWriter } from '../../../src/lib/bytes.ts';
import { Journal } from '../../../src/mirror/journal.ts';
import { Accounts } from '../../../src/protocols/aave-v3/accounts.ts';
import { keepMarket, marketIn } from '../../../src/protocols/aave-v3/kept.ts';
import { makeRoom, readAccounts, writeAccounts } from '../../../src/protocols/aave-v3/packed.ts';

/** Two numbers that tell how much follows. */
const ACCOUNTS_HEAD = 8;

/** An account as maps and sets have it. */
class Model {
  known = false;
  eMode = 0;
  readonly collateral = new Set<number>();
  readonly supplied = new Map<number, bigint>();
  readonly owed = new Map<number, bigint>();
  readonly fixed = new Map<number, { principalRaw: bigint; rateRay: bigint; updatedAt: number }>();
}

const LIMB = 2n ** 64n;
/** Around the edges of limbs, below zero, and beyond what tokens hold. */
const amounts = fc.oneof(
  fc.constantFrom(
    0n,
    1n,
    LIMB - 1n,
    LIMB,
    LIMB + 1n,
    LIMB * LIMB - LIMB - 1n,
    LIMB * LIMB - LIMB,
    LIMB * LIMB,
    2n ** 256n - 1n,
    -1n,
    -LIMB,
  ),
  fc.bigInt(0n, 2n ** 120n),
);
const kinds = ['join', 'known', 'mode', 'flag', 'unflag', 'supply', 'forget', 'owe', 'clear', 'fix', 'unfix'] as const;
const change = fc.record({ kind: fc.constantFrom(...kinds), who: fc.nat(), id: fc.oneof(fc.nat(3), fc.nat(255)), amount: amounts });
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function apply({ kind, who, id, amount }: Change, accounts: Accounts, models: Model[], journal: Journal): void {
  if (kind === 'join' || models.length === 0) {
    expect(accounts.add(addressAt(7_000 + models.length), journal)).toBe(models.push(new Model()) - 1);
    return;
  }
  const slot = who % models.length;
  const model = models[slot]!;
  if (kind === 'known') {
    model.known = amount > 0n;
    accounts.setKnown(slot, model.known, journal);
  }
  if (kind === 'mode') {
    model.eMode = id;
    accounts.setEMode(slot, id, journal);
  }
  if (kind === 'flag' || kind === 'unflag') {
    accounts.setFlag(slot, id, kind === 'flag', journal);
    if (kind === 'flag') model.collateral.add(id);
    else model.collateral.delete(id);
  }
  if (kind === 'supply') {
    accounts.setSupplied(slot, id, amount, journal);
    model.supplied.set(id, amount);
  }
  if (kind === 'forget') {
    accounts.setSupplied(slot, id, undefined, journal);
    model.supplied.delete(id);
  }
  if (kind === 'owe' || kind === 'clear') {
    const owed = kind === 'owe' ? amount : 0n;
    accounts.setOwed(slot, id, owed, journal);
    if (owed === 0n) model.owed.delete(id);
    else model.owed.set(id, owed);
  }
  if (kind === 'fix') {
    const debt = { principalRaw: amount, rateRay: amount, updatedAt: id };
    accounts.setFixed(slot, id, debt, journal);
    model.fixed.set(id, debt);
  }
  if (kind === 'unfix') {
    accounts.setFixed(slot, id, undefined, journal);
    model.fixed.delete(id);
  }
}

function expectSame(accounts: Accounts, models: readonly Model[]): void {
  const addresses = models.map((_, index) => addressAt(7_000 + index));
  expect(accounts.all()).toEqual(models.map((model, slot) => ({ ...model, address: addresses[slot] })));
  for (const [slot, { owed, fixed, supplied, collateral }] of models.entries()) {
    expect(accounts.slotOf(addresses[slot]!)).toBe(slot);
    expect(accounts.inDebt(slot)).toBe(owed.size > 0 || fixed.size > 0);
    for (const [id, amount] of supplied) expect(accounts.suppliedOf(slot, id)).toBe(amount);
    for (const [id, amount] of owed) expect(accounts.owedOf(slot, id)).toBe(amount);
    for (const id of collateral) expect(accounts.isFlagged(slot, id)).toBe(true);
  }
}

it('holds what maps and sets hold, and takes blocks back', () => {
  const block = fc.record({ changes: fc.array(change, { maxLength: 25 }), stays: fc.boolean() });
  const property = fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
    const accounts = new Accounts();
    let models: Model[] = [];
    const journal = new Journal();
    for (const { changes, stays } of blocks) {
      const before = structuredClone(models);
      journal.begin();
      for (const one of changes) apply(one, accounts, models, journal);
      expectSame(accounts, models);
      const undo = journal.take();
      if (stays) continue;
      undo();
      models = before;
      expectSame(accounts, models);
    }
  });
  fc.assert(property, { numRuns: 60, seed: 1 });
});

it('is taken up as it was written down, and goes on from there', () => {
  const property = fc.property(
    fc.array(change, { maxLength: 120 }),
    fc.nat(4),
    fc.array(change, { maxLength: 40 }),
    (before, size, after) => {
      const accounts = new Accounts();
      const models: Model[] = [];
      for (const one of before) apply(one, accounts, models, new Journal());
      const again = new Accounts();
      const pieces: Buffer[] = [];
      const filters = [{ topics0: [] }];
      for (const piece of keepMarket({ pool: addressAt(1), filters, accounts }, new Map())) pieces.push(Buffer.from(piece));
      const writer = new ByteWriter();
      for (let slot = 0; slot < accounts.length; slot += size + 1) {
        writeAccounts(writer, accounts, slot, Math.min(slot + size + 1, accounts.length));
        const reader = new ByteReader(Buffer.from(writer.take()));
        makeRoom(again, [reader]);
        readAccounts(reader, again);
      }
      expectSame(again, models);
      const kept = marketIn(pieces).market!.asOf(addressAt(1), filters)!.accounts;
      expectSame(kept, models);
      for (const one of after) apply(one, kept, models, new Journal());
      expectSame(kept, models);
    },
  );
  fc.assert(property, { numRuns: 60, seed: 2 });
});

it('is refused where it was written down otherwise: cut off, twice, or marked as nothing is', () => {
  const accounts = new Accounts();
  const slot = accounts.add(addressAt(1));
  accounts.setOwed(slot, 3, 2n ** 70n);
  const writer = new ByteWriter();
  writeAccounts(writer, accounts, 0, 1);
  const written = Buffer.from(writer.take());
  const read = (bytes: Uint8Array) => {
    const reader = new ByteReader(bytes);
    const taken = new Accounts();
    makeRoom(taken, [reader]);
    readAccounts(reader, taken);
    return taken.all();
  };
  expect(read(written)).toEqual(accounts.all());
  for (let length = 0; length < written.length; length++)
    if (length !== ACCOUNTS_HEAD) expect(() => read(written.subarray(0, length))).toThrow(RangeError);
  expect(() => read(Buffer.concat([written, written.subarray(ACCOUNTS_HEAD)]))).toThrow('twice');
  const tag = written.indexOf(Buffer.from([3, 0b1101]));
  written[tag + 1]! |= 0x80;
  expect(() => read(written)).toThrow('no entry is marked');
});

it('has room for both sides of every reserve of a market', () => {
  const accounts = new Accounts();
  for (let slot = 0; slot < 3; slot++) accounts.add(addressAt(slot));
  for (let id = 0; id < 256; id++)
    for (let slot = 0; slot < 3; slot++) {
      accounts.setFlag(slot, id, true);
      accounts.setSupplied(slot, id, BigInt(1_000 * slot + id));
      accounts.setOwed(slot, id, BigInt(1 + 2_000 * slot + id));
    }
  for (let slot = 0; slot < 3; slot++) {
    const { collateral, supplied, owed } = accounts.read(slot);
    expect([collateral.size, supplied.size, owed.size]).toEqual([256, 256, 256]);
    expect([supplied.get(255), owed.get(255)]).toEqual([BigInt(1_000 * slot + 255), BigInt(2_000 * slot + 256)]);
  }
});

it('refuses an efficiency mode that no uint8 can name', () => {
  const accounts = new Accounts();
  const slot = accounts.add(addressAt(1));
  expect(() => accounts.setEMode(slot, 256)).toThrow(RangeError);
});

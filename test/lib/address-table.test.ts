import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AddressTable } from '../../src/lib/address-table.ts';
import type { Address } from '../../src/lib/types.ts';

const few = fc.integer({ min: 0, max: 40 }).map((number): Address => `0x${(BigInt(number) * 2n ** 32n).toString(16).padStart(40, '0')}`);
const any = fc.bigInt(0n, 2n ** 160n - 1n).map((number): Address => `0x${number.toString(16).padStart(40, '0')}`);

it('tells numbers and addresses as a list and a map do, whatever is added and taken out', () => {
  const change = fc.oneof(fc.record({ add: fc.oneof(few, any) }), fc.constant('pop' as const));
  const property = fc.property(fc.array(change, { maxLength: 400 }), fc.array(any, { maxLength: 5 }), (changes, strangers) => {
    const table = new AddressTable();
    const list: Address[] = [];
    for (const one of changes) {
      if (one !== 'pop') {
        const known = list.indexOf(one.add);
        expect(table.add(one.add)).toBe(known === -1 ? list.push(one.add) - 1 : known);
      } else if (list.length > 0) {
        const gone = list.pop()!;
        table.pop();
        expect(table.indexOf(gone)).toBeUndefined();
      }
      expect(table.length).toBe(list.length);
    }
    for (const [index, address] of list.entries()) {
      expect(table.at(index)).toBe(address);
      expect(table.indexOf(address)).toBe(index);
    }
    for (const stranger of strangers) if (!list.includes(stranger)) expect(table.indexOf(stranger)).toBeUndefined();
    expect(table.words).toHaveLength(5 * list.length);
  });
  fc.assert(property, { numRuns: 60, seed: 1 });
});

it('refuses what is no address, and numbers that nobody has', () => {
  const table = new AddressTable();
  expect(() => table.add('0x12')).toThrow(RangeError);
  expect(() => table.at(0)).toThrow(RangeError);
  expect(() => table.pop()).toThrow(RangeError);
});

import fc from 'fast-check';
import { serializeTransaction } from 'viem';
import { expect, it } from 'vitest';
import { Eip1559Bytes } from '../../src/lib/eip1559.ts';
import type { Address, Hex } from '../../src/lib/types.ts';

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((data): Hex => `0x${Buffer.from(data).toString('hex')}`);
const address = hex(20) as fc.Arbitrary<Address>;
/** Zero, one byte below and above 0x80, the edges of short and long lengths. */
const data = fc.oneof(fc.constantFrom<Hex>('0x', '0x00', '0x7f', '0x80'), ...[54, 55, 56, 57, 255, 256, 1_400, 66_000].map(hex));
const wei = fc.oneof(fc.constantFrom(0n, 1n, 127n, 128n, 255n, 256n), fc.bigInt(0n, 2n ** 255n));
const fields = fc.record({
  ...{ chainId: fc.integer({ min: 1, max: 2 ** 31 }), nonce: fc.oneof(fc.nat(300), fc.nat()), gasLimit: fc.bigInt(0n, 2n ** 63n) },
  ...{ to: fc.option(address), valueWei: wei, data },
  accessList: fc.array(fc.record({ address, storageKeys: fc.array(hex(32), { maxLength: 3 }) }), { maxLength: 3 }),
  fees: fc.tuple(wei, wei).map(([a, b]) => (a < b ? { priorityFeeWei: a, maxFeeWei: b } : { priorityFeeWei: b, maxFeeWei: a })),
});
/** Words that begin with zeros among them. */
const word = fc.oneof(
  hex(32),
  hex(30).map((digits): Hex => `0x0000${digits.slice(2)}`),
);

it('is what viem makes of it, unsigned and signed', () => {
  const signature = fc.record({ r: word, s: word, yParity: fc.constantFrom<0 | 1>(0, 1) });
  const property = fc.property(fields, signature, ({ fees, ...one }, by) => {
    const bytes = new Eip1559Bytes({ ...one, ...fees });
    const { to, valueWei: value, gasLimit: gas, ...rest } = one;
    const theirs = {
      ...rest,
      to,
      value,
      gas,
      type: 'eip1559',
      maxFeePerGas: fees.maxFeeWei,
      maxPriorityFeePerGas: fees.priorityFeeWei,
    } as const;
    expect(bytes.unsigned).toBe(serializeTransaction(theirs));
    expect(bytes.signed(by)).toBe(serializeTransaction(theirs, by));
  });
  fc.assert(property, { numRuns: 100, seed: 1 });
});

it('refuses an amount below zero', () => {
  const plain = { chainId: 1, nonce: 0, priorityFeeWei: 0n, maxFeeWei: 0n, gasLimit: 0n, to: null, data: '0x', accessList: [] } as const;
  expect(() => new Eip1559Bytes({ ...plain, valueWei: -1n })).toThrow(RangeError);
});

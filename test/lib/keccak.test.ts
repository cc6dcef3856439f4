import fc from 'fast-check';
import { keccak256 as reference, toHex } from 'viem';
import { expect, it } from 'vitest';
import { keccak256 } from '../../src/lib/keccak.ts';

it('equals viem’s, of bytes and of hex', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      expect(keccak256(bytes)).toBe(reference(bytes));
      expect(keccak256(toHex(bytes))).toBe(reference(bytes));
    }),
  );
});

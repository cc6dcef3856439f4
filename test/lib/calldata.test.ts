import fc from 'fast-check';
import { type AbiFunction, encodeFunctionData, parseAbiItem } from 'viem';
import { expect, it } from 'vitest';
import { calldataOf } from '../../src/lib/calldata.ts';
import type { Address, Hex } from '../../src/lib/types.ts';

const ADDRESS: Address = `0x${'0a'.repeat(20)}`;
const address = fc.bigInt(0n, 2n ** 160n - 1n).map((number): Address => `0x${number.toString(16).padStart(40, '0')}`);
const bytes = fc.uint8Array({ maxLength: 100 }).map((data): Hex => `0x${Buffer.from(data).toString('hex')}`);
const uint = (bits: bigint) => fc.oneof(fc.constantFrom(0n, 2n ** bits - 1n), fc.bigInt(0n, 2n ** bits - 1n));
const int = (bits: bigint) => fc.bigInt(-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n);

const item = parseAbiItem('function f(address a, bytes b, bool c, uint256 d, int24 e, bytes f, uint16 g)');

it('is what viem makes of it, byte for byte', () => {
  const ours = calldataOf(item);
  const args = fc.tuple(address, bytes, fc.boolean(), uint(256n), int(24n).map(Number), bytes, fc.nat(65_535));
  const property = fc.property(args, (given) => {
    expect(ours(...given)).toBe(encodeFunctionData({ abi: [item], args: given }));
  });
  fc.assert(property, { numRuns: 300, seed: 1 });
});

it('writes structs of words in their place, between others and `bytes`', () => {
  const structs = parseAbiItem(['function g((address a, uint24 b, int24 c) key, bytes d, (bool e, (int256 f, uint160 g) h) params)']);
  const ours = calldataOf(structs);
  const key = fc.record({ a: address, b: uint(24n).map(Number), c: int(24n).map(Number) });
  const params = fc.record({ e: fc.boolean(), h: fc.record({ f: int(256n), g: uint(160n) }) });
  const property = fc.property(fc.tuple(key, bytes, params), (given) => {
    expect(ours(...given)).toBe(encodeFunctionData({ abi: [structs], args: given }));
  });
  fc.assert(property, { numRuns: 100, seed: 1 });
});

it('has a selector alone where there are no arguments', () => {
  const nothing = parseAbiItem('function deposit()');
  expect(calldataOf(nothing)()).toBe(encodeFunctionData({ abi: [nothing] }));
});

it.each<[string, Partial<{ a: Address; d: bigint; e: number; g: number }>]>([
  ['an address of another length', { a: '0x0a' }],
  ['more than a word holds', { d: 2n ** 256n }],
  ['less than zero', { d: -1n }],
  ['more than a signed number of 24 bits', { e: 2 ** 23 }],
  ['more than a number of 16 bits', { g: 65_536 }],
])('refuses %s', (_, { a = ADDRESS, d = 0n, e = 0, g = 0 }) => {
  expect(() => calldataOf(item)(a, '0x', true, d, e, '0x', g)).toThrow(RangeError);
});

it.each(['function f(uint256[] a)', 'function f((uint256 a, bytes b) c)'])(
  'refuses functions with arguments of other types: %s',
  (text) => {
    expect(() => calldataOf(parseAbiItem(text) as AbiFunction)).toThrow(TypeError);
  },
);

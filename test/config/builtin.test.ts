import { expect, test } from 'vitest';
import { resolveAddressBook } from '../../src/config/addressBook.ts';
import { builtInBook } from '../../src/config/builtInBook.ts';

test.each([1, 10, 56, 100, 137, 8453, 42161, 43114])('chain %i is usable by its id alone', (chainId) => {
  const book = resolveAddressBook(chainId, undefined, builtInBook(chainId));
  expect(book['aave-v3'].length).toBeGreaterThan(0);
  expect(new Set(book['aave-v3'].map(({ name }) => name)).size).toBe(book['aave-v3'].length);
  expect(book.bridgeTokens).toContain(book.wrappedNative);
  const told = [
    book.wrappedNative,
    book.multicall3,
    ...book.bridgeTokens,
    ...book['aave-v3'].map((market) => market.poolAddressesProvider),
    ...book['morpho-blue'].flatMap(({ morpho, preLiquidationFactory }) => [morpho, preLiquidationFactory]),
  ];
  for (const address of told) expect(address).toMatch(/^0x[0-9a-f]{40}$/);
});

test('a chain that is not known has no book', () => {
  expect(builtInBook(7777)).toBeUndefined();
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resolveAddressBook } from '../../src/config/addressBook.ts';
import { builtInBook } from '../../src/config/builtInBook.ts';
import { PROTOCOLS } from '../../src/protocols/registry.ts';
import type { ProtocolName } from '../../src/protocols/types.ts';

/** Where dollars are told by an Aave market; elsewhere the operator has to name `usdFeeds`. */
const PRICED = [1, 10, 56, 100, 137, 1868, 8453, 42161, 43114, 59144, 534352];
const OTHERS = [130, 143, 480];

test.each(PRICED)('chain %i is usable by its id alone', (chainId) => {
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

test('the README says what is built in, chain by chain', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, table] = /<!-- book -->\n(.*?)\n<!-- \/book -->/s.exec(readme) ?? [];
  const rows = [...PRICED, ...OTHERS]
    .sort((a, b) => a - b)
    .map((chainId) => {
      const book = builtInBook(chainId)!;
      const names = (protocol: ProtocolName) => (book[protocol] ?? []).map(({ name }) => name).join(', ');
      return `| ${chainId} ${book.name} | ${PROTOCOLS.map(names).join(' | ')} |`;
    });
  expect(table?.split('\n')).toEqual([`| chain | ${PROTOCOLS.join(' | ')} |`, `| --- |${' --- |'.repeat(PROTOCOLS.length)}`, ...rows]);
});

test('a chain that is not known has no book', () => {
  expect(builtInBook(7777)).toBeUndefined();
});

/** Where discovery names no contract, what it is given may be anybody's. */
import { expect, test } from 'vitest';
import type { Address, Hex, RawLog } from '../../src/lib/types.ts';
import { Feeds } from '../../src/oracles/feeds.ts';
import { AaveV3Market } from '../../src/protocols/aave-v3/market.ts';
import { CompoundV2 } from '../../src/protocols/compound-v2/compound-v2.ts';
import type { Protocol } from '../../src/protocols/types.ts';

const ADDRESS: Address = `0x${'12'.repeat(20)}`;
const WORD: Hex = `0x${'00'.repeat(12)}${'34'.repeat(20)}`;
const MOST_TOPICS = 4;

/** Each wanted event as contracts can log it at the shortest: with one topic to four, and with no data or part of a word. */
function stubsOf(protocol: Protocol): RawLog[] {
  const topics0 = protocol.discoveryFilters().flatMap(({ addresses, topics0 }) => (addresses === undefined ? topics0 : []));
  const block = { blockNumber: 1, blockHash: WORD, transactionHash: WORD, logIndex: 0 };
  return topics0.flatMap((topic) =>
    Array.from({ length: MOST_TOPICS }, (_, more) => [topic, ...Array.from({ length: more }, () => WORD)]).flatMap((topics) =>
      (['0x', '0x1234'] as const).map((data) => ({ ...block, address: ADDRESS, topics, data })),
    ),
  );
}

test.each([
  new AaveV3Market({ name: 'core', poolAddressesProvider: ADDRESS, fromBlock: 0 }, new Feeds()),
  new CompoundV2({ name: 'core', comptroller: ADDRESS, fromBlock: 0 }, ADDRESS, new Feeds()),
])('$id takes no harm from a stranger’s logs that are cut short', (protocol) => {
  const stubs = stubsOf(protocol);
  expect(stubs.length).toBeGreaterThan(0);
  expect(() => protocol.discover(stubs)).not.toThrow();
});

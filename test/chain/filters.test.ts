import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, mergeFilters, router } from '../../src/chain/filters.ts';
import type { Address, Hex, LogFilter, RawLog } from '../../src/lib/types.ts';
import { account } from '../support/tally-chain.ts';

const topic = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`;
const logOf = (address: Address, first: Hex): RawLog => ({
  address,
  topics: [first],
  data: '0x',
  blockNumber: 1,
  blockHash: topic(1),
  logIndex: 0,
  transactionHash: topic(2),
});

const addresses = fc.uniqueArray(fc.integer({ min: 0, max: 5 }).map(account), { maxLength: 4 });
const topics0 = fc.uniqueArray(fc.integer({ min: 0, max: 5 }).map(topic), { maxLength: 4 });
const filter: fc.Arbitrary<LogFilter> = fc.oneof(fc.record({ addresses, topics0 }), fc.record({ topics0 }));
const everyLog = [0, 1, 2, 3, 4, 5].flatMap((a) => [0, 1, 2, 3, 4, 5].map((t) => logOf(account(a), topic(t))));
const passesOne = (log: RawLog, { addresses: among, topics0: first }: LogFilter) =>
  (among === undefined || among.includes(log.address)) && first.includes(log.topics[0]!);

describe('filters', () => {
  it('when merged are at most two, and let through whatever any of them does', () => {
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 5 }), (filters) => {
        const merged = mergeFilters(filters);
        expect(merged.length).toBeLessThanOrEqual(2);
        for (const log of everyLog)
          if (filters.some((one) => passesOne(log, one))) expect(merged.some((one) => passesOne(log, one))).toBe(true);
        expect(covers(merged, filters)).toBe(true);
      }),
    );
  });

  it('route exactly what they let through', () => {
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 5 }), (filters) => {
        const passes = router(filters);
        for (const log of everyLog) expect(passes(log)).toBe(filters.some((one) => passesOne(log, one)));
      }),
    );
  });

  it('are covered only when no log of theirs would be missed', () => {
    fc.assert(
      fc.property(fc.array(filter, { maxLength: 3 }), fc.array(filter, { maxLength: 3 }), (fetched, wanted) => {
        if (!covers(fetched, wanted)) return;
        for (const log of everyLog)
          if (wanted.some((one) => passesOne(log, one))) expect(fetched.some((one) => passesOne(log, one))).toBe(true);
      }),
    );
  });

  it('with more addresses than a node takes at once are split', () => {
    const many = Array.from({ length: 2_500 }, (_, i) => account(i));
    expect(mergeFilters([{ addresses: many, topics0: [topic(1)] }]).map((one) => one.addresses?.length)).toEqual([1_000, 1_000, 500]);
  });
});

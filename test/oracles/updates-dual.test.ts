/** A DualAggregator's two paths, by the rules of its transmitSecondary and _getLatestRound; and the bounds of the set of pending updates. */
import type { Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import type { Address, RawLog } from '../../src/lib/types.ts';
import { topicOf } from '../../src/lib/words.ts';
import { type AggregatorState, isAuctioned } from '../../src/oracles/ocr-state.ts';
import { NO_UPDATES, pendingOf, reducePending } from '../../src/oracles/pending-updates.ts';
import { answersAfter, type Known, type PriceUpdate } from '../../src/oracles/updates.ts';

const aggregator: Address = `0x${'a1'.repeat(20)}`;
const auctioned: Address = `0x${'5e'.repeat(20)}`;
const primary: Address = `0x${'91'.repeat(20)}`;
const hashOf = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`;
const PHASE = 3n << 64n;
const NOW = 1_000;

const state: AggregatorState = {
  ...{ configDigest: '0x', configBlock: 1, transmitters: new Set(), minAnswer: 0n, maxAnswer: 10n ** 20n, dual: true },
  latestEpochAndRound: 512,
  rounds: [
    { id: 7, answer: 100n, observationsTimestamp: 900, updatedAt: 905, by: hashOf(1) },
    { id: 8, answer: 101n, observationsTimestamp: 950, updatedAt: 955, by: hashOf(2) },
  ],
  secondary: { round: 7, by: hashOf(3) },
};

/** The auctioned proxy is one round behind. */
const known: Known = {
  state: () => state,
  sendersOf: () => undefined,
  feedsOf: () => [auctioned, primary],
  auctioned: (_, feed) => feed === auctioned,
  answer: (feed) =>
    feed === auctioned ? { roundId: PHASE | 7n, answer: 100n, updatedAt: 905 } : { roundId: PHASE | 8n, answer: 101n, updatedAt: 955 },
};

let count = 100;
function update(secondary: boolean, epochAndRound: number, median: bigint, observationsTimestamp: number): PriceUpdate {
  const signed = { report: '0x', context: '0x', rs: [], ss: [], vs: [] } as const;
  return {
    sighting: { kind: 'hint', txHash: hashOf(count++), to: aggregator, data: '0x', seenAtMs: 0 },
    transmission: {
      ...{ ocr: 2, secondary, aggregator, forwarder: undefined, configDigest: '0x', observations: [median], signed },
      ...{ epochAndRound, median, observationsTimestamp },
    },
    feeds: new Map(),
  };
}

describe('of a DualAggregator', () => {
  const outcomeOf = (...ordered: PriceUpdate[]) => answersAfter(ordered, known, NOW);

  it('a transmission moves the other proxies alone', () => {
    expect(outcomeOf(update(false, 600, 105n, 990))).toEqual(new Map([[primary, { roundId: PHASE | 9n, answer: 105n, updatedAt: NOW }]]));
  });

  it('a secondary transmission of a new report moves the auctioned proxy alone', () => {
    expect(outcomeOf(update(true, 600, 105n, 990))).toEqual(new Map([[auctioned, { roundId: PHASE | 9n, answer: 105n, updatedAt: NOW }]]));
  });

  it('a secondary transmission of a report that is there unlocks its round, however old, with its own time', () => {
    expect(outcomeOf(update(true, 512, 101n, 950))).toEqual(new Map([[auctioned, { roundId: PHASE | 8n, answer: 101n, updatedAt: 955 }]]));
  });

  it('a secondary transmission of what is unlocked already changes nothing', () => {
    expect(outcomeOf(update(true, 500, 100n, 900))).toEqual(new Map());
  });

  it('both paths in one block reach one round', () => {
    const expected = { roundId: PHASE | 9n, answer: 105n, updatedAt: NOW };
    expect(outcomeOf(update(false, 600, 105n, 990), update(true, 600, 105n, 990))).toEqual(
      new Map([
        [primary, expected],
        [auctioned, expected],
      ]),
    );
    expect(outcomeOf(update(true, 600, 105n, 990), update(false, 600, 105n, 990))).toEqual(new Map([[auctioned, expected]]));
  });

  describe('the auctioned proxy', () => {
    const transmitted = topicOf('event NewTransmission(uint32 indexed aggregatorRoundId)');
    const secondary = topicOf('event SecondaryRoundIdUpdated(uint32 indexed secondaryRoundId)');
    const unlocked = topicOf('event PrimaryFeedUnlocked(uint32 indexed primaryRoundId)');
    const log = (topic: Hex, transactionHash: Hex): RawLog => ({
      ...{ address: aggregator, topics: [topic, hashOf(8)], data: '0x', blockNumber: 1, blockHash: hashOf(0), logIndex: 0 },
      transactionHash,
    });
    const byPrimary = [log(transmitted, hashOf(2))];
    const bySecondary = [log(secondary, hashOf(2)), log(transmitted, hashOf(2))];

    it.each([
      ['lags behind a primary transmission', byPrimary, 7, true],
      ['is not the one that follows a primary transmission', byPrimary, 8, false],
      ['follows a secondary transmission', bySecondary, 8, true],
      ['is not the one that lags behind a secondary transmission', bySecondary, 7, false],
      ['cannot be told where both paths brought the round', [...byPrimary, log(secondary, hashOf(4))], 8, undefined],
      ['cannot be told where the primary was unlocked after', [...bySecondary, log(unlocked, hashOf(4))], 8, undefined],
      ['cannot be told from a block that brought no round', [], 8, undefined],
    ] as const)('%s', (_, logs, answered, expected) => {
      expect(isAuctioned(state, logs, answered)).toBe(expected);
    });
  });
});

describe('the set of pending updates', () => {
  const see = (from = NO_UPDATES, one = update(false, 600, 105n, 990)) =>
    reducePending(from, { kind: 'seen', update: one, block: 1 }, known);

  it('is bounded: what waits no more makes room first, then the oldest', () => {
    const updates = Array.from({ length: 257 }, () => update(false, 600, 105n, 990));
    let [current] = see(NO_UPDATES, updates[0]);
    for (const one of updates.slice(1, 256)) [current] = see(current, one);
    const [oldestLeft, changes] = see(current, updates[256]);
    expect(changes.map(({ kind }) => kind)).toEqual(['gone', 'pending']);
    expect(pendingOf(oldestLeft)[0]).toBe(updates[1]);
    const [withForged] = reducePending(current, { kind: 'forged', txHash: updates[9]!.sighting.txHash }, known);
    const [forgedLeft] = see(withForged, updates[256]);
    expect(pendingOf(forgedLeft)[0]).toBe(updates[0]);
  });

  it('takes what was forged for nothing else again, even when it is seen once more', () => {
    const one = update(false, 600, 105n, 990);
    const [seen] = see(NO_UPDATES, one);
    const [forged] = reducePending(seen, { kind: 'forged', txHash: one.sighting.txHash }, known);
    expect(see(forged, one)[1]).toEqual([]);
    expect(reducePending(forged, { kind: 'block', number: 2 }, known)[1]).toEqual([]);
  });

  it('takes the bytes of a hint that turns up in public', () => {
    const hint = update(false, 600, 105n, 990);
    const fees = { gas: 1n, maxFeePerGasWei: 1n, maxPriorityFeePerGasWei: 1n };
    const sighting = { ...hint.sighting, ...fees, kind: 'public', raw: '0x02', from: primary, nonce: 4 } as const;
    const [seen] = see(NO_UPDATES, hint);
    const [current, changes] = see(seen, { ...hint, sighting });
    expect(changes).toMatchObject([{ kind: 'pending', update: { sighting: { kind: 'public' } } }]);
    expect(pendingOf(current)).toHaveLength(1);
    expect(see(current, hint)[1]).toEqual([]);
  });
});

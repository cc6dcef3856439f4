/** May prices be believed: each guard by example, and at random figures. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkFeed, checkPool, checkSequencer, differenceBps, type OracleBounds } from '../../src/guard/oracle.ts';
import type { FeedAnswer, FeedState } from '../../src/oracles/types.ts';

const FEED = `0x${'fe'.repeat(20)}` as const;
const NOW = 1_700_000_000;
const PHASE = 1n << 64n;

const bounds: OracleBounds = {
  maxFeedAgeSeconds: 86_400,
  heartbeatSeconds: {},
  maxJumpBps: 5_000n,
  maxPoolDeviationBps: 2_000n,
  sequencerGraceSeconds: 3_600,
};

const round = (roundId: bigint, answer: bigint, updatedAt = NOW - 60): FeedAnswer => ({ roundId, answer, updatedAt });
const state = (before: FeedAnswer | undefined, answer: FeedAnswer, rest: Partial<FeedState> = {}): FeedState => ({
  ...{ before, answer, answeredInRound: answer.roundId, decimals: 8n, firstDecimals: 8n },
  ...rest,
});
const calm = state(round(PHASE + 7n, 3_000n, NOW - 3_600), round(PHASE + 8n, 3_010n));

const mirrored = (of: FeedState, some: Partial<OracleBounds> = {}) => checkFeed(FEED, of.answer, of, NOW, { ...bounds, ...some });

describe('a feed', () => {
  test('that answers as ever is believed', () => {
    expect(mirrored(calm)).toBeUndefined();
  });

  test('is too old one second after its time, and by the chain’s clock', () => {
    const old = (age: number) => state(undefined, round(PHASE + 8n, 3_000n, NOW - age));
    expect(mirrored(old(86_400))).toBeUndefined();
    expect(mirrored(old(86_401))).toEqual({
      reason: 'oracle-stale',
      figures: { feed: FEED, ageSeconds: '86401', limitSeconds: '86400' },
    });
  });

  test('with a known heartbeat is held to that', () => {
    const hourly = { heartbeatSeconds: { [FEED]: 3_600 } };
    const old = state(undefined, round(PHASE + 8n, 3_000n, NOW - 3_601));
    expect(mirrored(old)).toBeUndefined();
    expect(mirrored(old, hourly)?.figures).toMatchObject({ ageSeconds: '3601', limitSeconds: '3600' });
  });

  test.each([0n, -1n])('that answers %s is not believed', (answer) => {
    expect(mirrored(state(undefined, round(PHASE + 8n, answer)))).toEqual({
      reason: 'oracle-not-positive',
      figures: { feed: FEED, answer: String(answer) },
    });
  });

  test('whose round is not complete, or was answered in an earlier one, or goes back in time, is frozen', () => {
    const reasons = [
      mirrored(state(undefined, round(PHASE + 8n, 3_000n, 0))),
      mirrored(state(undefined, round(PHASE + 8n, 3_000n), { answeredInRound: PHASE + 7n })),
      mirrored(state(round(PHASE + 7n, 3_000n, NOW - 30), round(PHASE + 8n, 3_000n, NOW - 60))),
    ];
    expect(reasons.map((skip) => skip?.reason)).toEqual(['oracle-frozen', 'oracle-frozen', 'oracle-frozen']);
  });

  test('without rounds of its own is not frozen', () => {
    expect(mirrored(state(undefined, round(5n, 3_000n), { answeredInRound: 0n }))).toBeUndefined();
  });

  test('whose answer leaps is not believed until the next round confirms it', () => {
    const leapt = state(round(PHASE + 7n, 3_000n), round(PHASE + 8n, 1_499n));
    expect(mirrored(leapt)).toEqual({
      reason: 'oracle-jump',
      figures: { feed: FEED, answerBefore: '3000', answer: '1499', movedBps: '5004', limitBps: '5000' },
    });
    expect(mirrored(state(leapt.answer, round(PHASE + 9n, 1_480n)))).toBeUndefined();
  });

  test('is judged by the pending answer where there is one', () => {
    const pending = (answer: bigint) => checkFeed(FEED, round(9n, answer, NOW), calm, NOW, bounds)?.reason;
    expect([pending(2_500n), pending(1_000n), pending(0n)]).toEqual([undefined, 'oracle-jump', 'oracle-not-positive']);
  });

  test('behind another aggregator is not believed until that one has answered twice', () => {
    const moved = state(calm.answer, round(2n * PHASE + 1n, 3_010n));
    expect(mirrored(moved)).toEqual({ reason: 'oracle-changed', figures: { feed: FEED, phaseBefore: '1', phase: '2' } });
    expect(mirrored(state(moved.answer, round(2n * PHASE + 2n, 3_010n)))).toBeUndefined();
  });

  test('with other decimals than at first is not believed', () => {
    expect(mirrored({ ...calm, decimals: 18n })).toEqual({
      reason: 'oracle-changed',
      figures: { feed: FEED, decimalsBefore: '8', decimals: '18' },
    });
    expect(mirrored({ ...calm, decimals: undefined })?.figures).toMatchObject({ decimals: 'none' });
  });

  test('that does not answer is not believed', () => {
    expect(checkFeed(FEED, undefined, calm, NOW, bounds)?.reason).toBe('oracle-stale');
  });

  test('within all bounds is believed, beyond any of them it is not', () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, 10n ** 30n),
        fc.bigInt(1n, 10n ** 30n),
        fc.integer({ min: 0, max: 200_000 }),
        fc.bigInt(0n, 10_000n),
        (before, answer, age, maxJumpBps) => {
          const one = state(round(PHASE + 1n, before, NOW - 300_000), round(PHASE + 2n, answer, NOW - age));
          const skip = mirrored(one, { maxJumpBps });
          const [less, more] = before < answer ? [before, answer] : [answer, before];
          const tooOld = age > bounds.maxFeedAgeSeconds;
          const leaps = (more - less) * 10_000n > maxJumpBps * more;
          expect(skip?.reason).toBe(tooOld ? 'oracle-stale' : leaps ? 'oracle-jump' : undefined);
        },
      ),
    );
  });
});

describe('a sequencer', () => {
  const check = (answer: bigint | undefined, startedAt: bigint | undefined) => checkSequencer({ answer, startedAt }, NOW, bounds);

  test('that has been up for longer than the grace period is no obstacle', () => {
    expect(check(0n, BigInt(NOW - 3_601))).toBeUndefined();
  });

  test('is down, or has come back only now, or its feed does not tell', () => {
    expect(check(1n, BigInt(NOW - 99))?.figures).toEqual({ downSeconds: '99' });
    expect(check(0n, BigInt(NOW - 3_600))?.figures).toEqual({ upSeconds: '3600', graceSeconds: '3600' });
    expect(check(0n, 0n)?.reason).toBe('sequencer-down');
    expect(check(undefined, undefined)?.reason).toBe('sequencer-down');
  });
});

describe('pools', () => {
  const pair = { sold: 'WETH', bought: 'USDC' };

  test('beyond the bound are told apart from the oracle, in both directions', () => {
    expect(checkPool(pair, 2_500n, 3_000n, bounds)).toBeUndefined();
    expect(checkPool(pair, 2_300n, 3_000n, bounds)).toEqual({
      reason: 'oracle-off-pool',
      figures: { ...pair, poolRaw: '2300', oracleRaw: '3000', deviationBps: '2334', limitBps: '2000' },
    });
    expect(checkPool(pair, 3_000n, 2_300n, bounds)?.reason).toBe('oracle-off-pool');
  });

  test('the difference is symmetric, 0 only for equals, and never more than everything', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.bigInt(-(10n ** 20n), 10n ** 20n), (one, other) => {
        const difference = differenceBps(one, other);
        expect(difference).toBe(differenceBps(other, one));
        expect(difference === 0n).toBe(one === other);
        expect(difference <= 10_000n).toBe(true);
      }),
    );
  });
});

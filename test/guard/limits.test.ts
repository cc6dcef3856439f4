import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPlan, DAY_MS, type GuardState, type PlanFigures, type TransactionFigures } from '../../src/guard/limits.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { result, transaction } from '../ledger/fixtures-plain.ts';

const WETH = `0x${'aa'.repeat(20)}`;
const USDC = `0x${'bb'.repeat(20)}`;
const POOL = `0x${'cc'.repeat(20)}`;

const limits: GuardState['limits'] = {
  maxBaseFeeWei: 100n,
  maxGasUsd8PerDay: 1_000n,
  maxLossUsd8PerDay: 500n,
  maxPositionUsd8: 10_000n,
  maxConsecutiveFailures: 3,
  allowTokens: undefined,
  denyTokens: new Set(),
  denyMarkets: new Set(),
};
const calm: GuardState = { limits, spent: { gasUsd8: 0n, lossUsd8: 0n, consecutiveFailures: 0 }, switch: 'running' };
const plan: PlanFigures = { protocol: 'aave-v3', market: 'Core', aliases: [POOL], tokens: [USDC, WETH], repayUsd8: 10_000n };
const tx: TransactionFigures = { baseFeeWei: 100n, worstGasUsd8: 500n, worstLossUsd8: 500n };

describe('at its limit a plan passes, one unit beyond it does not', () => {
  test('everything at its limit', () => {
    const spent = { gasUsd8: 500n, lossUsd8: 0n, consecutiveFailures: 2 };
    expect(checkPlan(plan, tx, { ...calm, spent })).toEqual({ ok: true });
  });

  test.each<[string, Partial<PlanFigures>, Partial<TransactionFigures>, Partial<GuardState['spent']>]>([
    ['position-too-large', { repayUsd8: 10_001n }, {}, {}],
    ['gas-too-high', {}, { baseFeeWei: 101n }, {}],
    ['limit-reached', {}, {}, { gasUsd8: 501n }],
    ['limit-reached', {}, {}, { lossUsd8: 1n }],
    ['breaker-open', {}, {}, { consecutiveFailures: 3 }],
  ])('%s', (reason, planOver, txOver, spentOver) => {
    const state = { ...calm, spent: { ...calm.spent, ...spentOver } };
    expect(checkPlan({ ...plan, ...planOver }, { ...tx, ...txOver }, state)).toMatchObject({ ok: false, skip: { reason } });
  });

  test('the figures say which limit it was and by how much', () => {
    const verdict = checkPlan(plan, tx, { ...calm, spent: { ...calm.spent, lossUsd8: 7n } });
    expect(verdict).toEqual({
      ok: false,
      skip: { reason: 'limit-reached', figures: { limit: 'MAX_LOSS_USD_PER_DAY', wouldBeUsd8: '507', limitUsd8: '500' } },
    });
  });
});

describe('lists', () => {
  const withLists = (lists: Partial<GuardState['limits']>) => checkPlan(plan, tx, { ...calm, limits: { ...limits, ...lists } });

  test.each(['core', 'aave-v3/core', POOL])('a market is denied as %s', (name) => {
    expect(withLists({ denyMarkets: new Set([name]) })).toMatchObject({ ok: false, skip: { reason: 'market-denied' } });
  });

  test('a denied token, or one that is not among the allowed, stops the plan', () => {
    expect(withLists({ denyTokens: new Set([WETH]) })).toMatchObject({
      ok: false,
      skip: { reason: 'token-denied', figures: { token: WETH } },
    });
    expect(withLists({ allowTokens: new Set([USDC]) })).toMatchObject({
      ok: false,
      skip: { reason: 'token-denied', figures: { token: WETH } },
    });
    expect(withLists({ allowTokens: new Set([USDC, WETH]), denyMarkets: new Set(['other']) })).toEqual({ ok: true });
  });
});

test.each(['paused', 'killed'] as const)('while %s nothing passes', (position) => {
  expect(checkPlan(plan, tx, { ...calm, switch: position })).toMatchObject({ ok: false, skip: { reason: position } });
});

// The real ledger over a clock of our own: whatever order transactions are sent and settled in, and however badly they end.
const move = fc.oneof(
  fc.record({ kind: fc.constant('send' as const), worst: fc.bigInt(1n, 400n) }),
  fc.record({ kind: fc.constant('send' as const), worst: fc.bigInt(1n, 60n) }),
  fc.record({ kind: fc.constant('settle' as const), which: fc.nat(), mined: fc.boolean(), part: fc.integer({ min: 0, max: 100 }) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: DAY_MS / 3 }) }),
);

test('no sequence of sending and settling lets gas or losses of any 24 hours pass their limits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(move, { maxLength: 60 }), async (moves) => {
      let now = DAY_MS;
      const ledger = await openLedger(':memory:', () => now);
      const open: { n: number; worst: bigint }[] = [];
      const spent: { at: number; usd8: bigint }[] = [];
      for (const [n, each] of moves.entries()) {
        if (each.kind === 'wait') now += each.ms;
        if (each.kind === 'send') {
          const state = { ...calm, limits: { ...limits, maxConsecutiveFailures: 1_000 }, spent: await ledger.spending(now - DAY_MS) };
          if (checkPlan(plan, { baseFeeWei: 1n, worstGasUsd8: each.worst, worstLossUsd8: each.worst }, state).ok) {
            await ledger.intend(transaction(n, { worstGasUsd8: each.worst, channel: 'public' }));
            open.push({ n, worst: each.worst });
          }
        }
        if (each.kind === 'settle' && open.length > 0) {
          const [settled] = open.splice(each.which % open.length, 1);
          const cost = (settled!.worst * BigInt(each.part)) / 100n;
          const figures = { gasWei: cost * 10n ** 18n, nativeUsd8: 1n, netUsd8: -cost };
          await ledger.settle(result(transaction(settled!.n), each.mined ? 'reverted' : 'missed', figures));
          if (each.mined) spent.push({ at: now, usd8: cost });
        }
        const ofTheDay = spent.filter(({ at }) => at >= now - DAY_MS).reduce((sum, { usd8 }) => sum + usd8, 0n);
        expect(ofTheDay + open.reduce((sum, { worst }) => sum + worst, 0n)).toBeLessThanOrEqual(limits.maxLossUsd8PerDay);
      }
      await ledger.close();
    }),
    { seed: 7, numRuns: 80 },
  );
});

import fc from 'fast-check';
import { serializeTransaction } from 'viem';
import { describe, expect, it } from 'vitest';
import { assign, type LaneStanding, lastPublicBlock, type Places, placesOf } from '../../src/execution/places.ts';
import type { OpenTransaction } from '../../src/ledger/types.ts';
import type { Address, Head } from '../../src/lib/types.ts';

const lane: Address = '0x00000000000000000000000000000000000000aa';
const account = (index: number): Address => `0x${index.toString(16).padStart(40, '0')}`;
const headAt = (number: number): Head => ({
  ...{ number, hash: '0x', parentHash: '0x', timestamp: 0, baseFeeWei: 1n, gasLimit: 1n, gasUsed: 0n },
});

type Shape = { nonce: number; accounts: readonly number[]; target: number; last: number; worst?: bigint; fee?: bigint; missed?: boolean };

function transaction({ nonce, accounts, target, last, worst = 1n, fee = 1n, missed = false }: Shape): OpenTransaction {
  return {
    txHash: '0x',
    raw: serializeTransaction({ type: 'eip1559', chainId: 1, nonce, maxFeePerGas: fee, maxPriorityFeePerGas: 1n }),
    ...{ lane, nonce, channel: 'public', targetBlock: target, lastBlock: last, gasLimit: 1n, maxFeeWei: fee, worstGasWei: 1n },
    ...{ worstGasUsd8: worst, status: missed ? 'missed' : 'sent' },
    attempts: accounts.map((index) => ({
      ...{ attemptId: '', protocol: 'aave-v3', market: 'core', account: account(index), debtAsset: lane, collateralAsset: lane },
      ...{ repayRaw: 0n, repayUsd8: 0n, expectedProfitWei: 0n, expectedProfitUsd8: 0n, sinceBlock: 0, updateTxHash: undefined },
    })),
  };
}

const placesAt = (head: number, open: readonly Shape[], dormant: readonly Shape[] = [], nextNonce = 5, gap = 12): Places =>
  placesOf({ open: open.map(transaction), dormant: dormant.map(transaction) }, nextNonce, headAt(head), gap);
const standing = (places: Places, over: Partial<LaneStanding> = {}): LaneStanding => ({
  ...{ lane, nextNonce: 5, balanceWei: 1_000n, resting: false, places },
  ...over,
});
const assigned = (accounts: readonly number[], places: Places) => {
  const { placed, busy, idle } = assign(accounts, (index) => ({ accounts: [account(index)], pools: [], costWei: 1n }), [standing(places)]);
  return { placed: placed.map(({ item, nonce }) => [item, nonce]), busy, idle: idle.map(({ place }) => place.nonce) };
};

describe('the time of a public transaction', () => {
  it('is a block of twelve seconds and one in reserve, and as long in faster blocks', () => {
    expect(lastPublicBlock(100, 12)).toBe(101);
    expect(lastPublicBlock(100, 2)).toBe(103);
    expect(lastPublicBlock(100, 1)).toBe(106);
    expect(lastPublicBlock(100, 0)).toBe(106);
  });
});

describe('places', () => {
  it('reach from the next nonce to the highest that holds anything, gaps included, and leave out what is used or was refused', () => {
    const places = placesAt(10, [
      { nonce: 4, accounts: [1], target: 10, last: 11 },
      { nonce: 7, accounts: [2], target: 10, last: 11 },
      { nonce: 8, accounts: [3], target: 10, last: 11, missed: true },
    ]);
    expect(places.map(({ nonce, fees }) => [nonce, fees === undefined])).toEqual([
      [5, true],
      [6, true],
      [7, false],
    ]);
  });

  it('know what must be outbid, and what can be lost there: at most the dearest of all that stand at one', () => {
    const [place] = placesAt(
      12,
      [{ nonce: 5, accounts: [1], target: 12, last: 13, worst: 7n, fee: 3n }],
      [{ nonce: 5, accounts: [1], target: 10, last: 11, worst: 9n, fee: 2n }],
    );
    expect(place).toMatchObject({ atRiskUsd8: 9n, countedUsd8: 7n, fees: { maxFeeWei: 3n, tipWei: 1n } });
  });

  it('are left alone until their time is over', () => {
    const waiting = (head: number, gap: number) =>
      placesAt(head, [{ nonce: 5, accounts: [1], target: 10, last: lastPublicBlock(10, gap) }], [], 5, gap).map((place) => place.waiting);
    expect([9, 10].map((head) => waiting(head, 12))).toEqual([[true], [false]]);
    expect([11, 12].map((head) => waiting(head, 2))).toEqual([[true], [false]]);
  });
});

describe('what is to be sent', () => {
  it('takes the place of what it was before, else the first that is free, else a new one', () => {
    const places = placesAt(10, [
      { nonce: 5, accounts: [1], target: 10, last: 11 },
      { nonce: 6, accounts: [2], target: 10, last: 11 },
    ]);
    expect(assigned([3, 2, 4], places)).toEqual({
      placed: [
        [3, 5],
        [2, 6],
        [4, 7],
      ],
      busy: [],
      idle: [],
    });
    expect(assigned([2], places)).toEqual({ placed: [[2, 6]], busy: [], idle: [5] });
  });

  it('waits where the same could still be done by what has its time before it', () => {
    const places = placesAt(9, [{ nonce: 5, accounts: [1], target: 10, last: 11 }]);
    expect(assigned([1, 2], places)).toEqual({ placed: [[2, 6]], busy: [1], idle: [] });
  });

  it('never stands at two nonces that can both be mined, whatever was sent before', () => {
    const shape = fc.record({
      nonce: fc.integer({ min: 3, max: 9 }),
      accounts: fc.uniqueArray(fc.nat(5), { minLength: 0, maxLength: 2 }),
      target: fc.integer({ min: 5, max: 12 }),
      last: fc.integer({ min: 8, max: 14 }),
    });
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 8 }), fc.uniqueArray(fc.nat(7), { maxLength: 6 }), (sent, wanted) => {
        const places = placesAt(10, sent);
        const { placed, busy, idle } = assigned(wanted, places);
        const nonces = placed.map(([, nonce]) => nonce!);
        expect(nonces).toEqual([...new Set(nonces)].sort((a, b) => a - b));
        expect([...placed.map(([item]) => item!), ...busy].sort()).toEqual([...wanted].sort());
        for (const [item, nonce] of placed)
          for (const one of sent) if (one.nonce >= 5 && one.last > 10 && one.accounts.includes(item!)) expect(one.nonce).toBe(nonce);
        // Nothing that waits is touched, and no nonce below one that is used is left without anything.
        const untouched = places.filter(({ waiting }) => waiting).map((place) => place.nonce);
        expect([...nonces, ...idle].filter((nonce) => untouched.includes(nonce))).toEqual([]);
        const all = [...nonces, ...idle, ...untouched].sort((a, b) => a - b);
        expect(all).toEqual(all.map((_, index) => 5 + index));
      }),
      { seed: 13, numRuns: 500 },
    );
  });
});

describe('several lanes', () => {
  const LANES: readonly Address[] = [account(0xa1), account(0xa2), account(0xa3)];
  const empty = (index: number, over: Partial<LaneStanding> = {}) => standing([], { lane: LANES[index]!, ...over });
  const given = (accounts: readonly number[], lanes: readonly LaneStanding[], costWei = 1n, poolsOf = (_: number): number[] => []) => {
    const wanted = (index: number) => ({ accounts: [account(index)], pools: poolsOf(index).map(account), costWei });
    const { placed, ...rest } = assign(accounts, wanted, lanes);
    return { placed: placed.map(({ item, lane: of, nonce }) => [item, LANES.indexOf(of), nonce]), ...rest };
  };

  it('share the work: each is given something before one is given a second', () => {
    expect(given([1, 2, 3, 4], [empty(0), empty(1, { nextNonce: 9 }), empty(2, { nextNonce: 0 })]).placed).toEqual([
      [1, 0, 5],
      [2, 1, 9],
      [3, 2, 0],
      [4, 0, 6],
    ]);
  });

  it('keep what shares a pool together and in order, by way of others too', () => {
    const pools: Record<number, number[]> = { 1: [0xf1], 2: [0xf2], 3: [0xf3, 0xf1], 4: [0xf4, 0xf2], 5: [0xf5], 6: [0xf3] };
    const { placed } = given([1, 2, 3, 4, 5, 6], [empty(0), empty(1), empty(2)], 1n, (index) => pools[index]!);
    const laneOf = new Map(placed.map(([item, of]) => [item, of]));
    expect([laneOf.get(3), laneOf.get(6)]).toEqual([laneOf.get(1), laneOf.get(1)]);
    expect(laneOf.get(4)).toBe(laneOf.get(2));
    expect(new Set([1, 2, 5].map((item) => laneOf.get(item))).size).toBe(3);
    const nonces = [1, 3, 6].map((item) => placed.find(([each]) => each === item)![2]!);
    expect(nonces).toEqual([5, 6, 7]);
  });

  it('part what shares a pool only where one of them cannot pay for all', () => {
    const lanes = [empty(0, { balanceWei: 15n }), empty(1, { balanceWei: 100n })];
    const result = given([1, 2], lanes, 10n, () => [0xf1]);
    expect(result.placed.map(([item, of]) => [item, of])).toEqual([
      [1, 0],
      [2, 1],
    ]);
  });

  it('are passed over while something of theirs waits and others are free', () => {
    const waiting = placesAt(9, [{ nonce: 5, accounts: [7], target: 10, last: 11 }]);
    expect(given([1, 2], [empty(0, { places: waiting }), empty(1)])).toMatchObject({
      placed: [
        [1, 1, 5],
        [2, 0, 6],
      ],
    });
  });

  it('never do the same as another one may still do', () => {
    const places = placesAt(9, [{ nonce: 5, accounts: [1], target: 10, last: 11 }]);
    expect(given([1, 2], [empty(0), empty(1, { places })])).toMatchObject({ placed: [[2, 0, 5]], busy: [1] });
  });

  it('are given what their balance pays for and no more, and nothing while they rest', () => {
    const lanes = [empty(0, { balanceWei: 25n }), empty(1, { balanceWei: 9n }), empty(2, { resting: true })];
    const result = given([1, 2, 3], lanes, 10n);
    expect(result.placed).toEqual([
      [1, 0, 5],
      [2, 0, 6],
    ]);
    expect(result.short).toEqual([3]);
  });

  it('pay for what replaces something of theirs only the difference', () => {
    const places = placesAt(10, [{ nonce: 5, accounts: [1], target: 10, last: 11 }]).map((place) => ({ ...place, costWei: 90n }));
    const lanes = [empty(0, { balanceWei: 100n, places })];
    expect(given([1], lanes, 100n)).toMatchObject({ placed: [[1, 0, 5]], short: [], idle: [] });
    expect(given([1], lanes, 101n)).toMatchObject({ placed: [], short: [1], idle: [{ place: { nonce: 5 } }] });
  });

  it('hold every item once at most, each lane without a gap, whatever stands on them', () => {
    const shape = fc.record({
      nonce: fc.integer({ min: 3, max: 8 }),
      accounts: fc.uniqueArray(fc.nat(5), { maxLength: 2 }),
      target: fc.integer({ min: 5, max: 12 }),
      last: fc.integer({ min: 8, max: 14 }),
    });
    const one = fc.record({ sent: fc.array(shape, { maxLength: 4 }), balanceWei: fc.bigInt(0n, 60n), resting: fc.boolean() });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), fc.uniqueArray(fc.nat(9), { maxLength: 8 }), (shapes, wanted) => {
        const lanes = shapes.map(({ sent, ...rest }, index) => empty(index, { ...rest, places: placesAt(10, sent) }));
        const { placed, busy, short, idle } = given(wanted, lanes, 10n);
        expect([...placed.map(([item]) => item!), ...busy, ...short].sort()).toEqual([...wanted].sort());
        for (const [item, of] of placed)
          for (const [index, { sent }] of shapes.entries())
            for (const { nonce, last, accounts } of sent) if (nonce >= 5 && last > 10 && accounts.includes(item!)) expect(index).toBe(of);
        for (const [index, { places, balanceWei }] of lanes.entries()) {
          const own = placed.filter(([, of]) => of === index).map(([, , nonce]) => nonce!);
          const untouched = places.filter(({ waiting }) => waiting).map(({ nonce }) => nonce);
          const left = idle.filter((each) => each.lane === LANES[index]).map(({ place }) => place.nonce);
          const all = [...own, ...untouched, ...left].sort((a, b) => a - b);
          expect(all).toEqual(all.map((_, place) => 5 + place));
          const standingWei = places.reduce((sum, { costWei }) => sum + costWei, 0n);
          const newWei = own.filter((nonce) => nonce >= 5 + places.length).length * 10;
          if (own.length > 0 && newWei > 0) expect(standingWei + BigInt(newWei)).toBeLessThanOrEqual(balanceWei);
        }
      }),
      { seed: 29, numRuns: 500 },
    );
  });
});

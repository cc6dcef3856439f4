import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../src/lib/types.ts';
import { usd8ToWeiUp } from '../../src/lib/usd.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { bestShareBps, chanceOf, learn, priorBelief } from '../../src/strategy/bids/belief.ts';
import { advance, type BidBook, emptyBook, missedBps, nameOf, type OwnBid, record } from '../../src/strategy/bids/book.ts';
import { autoBid, fixedBid, type Lot } from '../../src/strategy/bids/policy.ts';
import { RIVALS } from '../../src/strategy/bids/rivals.ts';

const ETHER_USD8 = 2_500_00000000n;
const MIN_PROFIT_WEI = usd8ToWeiUp(5_00000000n, ETHER_USD8);
const candidate = (index: number): Candidate =>
  ({ protocol: 'aave-v3', market: 'core', account: `0x${index.toString(16).padStart(40, '0')}` as Address }) as Candidate;
const lotOf = (usd: number, more: Partial<Lot> = {}): Lot => {
  const surplusWei = usd8ToWeiUp(BigInt(Math.round(usd * 1e8)), ETHER_USD8);
  return { surplusWei, leastSurplusWei: surplusWei, gasUnits: 600_000n, candidates: [candidate(1)], ...more };
};
const bid = (block: number, shareBps: number, won: boolean, liquidations = ['a'], surplusUsd = 20_000): OwnBid => ({
  ...{ block, shareBps, won, liquidations, surplusUsd },
});
const booked = (bids: readonly OwnBid[], book: BidBook = emptyBook()) => bids.reduce(record, book);

describe('what is believed of rivals', () => {
  it('begins as the real auctions were: at every size half of the rivals stay below their median', () => {
    const belief = priorBelief();
    for (const { decade, sharesBps } of RIVALS.filter(({ sharesBps }) => sharesBps[9]! < 10_000)) {
      expect(chanceOf(belief, 10 ** decade, sharesBps[9]!)).toBeCloseTo(0.5, 1);
      expect(chanceOf(belief, 10 ** decade, 10_000)).toBeLessThanOrEqual(1);
    }
  });

  it('never falls with the share, whatever was learned', () => {
    const outcome = fc.record({
      surplusUsd: fc.double({ min: 1, max: 1e8, noNaN: true }),
      shareBps: fc.integer({ min: 0, max: 10_000 }),
      won: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 12 }), fc.double({ min: 1, max: 1e8, noNaN: true }), (outcomes, usd) => {
        const belief = outcomes.reduce(learn, priorBelief());
        const chances = Array.from({ length: 21 }, (_, index) => chanceOf(belief, usd, index * 500));
        for (const [index, chance] of chances.entries()) {
          expect(chance).toBeGreaterThanOrEqual((chances[index - 1] ?? 0) - 1e-12);
          expect(chance).toBeLessThanOrEqual(1 + 1e-12);
        }
        const share = bestShareBps(belief, usd);
        expect(Number.isInteger(share) && share >= 0 && share < 10_000).toBe(true);
      }),
      { seed: 4, numRuns: 30 },
    );
  });

  it('rises where we lose and falls where we win, more at that size than elsewhere', () => {
    const lost = Array.from({ length: 40 }, () => ({ surplusUsd: 200_000, shareBps: 6_500, won: false })).reduce(learn, priorBelief());
    const won = Array.from({ length: 40 }, () => ({ surplusUsd: 200_000, shareBps: 6_500, won: true })).reduce(learn, priorBelief());
    const before = bestShareBps(priorBelief(), 200_000);
    expect(bestShareBps(lost, 200_000)).toBeGreaterThan(before + 500);
    expect(bestShareBps(won, 200_000)).toBeLessThan(before - 500);
    expect(bestShareBps(lost, 500)).toBe(bestShareBps(priorBelief(), 500));
  });

  it('finds the share that pays best against rivals who are nothing like those of the real auctions', () => {
    // All of them pay between 20% and 30%: the best share is 30%.
    let belief = priorBelief();
    for (let round = 0; round < 400; round++) {
      const shareBps = bestShareBps(belief, 50_000);
      belief = learn(belief, { surplusUsd: 50_000, shareBps, won: shareBps > 2_000 + ((round * 617) % 1_000) });
    }
    const share = bestShareBps(belief, 50_000);
    expect(share).toBeLessThan(bestShareBps(priorBelief(), 50_000) - 2_000);
    expect(share).toBeGreaterThan(2_500);
  });
});

describe('our own bids', () => {
  it('count as lost once nobody tried again, and not before', () => {
    const missed = booked([bid(100, 7_000, false)]);
    expect(missed.belief).toEqual(priorBelief());
    expect(advance(missed, 105).belief).toEqual(priorBelief());
    expect(chanceOf(advance(missed, 106).belief, 20_000, 7_000)).toBeLessThan(chanceOf(priorBelief(), 20_000, 7_000));
  });

  it('count once where a position was tried again: as what came of it in the end', () => {
    const retried = booked([bid(100, 7_000, false), bid(101, 7_500, false), bid(102, 8_000, true)]);
    expect(retried).toEqual(booked([bid(102, 8_000, true)]));
    const lost = advance(booked([bid(100, 7_000, false), bid(101, 7_500, false)]), 200);
    expect(lost.belief).toEqual(advance(booked([bid(101, 7_500, false)]), 200).belief);
  });

  it('that missed make the next one for the same positions dearer, and for others not', () => {
    const own = candidate(1);
    const book = booked([bid(100, 7_500, false, [nameOf(own)])]);
    expect(missedBps(book, [nameOf(own)])).toBe(7_500);
    const auto = autoBid(book, ETHER_USD8, MIN_PROFIT_WEI);
    const fresh = auto(lotOf(20_000, { candidates: [candidate(2)] }));
    expect(auto(lotOf(20_000))).toBeGreaterThan(fresh);
    expect(auto(lotOf(20_000, { candidates: [own, candidate(2), candidate(3)] }))).toBe(fresh);
  });

  it('that missed are kept up to a bound', () => {
    const many = booked(Array.from({ length: 400 }, (_, index) => bid(100, 7_000, false, [`p${index}`])));
    expect(many.missed.length).toBe(256);
  });
});

describe('the bid', () => {
  const auto = autoBid(emptyBook(), ETHER_USD8, MIN_PROFIT_WEI);

  it('is what the operator says, where the operator says it', () => {
    expect(fixedBid(8_765)(lotOf(1))).toBe(8_765);
  });

  it('is lower for large ones', () => {
    expect(auto(lotOf(500_000))).toBeLessThan(auto(lotOf(20_000)) - 1_000);
  });

  it('leaves the minimum profit, and at least pays for inclusion, at any size', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1e8, noNaN: true }), fc.bigInt({ min: 100_000n, max: 16_000_000n }), (usd, gasUnits) => {
        const lot = lotOf(usd, { gasUnits });
        const share = auto(lot);
        expect(share).toBeLessThanOrEqual(10_000);
        const bidWei = (lot.surplusWei * BigInt(share)) / 10_000n;
        const inclusionWei = gasUnits * 100_000_000n;
        if (lot.surplusWei >= inclusionWei) expect(bidWei).toBeGreaterThanOrEqual(inclusionWei - 1n);
        // Where both cannot be had, planning drops it.
        if (lot.surplusWei >= MIN_PROFIT_WEI + inclusionWei + lot.surplusWei / 10_000n)
          expect(lot.surplusWei - bidWei).toBeGreaterThanOrEqual(MIN_PROFIT_WEI);
      }),
      { seed: 4 },
    );
  });

  it('is nothing where nothing is left to share', () => {
    expect(auto(lotOf(0))).toBe(0);
    expect(auto({ ...lotOf(10), surplusWei: -1n, leastSurplusWei: -1n })).toBe(0);
  });

  it('is the same for the same book', () => {
    expect(autoBid(emptyBook(), ETHER_USD8, MIN_PROFIT_WEI)(lotOf(12_345))).toBe(auto(lotOf(12_345)));
  });
});

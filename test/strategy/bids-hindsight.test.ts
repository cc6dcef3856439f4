/** `BID_SHARE=auto` among rivals whose bids come, by size, from auctions that its prior has not seen. All of it is drawn from seeds. */
import { describe, expect, it } from 'vitest';
import { bestInHindsight, drawMeetings, earnedBy, earnedByAuto, FIXED_BPS, HALF_DECADES, type Sizes } from '../../scripts/bids/compare.ts';

const RUNS = 100;
const AUCTIONS = 500;
const MIXES: readonly Sizes[] = ['market', 'even'];

describe.each(MIXES)('auctions of sizes as by %s', (sizes) => {
  const runs = Array.from({ length: RUNS }, (_, index) => drawMeetings(index + 1, AUCTIONS, sizes));
  const all = runs.flat();
  const auto = runs.reduce((sum, meetings) => sum + earnedByAuto(meetings), 0);

  it('earns more than every single fixed share, even the one that turns out best', () => {
    expect(FIXED_BPS.filter((shareBps) => earnedBy(all, () => shareBps) >= auto)).toEqual([]);
  });

  it('earns 97% or more of what the best shares by size would have, knowing every rival', () => {
    expect(auto).toBeGreaterThan(0.97 * earnedBy(all, bestInHindsight(all, HALF_DECADES)));
  });
});

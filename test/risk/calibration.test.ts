/** A small sample of `scripts/risk/main.ts`: real liquidations behind real trades that the keeper could not know of. */
import { expect, test } from 'vitest';
import { calibrate, calibrationOf } from '../../scripts/risk/calibration.ts';

test('what plans leave behind unknown trades is what was stated of them', { timeout: 300_000 }, async () => {
  const cases = await calibrate({ cases: 15, seed: 3, positions: 60, seen: 64, baseFeeGwei: 0.1, cautious: true });
  const { crossedShare, expectedUsd, realisedUsd, reverts } = calibrationOf(cases);
  expect(reverts).toBe(0);
  // The trades did move the pools.
  expect(new Set(cases.map(({ realisedUsd: real, quotedUsd }) => Math.sign(Math.round((real - quotedUsd) * 100)))).size).toBeGreaterThan(1);
  expect(crossedShare).toBeLessThan(0.25);
  expect(Math.abs(realisedUsd / expectedUsd - 1)).toBeLessThan(0.05);
  // The first has nothing to learn from.
  for (const { gasUsd, paidGasUsd } of cases.slice(1)) expect(Math.abs(gasUsd / paidGasUsd - 1)).toBeLessThan(0.15);
});

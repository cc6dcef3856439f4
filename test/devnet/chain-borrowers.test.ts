import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assetOf, EMODES } from '../../scripts/devnet/assets.ts';
import { type BorrowerPlan, planBorrowers } from '../../scripts/devnet/borrowers/plan.ts';

const total = (parts: readonly { usd: number }[]) => parts.reduce((sum, { usd }) => sum + usd, 0);
const byKind = (plans: readonly BorrowerPlan[], kind: string) => plans.filter((plan) => plan.kind === kind);

describe('planBorrowers', () => {
  it('gives the same borrowers for the same seed, others for another', () => {
    expect(planBorrowers(80, 7)).toEqual(planBorrowers(80, 7));
    expect(planBorrowers(80, 7)).not.toEqual(planBorrowers(80, 8));
  });

  it('begins a larger population with the smaller one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 60 }), (seed, count) => {
        expect(planBorrowers(count + 37, seed).slice(0, count)).toEqual(planBorrowers(count, seed));
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  it('has every kind among forty', () => {
    const kinds = new Set(planBorrowers(40, 3).map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(
      'dust emode-eth emode-eth-usd emode-usd frozen-debt isolated mid near safe short thin two-sided whale'.split(' '),
    );
  });

  it('keeps dust under fifty dollars, whales over a million', () => {
    const plans = planBorrowers(400, 5);
    expect(byKind(plans, 'dust').every(({ collateral }) => total(collateral) < 50)).toBe(true);
    expect(byKind(plans, 'whale').every(({ collateral }) => total(collateral) > 1e6)).toBe(true);
  });

  it('spreads those near the threshold over falls of 3% to 10%', () => {
    const near = byKind(planBorrowers(400, 5), 'near');
    for (const fall of [0.03, 0.04, 0.06, 0.08, 0.1]) {
      const inWave = near.filter(({ healthFactor }) => healthFactor * (1 - fall) < 1 && healthFactor * (1 - fall + 0.02) >= 1);
      expect(inWave.length, `${fall}`).toBeGreaterThan(5);
    }
  });

  it('asks only for what the protocol admits: dollars in isolation, the category’s assets in eMode', () => {
    for (const { eMode, collateral, debt } of planBorrowers(400, 9)) {
      const isolated = collateral.some(({ symbol }) => assetOf(symbol).debtCeilingUsd > 0n);
      if (isolated) expect(collateral.length === 1 && debt.every(({ symbol }) => assetOf(symbol).borrowableInIsolation)).toBe(true);
      const category = EMODES.find(({ id }) => id === eMode);
      if (category) expect(debt.every(({ symbol }) => category.borrowable.includes(symbol))).toBe(true);
    }
  });
});

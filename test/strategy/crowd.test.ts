/** More candidates than can be weighed against one another: how many of them a block takes, by its gas and by its time. */
import { describe, expect, it } from 'vitest';
import type { Moment } from '../../src/oracles/types.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { planBlock } from '../../src/strategy/block.ts';
import type { Terms } from '../../src/strategy/terms.ts';
import type { Decision } from '../../src/strategy/types.ts';
import { poolBetween, routerOver } from '../support/random-pools.ts';
import { COLLATERAL, DEBT, lenderDouble, NUMERAIRE, optionFor, TERMS, type Ticks, usd8Of } from './random-options.ts';

const AT: Moment = { number: 1, timestamp: 1, baseFeeWei: 10n ** 9n, answer: () => undefined };
const TICKS: Ticks = [0, 0, 0];
const COUNT = 20;

/** Twenty of many sizes, which share three deep pools. */
function decide(change: Partial<Terms>): readonly Decision[] {
  const prices = new Map([DEBT, COLLATERAL, NUMERAIRE].map((token) => [token, 0]));
  const pair = [
    [COLLATERAL, DEBT],
    [COLLATERAL, NUMERAIRE],
    [DEBT, NUMERAIRE],
  ] as const;
  const deep = { kind: 'v3', fee: 500, offset: 0, size: 1_000_000, positions: [{ width: 400, tenths: 10 }] } as const;
  const venue = routerOver(
    pair.map(([one, other], place) => poolBetween(one, other, prices, deep, place)),
    [NUMERAIRE],
    NUMERAIRE,
  );
  const market = {
    venue,
    flashes: [lenderDouble('free', 10n ** 40n, 0n)],
    usd: { usd8: (token: typeof DEBT) => ({ priceUsd8: usd8Of(token, TICKS), decimals: 18 }) },
  };
  const option = (slot: number) =>
    optionFor({ protocol: 'aave-v3', debt: 100 + slot * 10, cover: 1_150, health: 960, bonusBps: 800, release: 0 }, TICKS);
  const candidates = Array.from(
    { length: COUNT },
    (_, slot) => ({ account: `0x${slot}`, protocol: 'aave-v3', slot }) as unknown as Candidate,
  );
  return planBlock(candidates, ({ slot }) => [option(slot)], market, { ...TERMS, ...change }, AT).decisions;
}

const plansIn = (decisions: readonly Decision[]) => decisions.flatMap((one) => (one.kind === 'plan' ? [one.plan] : []));
const slotsIn = (decisions: readonly Decision[]) =>
  plansIn(decisions)
    .map(({ candidate }) => candidate.slot)
    .toSorted((a, b) => a - b);
const reasonsIn = (decisions: readonly Decision[]) => new Set(decisions.flatMap((one) => (one.kind === 'skip' ? [one.skip.reason] : [])));

describe('of a crowd', () => {
  it('all are planned where there is gas and time for them', () => {
    expect(plansIn(decide({}))).toHaveLength(COUNT);
  });

  it('as many are planned as there is time for, those that make most, and the others are told so', () => {
    const decisions = decide({ mostPlans: 6 });
    expect(decisions).toHaveLength(COUNT);
    expect(slotsIn(decisions)).toEqual([14, 15, 16, 17, 18, 19]);
    expect(reasonsIn(decisions)).toEqual(new Set(['cooling-down']));
  });

  it('more fit a block once it is known how little of their estimates many use', () => {
    const gas = plansIn(decide({}))[0]!.gasUnits;
    const untaught = decide({ maxBlockGas: gas * 10n });
    expect(plansIn(untaught)).toHaveLength(10);
    expect(reasonsIn(untaught)).toEqual(new Set(['block-full']));
    const gasUse = { usedBps: () => 10_000n, usedOfManyBps: () => 6_000n };
    expect(plansIn(decide({ maxBlockGas: gas * 10n, gasUse })).length).toBeGreaterThan(15);
  });
});

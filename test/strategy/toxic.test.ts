/** What is decided where taking a part leaves a position with less health; which amounts those are is held against the pool in test/protocols/aave-v3. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Address } from '../../src/lib/types.ts';
import type { Moment } from '../../src/oracles/types.ts';
import type { Option } from '../../src/protocols/types.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { planCandidate } from '../../src/strategy/candidate.ts';
import { poolBetween, poolShape, routerOver } from '../support/random-pools.ts';
import { COLLATERAL, DEBT, lenderDouble, NUMERAIRE, optionFor, positionShape, TERMS, type Ticks, usd8Of } from './random-options.ts';

const AT: Moment = { number: 101, timestamp: 1_212, baseFeeWei: 10n ** 9n, answer: () => undefined };
const NOBODY = { protocol: 'aave-v3', market: 'core', deployment: 'core', account: '0x01' } as unknown as Candidate;
const TICKS: Ticks = [0, 100, -50];
const PAIRS = [
  [COLLATERAL, NUMERAIRE],
  [DEBT, NUMERAIRE],
  [COLLATERAL, DEBT],
] as const;
const scene = fc.record({ shapes: fc.array(poolShape, { minLength: 3, maxLength: 3 }), position: positionShape });

/** Positions of which less pays more, since the pools are thin. */
const thin = fc
  .sample(scene, { seed: 9, numRuns: 40 })
  .map(({ shapes, position }) => {
    const prices = new Map([DEBT, COLLATERAL, NUMERAIRE].map((token, index) => [token, TICKS[index]!]));
    const pools = PAIRS.map(([one, other], place) => poolBetween(one, other, prices, shapes[place]!, place));
    const usd = { usd8: (token: Address) => ({ priceUsd8: usd8Of(token, TICKS), decimals: 18 }) };
    const market = { venue: routerOver(pools, [NUMERAIRE], NUMERAIRE), flashes: [lenderDouble('free', 10n ** 40n, 0n)], usd };
    const option = optionFor(position, TICKS);
    const most = option.regimes.at(-1)!.maxRaw;
    /** As if all that leaves something were toxic. */
    const toxic: Option = {
      ...option,
      lowersHealth: (amountRaw) => (amountRaw < most ? { beforeWad: 841_259n * 10n ** 12n, afterWad: 799_999n * 10n ** 12n } : undefined),
    };
    const decide = (one: Option, minProfitUsd8: bigint) =>
      planCandidate(NOBODY, [one], market, market.venue.depth(AT), { ...TERMS, minProfitUsd8 }, AT).decision;
    return { option, toxic, most, decide };
  })
  .filter(({ option, most, decide }) => {
    const decision = decide(option, 0n);
    return decision.kind === 'plan' && decision.plan.repayRaw < most / 2n;
  })
  .slice(0, 4);

test('there are enough of them', () => {
  expect(thin.length).toBe(4);
});

test.each(thin)('a toxic part that pays is taken like every other, and told', ({ option, toxic, decide }) => {
  const [plain, told] = [decide(option, 0n), decide(toxic, 0n)];
  if (plain.kind !== 'plan' || told.kind !== 'plan') throw new Error('no plan');
  expect(told.plan.repayRaw).toBe(plain.plan.repayRaw);
  expect(told.plan.told).toEqual({ toxicFromHealth: '0.8412', toxicToHealth: '0.7999' });
  expect(plain.plan.told).toBeUndefined();
});

test.each(thin)('a toxic part that pays too little is a reason of its own, with its figures', ({ option, toxic, decide }) => {
  const plan = decide(option, 0n);
  if (plan.kind !== 'plan') throw new Error('no plan');
  const minProfitUsd8 = plan.plan.profitUsd8 + 1n;
  expect(decide(option, minProfitUsd8)).toMatchObject({ kind: 'skip', skip: { reason: 'below-min-profit' } });
  const { profitUsd, ...figures } = (decide(toxic, minProfitUsd8) as { skip: { figures: Record<string, string> } }).skip.figures;
  expect(decide(toxic, minProfitUsd8)).toMatchObject({ kind: 'skip', skip: { reason: 'toxic' } });
  expect(Number(profitUsd)).toBeCloseTo(Number(plan.plan.profitUsd8) / 1e8, 6);
  expect(figures).toMatchObject({ toxicFromHealth: '0.8412', toxicToHealth: '0.7999' });
});

/** The amount, pair of pools and lender that a candidate is planned with, against a fine grid of amounts with every lender. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Moment } from '../../src/oracles/types.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { planCandidate } from '../../src/strategy/candidate.ts';
import { evaluate } from '../../src/strategy/evaluate.ts';
import { waysOut } from '../../src/strategy/exits.ts';
import { poolBetween, poolShape, routerOver } from '../support/random-pools.ts';
import { COLLATERAL, DEBT, lenderDouble, NUMERAIRE, optionFor, positionShape, TERMS, type Ticks, usd8Of } from './random-options.ts';

const GRID = 150n;
const AT: Moment = { number: 1, timestamp: 1, baseFeeWei: 10n ** 9n, answer: () => undefined };
const NOBODY = { account: '0x01' } as unknown as Candidate;
const PAIRS = [
  [COLLATERAL, DEBT],
  [COLLATERAL, DEBT],
  [COLLATERAL, NUMERAIRE],
  [DEBT, NUMERAIRE],
] as const;

const world = fc.record({
  ticks: fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: -20_000, max: 20_000 }))) as fc.Arbitrary<unknown> as fc.Arbitrary<Ticks>,
  shapes: fc.array(poolShape, { minLength: 4, maxLength: 4 }),
  position: positionShape,
  /** What the free lender has, of the whole debt. */
  lent: fc.integer({ min: 0, max: 150 }),
});

test('the plan makes what the best amount on a fine grid makes, within 0.1%, for positions of every protocol', () => {
  const planned = new Map<string, number>();
  let partial = 0;
  fc.assert(
    fc.property(world, ({ ticks, shapes, position, lent }) => {
      const prices = new Map([DEBT, COLLATERAL, NUMERAIRE].map((token, index) => [token, ticks[index]!]));
      const pools = PAIRS.map(([one, other], place) => poolBetween(one, other, prices, shapes[place]!, place));
      const venue = routerOver(pools, [NUMERAIRE], NUMERAIRE);
      const usd = { usd8: (token: typeof DEBT) => ({ priceUsd8: usd8Of(token, ticks), decimals: 18 }) };
      const option = optionFor(position, ticks);
      const mostRaw = (BigInt(Math.round(position.debt * 1e6)) * 10n ** 12n * BigInt(lent)) / 100n;
      const flashes = [lenderDouble('dear', 10n ** 40n, 9n), lenderDouble('free', mostRaw, 0n)];
      const depth = venue.depth(AT);

      let best = 0n;
      for (const { minRaw, maxRaw } of option.regimes)
        for (let step = 0n; step <= GRID; step++) {
          const amountRaw = minRaw + ((maxRaw - minRaw) * step) / GRID;
          for (const flash of option.financing.kind === 'loan' ? flashes : [undefined])
            for (const way of waysOut({ ...option, numeraire: NUMERAIRE })) {
              const result = evaluate(option, amountRaw, flash, way, venue, depth, TERMS);
              if (result.ok && result.evaluation.valueWei > best) best = result.evaluation.valueWei;
            }
        }
      const { decision } = planCandidate(NOBODY, [option], { venue, flashes, usd }, depth, TERMS, AT);
      const made = decision.kind === 'plan' ? decision.plan.grossWei - decision.plan.gasWei : 0n;
      // A cent is no profit to miss.
      const short = made * 1_000n + 5n * 10n ** 12n * 1_000n < best * 999n;
      expect({ short, made, best, position }).toMatchObject({ short: false });
      if (decision.kind !== 'plan') return;
      planned.set(position.protocol, (planned.get(position.protocol) ?? 0) + 1);
      if (decision.plan.repayRaw * 10n < option.flow(option.regimes.at(-1)!.maxRaw)[0]!.deltaRaw * -9n) partial++;
    }),
    { seed: 11, numRuns: 80, endOnFailure: true },
  );
  expect(planned.size).toBe(4);
  for (const count of planned.values()) expect(count).toBeGreaterThan(8);
  expect(partial).toBeGreaterThan(15);
});

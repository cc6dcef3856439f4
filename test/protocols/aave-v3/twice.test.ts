/** Two calls on one pair in one transaction of the Executor, where one call may repay half: what is really left, against the best single call. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFixture } from '../../../scripts/devnet/fixture.ts';
import { Stage } from '../../../scripts/risk/stage.ts';
import { termsAt } from '../../../src/pipeline/terms.ts';
import type { Option } from '../../../src/protocols/types.ts';
import { Watch } from '../../../src/risk/candidates.ts';
import type { Candidate } from '../../../src/risk/types.ts';
import { emptyBook } from '../../../src/strategy/bids/book.ts';
import { planCandidate } from '../../../src/strategy/candidate.ts';
import type { Terms } from '../../../src/strategy/terms.ts';
import type { Plan } from '../../../src/strategy/types.ts';

const ENOUGH = 3;
const isTwice = ({ label }: Option) => label.endsWith(' twice');

let stage: Stage;

beforeAll(async () => {
  const fixture = await createFixture({ seed: 5, legacyPositions: 60 });
  stage = await Stage.open(fixture, { minProfitUsd: 1, bidShare: 0, baseFeeWei: 100_000_000n }, async () => {
    await fixture.setPrice('ETH / USD', 2_850_00000000n);
    await fixture.setPrice('BTC / USD', 91_000_00000000n);
  });
}, 240_000);
afterAll(() => stage?.stop());

function planned(candidate: Candidate, terms: Terms, wanted: (option: Option) => boolean): Plan | undefined {
  const { world } = stage;
  const at = stage.next();
  const options = world.protocols
    .find(({ id }) => id === candidate.deployment)!
    .options(candidate.slot, at)
    .filter(wanted);
  const market = { venue: world.venue, flashes: world.flashes, usd: world.usd };
  const { decision } = planCandidate(candidate, options, market, market.venue.depth(at), terms, at);
  return decision.kind === 'plan' ? decision.plan : undefined;
}

/** Of one transaction, gas paid. */
async function left(plan: Plan, terms: Terms): Promise<bigint> {
  const [realised, ...others] = await stage.tried([], [[plan]], terms);
  expect(others).toEqual([]);
  expect(realised!.made?.grossWei).toBe(plan.grossWei);
  return realised!.made!.grossWei - realised!.gasWei;
}

test('two calls in one transaction take what was planned to the wei, and leave more than one call, gas paid', {
  timeout: 120_000,
}, async () => {
  const { world, settings } = stage;
  const at = stage.next();
  const terms = termsAt(settings, world, world.head, at, 0n, emptyBook())!;
  const { candidates } = new Watch().judge(world.protocols, at, world.head.number);
  const chosen = candidates.flatMap((candidate) => {
    const both = planned(candidate, terms, () => true);
    const one = planned(candidate, terms, (option) => !isTwice(option));
    return both?.option.endsWith(' twice') && one !== undefined ? [{ both, one }] : [];
  });
  expect(chosen.length).toBeGreaterThanOrEqual(ENOUGH);
  for (const { both, one } of chosen.slice(0, ENOUGH)) {
    expect(both.repayRaw).toBeGreaterThan(one.repayRaw);
    expect(await left(both, terms)).toBeGreaterThan(await left(one, terms));
  }
});

test('where the first call is too small to pay for its gas, one call is chosen', () => {
  const { world, settings } = stage;
  const at = stage.next();
  const terms = { ...termsAt(settings, world, world.head, at, 0n, emptyBook())!, gasPriceWei: 200n * 10n ** 9n };
  const { candidates } = new Watch().judge(world.protocols, at, world.head.number);
  const dear = candidates.flatMap((candidate) => {
    const [both, any, one] = [isTwice, () => true, (option: Option) => !isTwice(option)].map((wanted) => planned(candidate, terms, wanted));
    return both !== undefined && one !== undefined && one.profitWei > both.profitWei ? [{ any, one }] : [];
  });
  expect(dear.length).toBeGreaterThan(0);
  for (const { any, one } of dear) expect(any!.option).toBe(one.option);
});

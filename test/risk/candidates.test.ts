/** What is found at a moment that may never come, where it brings down so many that not all of them are judged. */
import { expect, test } from 'vitest';
import { CROWDED, Crowd } from '../../scripts/bench/crowd.ts';
import type { Moment } from '../../src/oracles/types.ts';
import { standingOf } from '../../src/protocols/aave-v3/health.ts';
import { Lens } from '../../src/protocols/aave-v3/lens.ts';
import type { Protocol, Slot, Verdict } from '../../src/protocols/types.ts';
import { Watch } from '../../src/risk/candidates.ts';

const ACCOUNTS = 2_000;
const WAD = 10n ** 18n;

test('a crash names everybody with the health factor that the pool would tell, and judges hardly anybody for it', () => {
  const crowd = new Crowd(ACCOUNTS, 1, CROWDED);
  const market = new MarketDouble(crowd);
  const watch = new Watch();
  const protocols = [market as unknown as Protocol];
  watch.judge(protocols, crowd.moment(), 1);
  const crash = crowd.fallen(10, 20n);
  market.judged = 0;
  const { candidates, unknown } = watch.foresee(protocols, crash, 2);
  const judged = market.judged;
  const expected = [...crowd.slots()].flatMap((slot) => {
    const verdict = market.judge(slot, crash);
    return verdict.kind === 'liquidatable' ? [{ slot, healthFactorWad: verdict.healthFactorWad }] : [];
  });
  expect(unknown).toEqual([]);
  expect(candidates.map(({ slot, healthFactorWad }) => ({ slot, healthFactorWad }))).toEqual(expected);
  expect(expected.length).toBeGreaterThan(ACCOUNTS / 20);
  expect(judged).toBeLessThan(expected.length / 10);
  // What is made of a candidate has its figures still.
  expect({ ...candidates[0]! }.healthFactorWad).toBe(expected[0]!.healthFactorWad);
});

/** An Aave market that no chain stands behind; counts who is judged. */
class MarketDouble {
  readonly name = 'aave-v3';
  readonly id = 'aave-v3/double';
  judged = 0;
  readonly #crowd: Crowd;

  constructor(crowd: Crowd) {
    this.#crowd = crowd;
  }

  get bounds() {
    return this.#crowd.bounds;
  }

  slots(): Iterable<Slot> {
    return this.#crowd.slots();
  }

  judge(slot: Slot, at: Moment): Verdict {
    this.judged++;
    const { state } = this.#crowd;
    const standing = standingOf(state.accounts, slot, new Lens(state, at));
    if (!standing.ok) return { kind: 'unknown', reason: standing.reason };
    const { healthFactorWad } = standing;
    return { kind: healthFactorWad < WAD ? 'liquidatable' : 'healthy', healthFactorWad };
  }

  accountOf(slot: Slot): string {
    return this.#crowd.state.accounts.addressOf(slot);
  }

  marketOf(): string {
    return 'double';
  }

  aliasesOf(): readonly string[] {
    return [];
  }
}

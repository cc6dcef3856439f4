/** Candidates that share pools and the block's gas: what is chosen, and in which order, against every choice in every order. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_SURCHARGE } from '../../src/chain/rollup.ts';
import type { Address } from '../../src/lib/types.ts';
import type { Depth } from '../../src/liquidity/types.ts';
import type { Moment } from '../../src/oracles/types.ts';
import type { Option } from '../../src/protocols/types.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { planBlock } from '../../src/strategy/block.ts';
import { planCandidate } from '../../src/strategy/candidate.ts';
import type { Terms } from '../../src/strategy/terms.ts';
import { poolBetween, poolShape, routerOver } from '../support/random-pools.ts';
import {
  COLLATERAL,
  DEBT,
  lenderDouble,
  NUMERAIRE,
  NUMERAIRE_USD8,
  optionFor,
  positionShape,
  type Ticks,
  usd8Of,
} from './random-options.ts';

const AT: Moment = { number: 1, timestamp: 1, baseFeeWei: 10n ** 9n, answer: () => undefined };
const GAS = 700_000n;
const LENDERS = [lenderDouble('free', 10n ** 40n, 0n)];
const PAIRS = [
  [COLLATERAL, DEBT],
  [COLLATERAL, NUMERAIRE],
  [DEBT, NUMERAIRE],
] as const;

const terms = (maxBlockGas: bigint): Terms => ({
  ...{ executor: '0x0e', numeraire: NUMERAIRE, numeraireUsd8: NUMERAIRE_USD8, gasPriceWei: 10n ** 9n, surcharge: NO_SURCHARGE },
  ...{ minProfitUsd8: 500_000_000n, bid: () => 5_000, maxPositionUsd8: 10n ** 30n, tokenAllowed: () => true },
  ...{ maxTransactionGas: 16_777_216n, maxBlockGas },
});

const world = fc.record({
  ticks: fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: -9_000, max: 9_000 }))) as fc.Arbitrary<unknown> as fc.Arbitrary<Ticks>,
  shapes: fc.array(poolShape, { minLength: 3, maxLength: 3 }),
  positions: fc.array(positionShape, { minLength: 2, maxLength: 8 }),
  /** How many the block has gas for, about. */
  room: fc.integer({ min: 1, max: 9 }),
  whole: fc.boolean(),
});

/** Takes all that is allowed or nothing, so that one plan is one quote. */
function allOrNothing(option: Option): Option {
  const { maxRaw } = option.regimes.at(-1)!;
  return { ...option, regimes: [{ minRaw: maxRaw, maxRaw }] };
}

test('makes at least 99% of the best choice in the best order', () => {
  let crowded = 0;
  fc.assert(
    fc.property(world, ({ ticks, shapes, positions, room, whole }) => {
      const prices = new Map([DEBT, COLLATERAL, NUMERAIRE].map((token, index) => [token, ticks[index]!]));
      const pools = PAIRS.map(([one, other], place) => poolBetween(one, other, prices, shapes[place]!, place));
      const venue = routerOver(pools, [NUMERAIRE], NUMERAIRE);
      const market = { venue, flashes: LENDERS, usd: { usd8: (token: Address) => ({ priceUsd8: usd8Of(token, ticks), decimals: 18 }) } };
      const few = whole ? positions : positions.slice(0, 4);
      const options = few.map((position) => optionFor(position, ticks)).map((option) => (whole ? allOrNothing(option) : option));
      const candidates = few.map((_, slot) => ({ account: `0x${slot}`, slot }) as unknown as Candidate);
      const all = terms(GAS * BigInt(room));
      const planAt = (slot: number, depth: Depth) => planCandidate(candidates[slot]!, [options[slot]!], market, depth, all, AT);

      const alone = candidates.map((_, slot) => {
        const { decision } = planAt(slot, venue.depth(AT));
        return decision.kind === 'plan' ? decision.plan.profitWei : 0n;
      });
      let best = 0n;
      // Pools only get worse, so nobody makes more behind others than alone: a choice that cannot catch up is not followed further.
      const search = (depth: Depth, left: readonly number[], gasLeft: bigint, made: bigint) => {
        if (made > best) best = made;
        const promising = left.toSorted((a, b) => (alone[a]! > alone[b]! ? -1 : 1));
        if (made + promising.reduce((sum, slot) => sum + alone[slot]!, 0n) <= best + best / 500n) return;
        for (const slot of promising) {
          if (alone[slot] === 0n) continue;
          const { decision, after } = planAt(slot, depth);
          if (decision.kind === 'skip' || decision.plan.gasUnits > gasLeft) continue;
          const rest = left.filter((other) => other !== slot);
          search(after, rest, gasLeft - decision.plan.gasUnits, made + decision.plan.profitWei);
        }
      };
      search(
        venue.depth(AT),
        candidates.map((_, slot) => slot),
        all.maxBlockGas,
        0n,
      );

      const { decisions } = planBlock(candidates, ({ slot }) => [options[slot]!], market, all, AT);
      expect(decisions).toHaveLength(candidates.length);
      const plans = decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
      const made = plans.reduce((sum, { profitWei }) => sum + profitWei, 0n);
      expect(plans.reduce((sum, { gasUnits }) => sum + gasUnits, 0n)).toBeLessThanOrEqual(all.maxBlockGas);
      expect({ few, room, whole, made, best, short: made * 100n < best * 99n }).toMatchObject({ short: false });
      if (best * 10n < alone.reduce((sum, one) => sum + one, 0n) * 9n) crowded++;
    }),
    { seed: 21, numRuns: 40, endOnFailure: true },
  );
  expect(crowded).toBeGreaterThan(8);
});

/**
 * The ranges against the forward rule, unit by unit, on pairs so small that every amount can be tried. The rule itself is held against the
 * pool in liquidation.test.ts; here the inversion is, for every release (only the contracts of 3.0 and 3.6 are on npm and can be executed).
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RAY } from '../../../src/lib/math.ts';
import { maxRepayRaw, type Pair, regimesOf, takingOf } from '../../../src/protocols/aave-v3/liquidation.ts';
import { RELEASES } from '../../../src/protocols/aave-v3/rules.ts';

const LEAST_LEFT = 1_000_00000000n;
const WAD = 10n ** 18n;

/** Prices that make a few hundred units worth a few thousand dollars. */
const price = fc.bigInt(1_00000000n, 40_00000000n);
const indexes = fc.constantFrom(RAY, (RAY * 11n) / 10n, (RAY * 23n) / 10n);
const pairs = fc.record({
  rules: fc.constantFrom(...RELEASES),
  debtRaw: fc.bigInt(1n, 400n),
  debtPrice: price,
  collateralRaw: fc.bigInt(1n, 400n),
  collateralPrice: price,
  bonusBps: fc.bigInt(10_050n, 12_500n),
  protocolFeeBps: fc.constantFrom(0n, 1_000n, 2_000n),
  availableRaw: fc.oneof({ weight: 3, arbitrary: fc.constant(1_000n) }, { weight: 1, arbitrary: fc.bigInt(0n, 300n) }),
  indexRay: indexes,
  incomeIndexRay: indexes,
  /** How much of the debt is at the variable rate, where there are others. */
  variableShare: fc.constantFrom(0n, 3n, 10n, 10n),
  healthFactorWad: fc.constantFrom((90n * WAD) / 100n, (95n * WAD) / 100n, (96n * WAD) / 100n),
  otherDebtBase: fc.constantFrom(0n, 500_00000000n, 3_000_00000000n),
});

function pairOf(drawn: typeof pairs extends fc.Arbitrary<infer T> ? T : never): Pair {
  const { scaling, fixedDebt } = drawn.rules;
  const share = (drawn.debtRaw * drawn.variableShare) / 10n;
  const variableRaw = fixedDebt ? scaling.owedRaw((share * RAY) / drawn.indexRay, drawn.indexRay) : drawn.debtRaw;
  return {
    rules: drawn.rules,
    debt: { amountRaw: drawn.debtRaw, variableRaw, price: drawn.debtPrice, unit: 1n, indexRay: drawn.indexRay },
    collateral: {
      ...{ amountRaw: drawn.collateralRaw, price: drawn.collateralPrice, unit: 1n, indexRay: drawn.incomeIndexRay },
      ...{ bonusBps: drawn.bonusBps, protocolFeeBps: drawn.protocolFeeBps, availableRaw: drawn.availableRaw },
    },
    healthFactorWad: drawn.healthFactorWad,
    totalDebtBase: drawn.debtRaw * drawn.debtPrice + drawn.otherDebtBase,
  };
}

/** What the pool refuses: to burn nothing, to give out what it has not, and from 3.3 on to leave dust on both sides. */
function accepted(pair: Pair, release: string, coverRaw: bigint): boolean {
  const { repaidRaw, receivedRaw, feeRaw } = takingOf(pair, coverRaw);
  const { scaling } = pair.rules;
  const burned = repaidRaw > pair.debt.variableRaw ? 1n : scaling.owedBurn(repaidRaw, pair.debt.indexRay);
  if (burned === 0n || scaling.suppliedBurn(receivedRaw, pair.collateral.indexRay) === 0n) return false;
  if (receivedRaw === 0n || receivedRaw > pair.collateral.availableRaw) return false;
  const debtLeft = pair.debt.amountRaw - repaidRaw;
  const collateralLeft = pair.collateral.amountRaw - receivedRaw - feeRaw;
  if (release < '3.3' || debtLeft === 0n || collateralLeft === 0n) return true;
  return debtLeft * pair.debt.price >= LEAST_LEFT && collateralLeft * pair.collateral.price >= LEAST_LEFT;
}

test('every amount of a range is accepted, and every accepted amount that is not in one takes no more than one that is', () => {
  let gaps = 0;
  fc.assert(
    fc.property(pairs, (drawn) => {
      const pair = pairOf(drawn);
      const regimes = regimesOf(pair);
      if (regimes.length > 1) gaps++;
      const within = (amount: bigint) => regimes.some(({ minRaw, maxRaw }) => amount >= minRaw && amount <= maxRaw);
      for (let amount = 0n; amount <= maxRepayRaw(pair) + 2n; amount++) {
        if (within(amount)) expect(accepted(pair, drawn.rules.release, amount), `${amount} is refused`).toBe(true);
        else if (accepted(pair, drawn.rules.release, amount)) {
          const { repaidRaw, receivedRaw } = takingOf(pair, amount);
          const known = regimes.some(({ maxRaw }) => {
            const most = takingOf(pair, maxRaw);
            return most.repaidRaw <= repaidRaw && most.receivedRaw >= receivedRaw;
          });
          expect(known, `${amount} is missing`).toBe(true);
        }
      }
      for (const [place, { minRaw, maxRaw }] of regimes.entries()) {
        expect(minRaw).toBeGreaterThan(0n);
        expect(maxRaw).toBeGreaterThanOrEqual(minRaw);
        if (place > 0) expect(minRaw).toBeGreaterThan(regimes[place - 1]!.maxRaw + 1n);
      }
    }),
    { numRuns: 1_500, seed: 20_260_714, endOnFailure: true },
  );
  expect(gaps).toBeGreaterThan(50);
});

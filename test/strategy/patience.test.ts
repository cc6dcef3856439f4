/** Who may leave a part for later blocks, and how much: on pools that take a position only at a loss of most of the bonus. */
import { expect, test } from 'vitest';
import type { Address } from '../../src/lib/types.ts';
import type { Moment } from '../../src/oracles/types.ts';
import type { Option } from '../../src/protocols/types.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { planBlock } from '../../src/strategy/block.ts';
import type { Plan } from '../../src/strategy/types.ts';
import { poolBetween, routerOver, TOKENS } from '../support/random-pools.ts';
import { lenderDouble, TERMS } from './random-options.ts';

const [FIRST, SECOND, WETH] = TOKENS as [Address, Address, Address];
const UNIT = 10n ** 18n;
const OWED = 60n * UNIT;
const AT: Moment = { number: 1, timestamp: 1, baseFeeWei: 10n ** 9n, answer: () => undefined };
const PATIENCE = { stays: () => 0.95, recovers: () => 0.9, moveOf: () => 0 };

/** All tokens are worth the same; of each there is one pool, which loses a tenth of its price on all of a position. */
const venue = (() => {
  const shape = { kind: 'v2', fee: 3000, offset: 0, size: 1_000, positions: [] } as const;
  const ticks = new Map(TOKENS.map((token) => [token, 0]));
  return routerOver(
    [FIRST, SECOND].map((token, place) => poolBetween(token, WETH, ticks, shape, place)),
    [WETH],
    WETH,
  );
})();

function optionOn(collateralAsset: Address, mostRaw = OWED, gotTenths = 11n): Option {
  return {
    ...{ label: `WETH/${collateralAsset.slice(0, 4)}`, debtAsset: WETH, collateralAsset, gasUnits: 300_000n, financing: { kind: 'loan' } },
    regimes: [{ minRaw: 1n, maxRaw: mostRaw }],
    rest: (takenRaw) => (takenRaw < mostRaw ? [{ minRaw: 1n, maxRaw: mostRaw - takenRaw }] : []),
    flow: (amountRaw) => [
      { asset: WETH, deltaRaw: -amountRaw },
      { asset: collateralAsset, deltaRaw: (amountRaw * gotTenths) / 10n },
    ],
    steps: () => [],
  };
}

function planned(options: readonly Option[], patience: { readonly patience?: typeof PATIENCE } = { patience: PATIENCE }): readonly Plan[] {
  const candidates = options.map(
    (_, place) => ({ protocol: 'aave-v3', deployment: 'core', account: `0x0${place}`, slot: place }) as Candidate,
  );
  const usd = { usd8: () => ({ priceUsd8: TERMS.numeraireUsd8, decimals: 18 }) };
  const market = { venue, flashes: [lenderDouble('free', 10n ** 40n, 0n)], usd };
  const { decisions } = planBlock(candidates, ({ slot }) => [options[slot]!], market, { ...TERMS, numeraire: WETH, ...patience }, AT);
  return decisions.flatMap((decision) => (decision.kind === 'plan' ? [decision.plan] : []));
}

const waits = ({ told }: Plan) => told?.['laterRepayRaw'] !== undefined;

test('candidates that share no pool each leave a part for later; those that share one take what pays at once', () => {
  const apart = planned([optionOn(FIRST), optionOn(SECOND)]);
  expect(apart.map(waits)).toEqual([true, true]);
  for (const { repayRaw } of apart) expect(repayRaw).toBeLessThan(planned([optionOn(FIRST)], {})[0]!.repayRaw);
  expect(planned([optionOn(FIRST), optionOn(FIRST)]).map(waits)).not.toContain(true);
});

test('what others of its pairs make later counts: no more is taken now than leaves them there', () => {
  const lasting = OWED / 8n;
  const alone = planned([optionOn(FIRST)])[0]!;
  expect(alone.repayRaw).toBeGreaterThan(lasting);
  const others = (takenRaw: bigint) => (takenRaw <= lasting ? [optionOn(SECOND, OWED, 16n)] : []);
  const [first] = planned([{ ...optionOn(FIRST), others }]);
  expect(first?.repayRaw ?? 0n).toBeLessThanOrEqual(lasting);
});

test('what is left of other pairs whatever is taken changes little', () => {
  const alone = planned([optionOn(FIRST)])[0]!;
  const [first] = planned([{ ...optionOn(FIRST), others: () => [optionOn(SECOND, OWED / 100n)] }]);
  expect(Number(first!.repayRaw) / Number(alone.repayRaw)).toBeCloseTo(1, 1);
});

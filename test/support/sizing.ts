/** How well candidates are sized: what is planned in random pools, against the best of all that the contracts give on a grid of amounts. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { ASSETS, START_PRICES_USD8 } from '../../scripts/devnet/assets.ts';
import type { Address } from '../../src/lib/types.ts';
import type { Moment } from '../../src/oracles/types.ts';
import type { Option } from '../../src/protocols/types.ts';
import type { Candidate } from '../../src/risk/types.ts';
import { planCandidate } from '../../src/strategy/candidate.ts';
import { evaluate } from '../../src/strategy/evaluate.ts';
import { waysOut } from '../../src/strategy/exits.ts';
import { lenderDouble, TERMS } from '../strategy/random-options.ts';
import { poolBetween, routerOver } from './random-pools.ts';

/** What the contracts give for an amount. */
export type Given = { readonly amountRaw: bigint; readonly paidRaw: bigint; readonly gotRaw: bigint };
/** What may be planned, all of one pair, and what each of some ways gives on its grid: amounts that the contracts refuse are left out. */
export type Sized = { readonly options: readonly Option[]; readonly given: readonly (readonly [Option, readonly Given[]])[] };
/** Price of a whole token, 8 decimals. */
export type Worths = ReadonlyMap<Address, { readonly usd8: bigint; readonly decimals: number }>;

export type Tally = { accounts: number; points: number; cases: number; part: number; twice: number };

const NOBODY = { protocol: 'aave-v3', account: '0x01' } as unknown as Candidate;
const WAD = 10n ** 18n;
const CHEAP_WEI = 10n ** 7n;
/** A cent is no profit to miss. */
const CENT_WEI = 5n * 10n ** 12n;
const DRAWS = 2;
/** Pools that take all there is. */
const DEEP = { depth: 300, fee: 500, offset: 0, width: 300 };

/** Of a pool: what it holds at its price as a part of what may be repaid, its fee, and how far it is off, in ticks. */
const pool = fc.record({
  depth: fc.double({ min: -0.6, max: 2.5, noNaN: true }).map((exponent) => 10 ** exponent),
  fee: fc.constantFrom(100, 500, 3000, 10000),
  offset: fc.integer({ min: -20, max: 20 }),
  width: fc.integer({ min: 20, max: 300 }),
});

/** Of the devnet's tokens. @param prices by feed, where they are others than at the start */
export function worthsAfter(tokens: Readonly<Record<string, string>>, prices: Readonly<Record<string, bigint>>): Worths {
  return new Map(
    ASSETS.map(({ symbol, feed, decimals, ratioWad = WAD }) => {
      const usd8 = ((prices[feed] ?? START_PRICES_USD8[feed]!) * ratioWad) / WAD;
      return [tokens[symbol]!.toLowerCase() as Address, { usd8, decimals }];
    }),
  );
}

/** Amounts up to a fifth more than the options allow, evenly. */
export function gridOf({ regimes }: Option, steps: bigint): readonly bigint[] {
  const beyondRaw = (regimes.at(-1)!.maxRaw * 6n) / 5n;
  const even = Array.from({ length: Number(steps) }, (_, step) => (beyondRaw * BigInt(step + 1)) / steps);
  return [...even, ...regimes.flatMap(({ minRaw, maxRaw }) => [minRaw, maxRaw])];
}

/** Each in some random pools: what is planned makes as much as the best that was given, within 0.1%. Adds up what was seen. */
export function expectSized({ options, given }: Sized, weth: Address, worths: Worths, moment: Moment, seed: number, seen: Tally): void {
  // Ways out are weighed with the gas that plans are.
  const at = { ...moment, baseFeeWei: CHEAP_WEI };
  const [{ debtAsset, collateralAsset }] = options as [Option];
  const usdOf = (token: Address) => Number(worths.get(token)!.usd8) / 1e8;
  const perRaw = (token: Address) => usdOf(token) / 10 ** worths.get(token)!.decimals;
  const all = given.flatMap(([, points]) => points);
  const mostPaid = all.reduce((most, { paidRaw }) => (paidRaw > most ? paidRaw : most), 0n);
  const repaidUsd = Number(mostPaid) * perRaw(debtAsset);
  const tokens = [...new Set([debtAsset, collateralAsset, weth])];
  const ticks = new Map(tokens.map((token) => [token, Math.round(Math.log(perRaw(token)) / Math.log(1.0001))]));
  const pairs = tokens.flatMap((one, place) => tokens.slice(place + 1).map((other) => [one, other] as const));
  seen.accounts++;
  seen.points += all.length;
  const drawn = fc.sample(fc.array(pool, { minLength: pairs.length, maxLength: pairs.length }), { seed, numRuns: DRAWS });
  for (const shapes of [...drawn, pairs.map(() => DEEP)]) {
    const pools = pairs.map(([one, other], place) => {
      const { depth, fee, offset, width } = shapes[place]!;
      // Liquidity is the root of both sides.
      const size = (repaidUsd * depth) / Math.sqrt(perRaw(one) * perRaw(other)) / 1e18;
      const positions = [{ width, tenths: 10 }];
      return poolBetween(one, other, ticks, { kind: 'v3', fee: fee as 500, offset, size, positions }, place);
    });
    const venue = routerOver(pools, [weth], weth);
    const depth = venue.depth(at);
    const terms = { ...TERMS, numeraire: weth, numeraireUsd8: worths.get(weth)!.usd8, gasPriceWei: CHEAP_WEI };
    const lender = lenderDouble('free', 10n ** 40n, 0n);
    let bestWei = 0n;
    for (const [base, points] of given)
      for (const { amountRaw, paidRaw, gotRaw } of points)
        for (const way of waysOut({ ...base, numeraire: weth })) {
          const flows = [
            { asset: debtAsset, deltaRaw: -paidRaw },
            { asset: collateralAsset, deltaRaw: gotRaw },
          ];
          const flash = base.financing.kind === 'loan' ? lender : undefined;
          const result = evaluate({ ...base, flow: () => flows }, amountRaw, flash, way, venue, depth, terms);
          if (result.ok && result.evaluation.valueWei > bestWei) bestWei = result.evaluation.valueWei;
        }
    const usd = { usd8: (token: Address) => ({ priceUsd8: worths.get(token)!.usd8, decimals: worths.get(token)!.decimals }) };
    const { decision } = planCandidate(NOBODY, options, { venue, flashes: [lender], usd }, depth, terms, at);
    const made = decision.kind === 'plan' ? decision.plan.grossWei - decision.plan.gasWei : 0n;
    const isShort = made * 1_000n + CENT_WEI * 1_000n < bestWei * 999n;
    expect({ isShort, made, bestWei, option: options[0]!.label, shapes }).toMatchObject({ isShort: false });
    seen.cases++;
    if (decision.kind !== 'plan') continue;
    if (decision.plan.option.endsWith(' twice')) seen.twice++;
    if (decision.plan.repayRaw * 100n < mostPaid * 95n) seen.part++;
  }
}

export function nothingSized(): Tally {
  return { accounts: 0, points: 0, cases: 0, part: 0, twice: 0 };
}

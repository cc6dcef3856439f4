/** Plans with their stated risk, and what became of them behind trades that the keeper could not know of. */
import { weiToUsd8Floor } from '../../src/lib/usd.ts';
import { decideBlock } from '../../src/pipeline/decide.ts';
import { Watch } from '../../src/risk/candidates.ts';
import { emptyBook } from '../../src/strategy/bids/book.ts';
import { type ExecutionRisk, type OwnOutcome, riskOf } from '../../src/strategy/risk.ts';
import { ASSETS, startPriceUsd8 } from '../devnet/assets.ts';
import { createFixture } from '../devnet/fixture.ts';
import { Prng } from '../devnet/prng.ts';
import { NoiseTraders } from './noise.ts';
import { Stage, type StageTerms } from './stage.ts';

const ETH_FALLS_TO_USD8 = 2_700_00000000n;
const TERMS: Omit<StageTerms, 'baseFeeWei'> = { minProfitUsd: 1, bidShare: 5_000 };
/** Blocks until the pools have followed the fall: these are not looked at. */
const SETTLING = 60;
const WAD = 10n ** 18n;
const USD8 = 1e8;
const OUTCOMES_KEPT = 200;
const WEI_PER_GWEI = 1e9;

export type Case = {
  readonly pair: string;
  readonly quotedUsd: number;
  /** As stated of a transaction that is in a block. */
  readonly expectedUsd: number;
  readonly worstUsd: number;
  readonly revertShare: number;
  /** As planned, and as paid. */
  readonly gasUsd: number;
  readonly paidGasUsd: number;
  /** What the transaction really left, its gas paid; less than nothing where it reverted. */
  readonly realisedUsd: number;
  readonly reverted: boolean;
};

export type CalibrationOptions = {
  readonly cases: number;
  readonly seed: number;
  readonly positions: number;
  /** Blocks that the keeper has seen before the first case. */
  readonly seen: number;
  readonly baseFeeGwei: number;
  /** False: it plans as if nothing could come between. */
  readonly cautious: boolean;
};

/** One candidate a block, any that pays: planned, stated, tried behind the block's trades, and taken back. */
export async function calibrate(options: CalibrationOptions, told: (count: number) => void = () => {}): Promise<readonly Case[]> {
  const { seed } = options;
  const fixture = await createFixture({ positions: options.positions, seed });
  const prices = pricesAfterTheFall();
  let traders!: NoiseTraders;
  const stageTerms = { ...TERMS, baseFeeWei: BigInt(Math.round(options.baseFeeGwei * WEI_PER_GWEI)) };
  const stage = await Stage.open(fixture, stageTerms, async () => {
    await fixture.setPrice('ETH / USD', ETH_FALLS_TO_USD8);
    traders = await NoiseTraders.open(fixture.chain, fixture.market, seed);
    await fixture.chain.prepare();
  });
  try {
    const done: Case[] = [];
    const outcomes: OwnOutcome[] = [];
    const random = new Prng(seed + 1);
    const { world, settings } = stage;
    for (let block = 0; block < SETTLING + options.seen; block++) await stage.mine([await traders.trades(prices)]);
    while (done.length < options.cases) {
      const trades = await traders.trades(prices);
      const at = stage.next();
      const { candidates } = new Watch().judge(world.protocols, at, world.head.number);
      for (let tries = 0; tries < candidates.length; tries++) {
        const moves = options.cautious ? world.priceMoves : undefined;
        const chosen = [random.pick(candidates)];
        const { decisions, terms } = decideBlock(world, settings, chosen, world.head, at, 0n, { moves });
        const [decision] = decisions;
        if (decision?.kind !== 'plan' || terms === undefined) continue;
        const { plan } = decision;
        const stated = riskOf(plan, world.priceMoves, { channel: 'public', book: emptyBook(), outcomes });
        const usd = (wei: bigint) => Number(weiToUsd8Floor(wei, terms.numeraireUsd8)) / USD8;
        if (stated === undefined) continue;
        const [realised] = await stage.tried([trades], [[plan]], terms);
        const { made, gasWei } = realised!;
        if (made !== undefined) world.gasUse.note([plan], gasWei / stageTerms.baseFeeWei);
        done.push({
          ...{ pair: plan.option, quotedUsd: usd(plan.profitWei), ...conditional(stated) },
          ...{ gasUsd: usd(plan.gasWei), paidGasUsd: usd(gasWei) },
          ...{ realisedUsd: usd((made === undefined ? 0n : made.grossWei - made.bidWei) - gasWei), reverted: made === undefined },
        });
        const outcome = made === undefined ? 'reverted' : 'included';
        outcomes.push({ channel: 'public', surplusUsd: usd(plan.grossWei - plan.gasWei), shareBps: TERMS.bidShare, outcome });
        outcomes.splice(0, outcomes.length - OUTCOMES_KEPT);
        told(done.length);
        break;
      }
      await stage.mine([trades]);
    }
    return done;
  } finally {
    await stage.stop();
  }
}

/** Given that a block takes it: here every block does. */
function conditional({ includedBps, revertedBps, expectedProfitUsd8, worstProfitUsd8 }: ExecutionRisk) {
  const mined = includedBps + revertedBps;
  const expectedUsd = (Number(expectedProfitUsd8) / USD8) * (10_000 / mined);
  return { expectedUsd, worstUsd: Number(worstProfitUsd8) / USD8, revertShare: revertedBps / mined };
}

export type Calibration = {
  readonly cases: number;
  /** Of all, in which less was left than the stated 5% worst. */
  readonly crossedShare: number;
  readonly quotedUsd: number;
  readonly expectedUsd: number;
  readonly realisedUsd: number;
  readonly expectedReverts: number;
  readonly reverts: number;
  readonly gasUsd: number;
  readonly paidGasUsd: number;
  /** The same as `crossedShare` of the half that is quoted more than the other, and of the other. */
  readonly crossedShares: { readonly large: number; readonly small: number };
};

export function calibrationOf(cases: readonly Case[]): Calibration {
  const sum = (figure: (one: Case) => number) => cases.reduce((total, one) => total + figure(one), 0);
  const bySize = cases.toSorted((a, b) => b.quotedUsd - a.quotedUsd);
  const half = Math.ceil(cases.length / 2);
  return {
    cases: cases.length,
    crossedShare: crossedShareOf(cases),
    crossedShares: { large: crossedShareOf(bySize.slice(0, half)), small: crossedShareOf(bySize.slice(half)) },
    quotedUsd: sum(({ quotedUsd }) => quotedUsd),
    expectedUsd: sum(({ expectedUsd }) => expectedUsd),
    realisedUsd: sum(({ realisedUsd }) => realisedUsd),
    expectedReverts: sum(({ revertShare }) => revertShare),
    reverts: sum(({ reverted }) => Number(reverted)),
    gasUsd: sum(({ gasUsd }) => gasUsd),
    paidGasUsd: sum(({ paidGasUsd }) => paidGasUsd),
  };
}

function crossedShareOf(cases: readonly Case[]): number {
  return cases.filter(({ realisedUsd, worstUsd }) => realisedUsd < worstUsd).length / Math.max(cases.length, 1);
}

function pricesAfterTheFall(): Record<string, bigint> {
  return Object.fromEntries(
    ASSETS.map((asset) => {
      const price = asset.feed === 'ETH / USD' ? (ETH_FALLS_TO_USD8 * (asset.ratioWad ?? WAD)) / WAD : startPriceUsd8(asset);
      return [asset.symbol, price];
    }),
  );
}

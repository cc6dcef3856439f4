/**
 * A liquidation that keeps what it need not sell: of what is seized so much is exchanged as repays what is owed and pays for gas, and the rest goes to the inventory
 * Executor, to be sold over the next blocks. The liquidation itself never loses: it reverts unless gas comes back and at least the planned rest is handed over. Pure.
 */
import { encodeFunctionData, parseAbi } from 'viem';
import { BPS, divUp } from '../lib/math.ts';
import type { Step } from '../lib/steps.ts';
import type { Address } from '../lib/types.ts';
import { rawToUsd8Floor, usdText, weiToUsd8Floor } from '../lib/usd.ts';
import type { Depth, FlashSource } from '../liquidity/types.ts';
import type { Moment } from '../oracles/types.ts';
import type { Option } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { aloneIn, CLIP_LOSS_BPS, childGasWei, clipOf, discountOf } from './clips.ts';
import { type Evaluation, evaluate, movesOf, stepsOf, unbidGasWeiOf } from './evaluate.ts';
import type { Way } from './exits.ts';
import { lendersFor } from './lenders.ts';
import { withinPositionLimit } from './limits.ts';
import type { Market } from './prospect.ts';
import { bestAmount } from './size.ts';
import { GROUP_GAS, type Terms, TRANSACTION_GAS } from './terms.ts';
import type { Plan } from './types.ts';

/** What the risk of holding has to earn. */
const HELD_RISK_BPS = 200n;
/** So much more than its gas is sold for at once. */
const GAS_COVER_BPS = 13_000n;
/** Gas of the exchanges of such a liquidation, for what is to cover it. */
const SWAPS_GAS = 500_000n;
/** Of two transfers, the first one to an account that has none of it. */
const HAND_OVER_GAS = 90_000n;
/** Of the rest, what pools may take by moving before it reverts. */
const KEPT_SLACK_BPS = 50n;

const transferAbi = parseAbi(['function transfer(address to, uint256 amount) returns (bool)']);
/** Of `transfer`, after the selector and the first word. */
const AMOUNT_OFFSET = 36;

export type KeepLimits = { readonly inventory: Address; readonly roomUsd8: bigint };
export type Kept = {
  readonly plan: Plan;
  readonly token: Address;
  readonly valueUsd8: bigint;
  readonly priceUsd8: bigint;
  readonly discountBps: bigint;
};

/** What a token is worth that is held: USD of a whole one, 8 decimals, and what is left of an amount once it is sold, in wei. */
type Worth = {
  readonly price: { readonly priceUsd8: bigint; readonly decimals: number };
  readonly discountBps: bigint;
  wei(amountRaw: bigint): bigint;
};

/** The most profitable of one candidate; undefined where none reaches the least profit. */
export function planKept(
  candidate: Candidate,
  options: readonly Option[],
  market: Market,
  depth: Depth,
  terms: Terms,
  at: Moment,
  limits: KeepLimits,
): Kept | undefined {
  const unbid: Terms = { ...terms, gasPriceWei: terms.unbidGasPriceWei ?? terms.gasPriceWei };
  let best: { readonly evaluation: Evaluation; readonly worth: Worth } | undefined;
  for (const option of options) {
    const worth = keepable(option, terms) ? worthOf(option, market, depth, terms, at) : undefined;
    const within = worth === undefined ? 'no-usd-price' : withinPositionLimit(option, market.usd, terms, at);
    if (worth === undefined || typeof within === 'string') continue;
    const { regimes } = within;
    const way = keepRest(worth, coverWei(option, terms), limits.roomUsd8);
    const value = (flash: FlashSource | undefined) => (amountRaw: bigint) => {
      const result = evaluate(option, amountRaw, flash, way, market.venue, depth, unbid);
      return result.ok ? result.evaluation : undefined;
    };
    for (const flash of lendersFor(option, regimes, market, depth, terms)) {
      const found = bestAmount(regimes, value(flash), best?.evaluation.valueWei);
      if (found !== undefined && (best === undefined || found.valueWei > best.evaluation.valueWei)) best = { evaluation: found, worth };
    }
  }
  if (best === undefined) return undefined;
  const kept = keptPlan(candidate, best.evaluation, best.worth, market, terms, at, limits.inventory);
  return kept.plan.profitUsd8 >= terms.minProfitUsd8 && kept.plan.profitWei > 0n ? kept : undefined;
}

/** Profit in wrapped native is no inventory, and a debt that is seized needs no exchange. */
function keepable({ debtAsset, collateralAsset, financing }: Option, terms: Terms): boolean {
  if (collateralAsset === terms.numeraire || collateralAsset === debtAsset) return false;
  if (financing.kind !== 'loan' && financing.kind !== 'callback') return false;
  return terms.tokenAllowed(debtAsset) && terms.tokenAllowed(collateralAsset);
}

/** By what pools pay for one child order now and by the oracle, whichever is less; child orders' gas and the risk taken off. */
function worthOf(option: Option, { venue, usd }: Market, depth: Depth, terms: Terms, at: Moment): Worth | undefined {
  const { collateralAsset } = option;
  const price = usd.usd8(collateralAsset, at);
  const clip = clipOf(venue, collateralAsset, movesOf(option, option.regimes.at(-1)!.maxRaw).seizedRaw, CLIP_LOSS_BPS, depth, terms);
  if (price === undefined || price.priceUsd8 <= 0n || clip === undefined) return undefined;
  const gasWei = childGasWei(clip, terms);
  const spot = venue.spot(collateralAsset, terms.numeraire, depth) ?? 0;
  return {
    price,
    discountBps: discountOf(spot, price, terms),
    wei(amountRaw) {
      const atPools = (amountRaw * clip.amountOutRaw) / clip.amountInRaw;
      const atOracle = (rawToUsd8Floor(amountRaw, price) * 10n ** 18n) / terms.numeraireUsd8;
      const least = atPools < atOracle ? atPools : atOracle;
      return (least * (BPS - HELD_RISK_BPS)) / BPS - divUp(amountRaw, clip.amountInRaw) * gasWei;
    },
  };
}

function coverWei({ gasUnits }: Option, terms: Terms): bigint {
  return (unbidGasWeiOf(TRANSACTION_GAS + GROUP_GAS + gasUnits + SWAPS_GAS, terms) * GAS_COVER_BPS) / BPS;
}

/** Exactly what is owed and the gas's cover are bought with collateral. The remainder counts at what it will bring, and may be no more than there is room for. */
function keepRest(worth: Worth, coverWei: bigint, roomUsd8: bigint): Way {
  return {
    quote(venue, { collateralAsset, debtAsset, numeraire, owedRaw, seizedRaw, depth, avoid }) {
      const purchase = venue.quoteOut(collateralAsset, debtAsset, owedRaw, depth, avoid);
      if (!purchase.ok) return purchase;
      const between = depth.after(purchase);
      const sale = venue.quoteOut(collateralAsset, numeraire, coverWei, between, avoid);
      if (!sale.ok) return sale;
      const restRaw = seizedRaw - purchase.amountInRaw - sale.amountInRaw;
      if (restRaw <= 0n || rawToUsd8Floor(restRaw, worth.price) > roomUsd8) return { ok: false, reason: 'too-thin' };
      return {
        ok: true,
        fills: [purchase, sale],
        grossRaw: sale.amountOutRaw + worth.wei(restRaw),
        get after() {
          return between.after(sale);
        },
        inner: [{ fill: purchase, input: 'planned' }],
        outer: { fill: sale, input: 'planned' },
      };
    },
    // What is kept counts for less the more of it there is.
    most: () => undefined,
  };
}

function keptPlan(
  candidate: Candidate,
  evaluation: Evaluation,
  { price, discountBps }: Worth,
  market: Market,
  terms: Terms,
  at: Moment,
  inventory: Address,
): Kept {
  const { option, exit, loan, repayRaw, seizedRaw, grossWei } = evaluation;
  const gasUnits = evaluation.gasUnits + HAND_OVER_GAS;
  const gasWei = unbidGasWeiOf(gasUnits, terms);
  const profitWei = grossWei - gasWei;
  const { debtAsset, collateralAsset } = option;
  const keptRaw = exit.fills.reduce((rest, { amountInRaw }) => rest - amountInRaw, seizedRaw);
  const valueUsd8 = rawToUsd8Floor(keptRaw, price);
  const debt = market.usd.usd8(debtAsset, at);
  const plan: Plan = {
    ...{ candidate, option: `${option.label}, rest kept`, debtAsset, collateralAsset, repayRaw, seizedRaw },
    route: exit.fills.map(({ label }) => label).join('; '),
    pools: [...new Set(exit.fills.flatMap(({ pools }) => pools))],
    flash: loan?.flash.name ?? 'none',
    flashFeeRaw: loan?.feeRaw ?? 0n,
    steps: [...stepsOf(evaluation, market.venue, terms.executor), ...handOver(collateralAsset, keptRaw, inventory)],
    margin: aloneIn(terms.executor, terms),
    told: { keptRaw: String(keptRaw), keptUsd: usdText(valueUsd8) },
    leg: { kind: 'first', leastRaw: gasWei },
    sweep: [...new Set([debtAsset, ...exit.fills.flatMap(({ path }) => path)])].filter((token) => token !== terms.numeraire),
    ...{ grossWei, gasUnits, gasWei, bidWei: 0n, profitWei, profitUsd8: weiToUsd8Floor(profitWei, terms.numeraireUsd8) },
    repayUsd8: debt === undefined ? 0n : rawToUsd8Floor(repayRaw, debt),
  };
  return { plan, token: collateralAsset, valueUsd8, priceUsd8: price.priceUsd8, discountBps };
}

/** So much at the least, or all of it reverts; and whatever more there is. */
function handOver(token: Address, keptRaw: bigint, inventory: Address): readonly Step[] {
  const transfer = (amountRaw: bigint) => ({
    ...{ kind: 'call' as const, target: token, valueWei: 0n },
    data: encodeFunctionData({ abi: transferAbi, functionName: 'transfer', args: [inventory, amountRaw] }),
  });
  return [transfer((keptRaw * (BPS - KEPT_SLACK_BPS)) / BPS), { ...transfer(0n), patch: { token, offset: AMOUNT_OFFSET } }];
}

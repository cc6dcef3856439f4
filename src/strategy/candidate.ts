import { rawToUsd8Floor, usdText, weiToUsd8Floor } from '../lib/usd.ts';
import type { Depth, Exchange, FlashSource } from '../liquidity/types.ts';
import type { Moment, UsdPrices } from '../oracles/types.ts';
import type { Option, Regime } from '../protocols/types.ts';
import type { Candidate } from '../risk/types.ts';
import { countedIn, type Evaluation, evaluate, type NoEvaluation, repaidRaw, stepsOf } from './evaluate.ts';
import { type Way, waysOut } from './exits.ts';
import { bestAmount } from './size.ts';
import type { Terms } from './terms.ts';
import type { Decision, SkipReason } from './types.ts';

/** What planning may exchange, borrow and price with. */
export type Market = { readonly venue: Exchange; readonly flashes: readonly FlashSource[]; readonly usd: UsdPrices };

const BPS = 10_000n;

/** The most profitable liquidation of one candidate at a depth, or the reason why none is made. Pure. */
export function planCandidate(
  candidate: Candidate,
  options: readonly Option[],
  market: Market,
  depth: Depth,
  terms: Terms,
  at: Moment,
): { readonly decision: Decision; readonly after: Depth } {
  const skip = (reason: SkipReason['reason'], figures: Record<string, string> = {}) => ({
    decision: { kind: 'skip', candidate, skip: { reason, figures } } as const,
    after: depth,
  });
  if (options.length === 0) return skip('no-option');
  const allowed = options.filter((option) => terms.tokenAllowed(option.debtAsset) && terms.tokenAllowed(option.collateralAsset));
  if (allowed.length === 0) return skip('token-denied', { pairs: options.map((option) => option.label).join(', ') });

  let best: Evaluation | undefined;
  let obstacle: NoEvaluation['reason'] | 'no-usd-price' | 'position-too-large' | undefined;
  let oddity: Record<string, string> | undefined;
  for (const option of allowed) {
    const regimes = withinPositionLimit(option, market.usd, terms, at);
    if (typeof regimes === 'string') {
      obstacle ??= regimes;
      continue;
    }
    const value = (flash: FlashSource | undefined, way: Way) => (amountRaw: bigint) => {
      const result = evaluate(option, amountRaw, flash, way, market.venue, depth, terms);
      if (result.ok) return result.evaluation;
      obstacle = result.reason;
      if (result.reason === 'odd-token') oddity = { token: result.token, cause: result.cause };
      return undefined;
    };
    const numeraire = countedIn(option, terms);
    for (const flash of lendersFor(option, regimes, market, depth, terms))
      for (const way of waysOut({ ...option, numeraire })) {
        const found = bestAmount(regimes, value(flash, way));
        if (found !== undefined && (best === undefined || found.valueWei > best.valueWei)) best = found;
      }
  }
  if (best === undefined && oddity !== undefined) return skip('odd-token', oddity);
  if (best === undefined)
    return skip(obstacle === undefined || obstacle === 'too-thin' || obstacle === 'not-synced' ? 'no-route' : obstacle);
  return decide(candidate, best, market, depth, terms, at);
}

function decide(candidate: Candidate, best: Evaluation, market: Market, depth: Depth, terms: Terms, at: Moment) {
  // As if it went alone: with others in its transaction the share is decided anew, for all of them (bids/transaction.ts).
  const lot = { surplusWei: best.valueWei, leastSurplusWei: best.valueWei, gasUnits: best.gasUnits, candidates: [candidate] };
  const { financing } = best.option;
  const margin = financing.kind === 'margin' ? financing.margin : undefined;
  const bidWei = best.valueWei > 0n && margin === undefined ? (best.valueWei * BigInt(terms.bid(lot))) / BPS : 0n;
  const profitWei = best.valueWei - bidWei;
  const profitUsd8 = weiToUsd8Floor(profitWei, terms.numeraireUsd8);
  if (profitUsd8 < terms.minProfitUsd8 || profitWei <= 0n) {
    const figures = {
      profitUsd: usdText(profitUsd8),
      minProfitUsd: usdText(terms.minProfitUsd8),
      grossUsd: usdText(weiToUsd8Floor(best.grossWei, terms.numeraireUsd8)),
      gasUsd: usdText(weiToUsd8Floor(best.gasWei, terms.numeraireUsd8)),
      bidUsd: usdText(weiToUsd8Floor(bidWei, terms.numeraireUsd8)),
      pair: best.option.label,
    };
    const reason =
      best.grossWei > 0n && weiToUsd8Floor(best.grossWei, terms.numeraireUsd8) >= terms.minProfitUsd8 && best.valueWei <= 0n
        ? 'gas-too-high'
        : 'below-min-profit';
    return { decision: { kind: 'skip', candidate, skip: { reason, figures } } as const, after: depth };
  }
  const price = priceOfDebt(best.option, market.usd, at);
  const plan = {
    candidate,
    option: best.option.label,
    debtAsset: best.option.debtAsset,
    collateralAsset: best.option.collateralAsset,
    repayRaw: best.repayRaw,
    seizedRaw: best.seizedRaw,
    route: best.exit.fills.map((fill) => fill.label).join('; ') || 'none',
    pools: [...new Set(best.exit.fills.flatMap((fill) => fill.pools))],
    flash: best.loan?.flash.name ?? 'none',
    flashFeeRaw: best.loan?.feeRaw ?? 0n,
    steps: stepsOf(best, market.venue, terms.executor),
    margin,
    // A first hop that gives more than planned leaves some of the token in between.
    sweep:
      margin !== undefined
        ? []
        : [...new Set([best.option.debtAsset, best.option.collateralAsset, ...best.exit.fills.flatMap((fill) => fill.path)])].filter(
            (token) => token !== terms.numeraire,
          ),
    grossWei: best.grossWei,
    gasUnits: best.gasUnits,
    gasWei: best.gasWei,
    bidWei,
    profitWei,
    profitUsd8,
    repayUsd8: price === undefined ? 0n : rawToUsd8Floor(best.repayRaw, price),
  };
  return { decision: { kind: 'plan', plan } as const, after: best.exit.after };
}

/**
 * The lenders worth trying: the cheapest of those that can lend for the largest amount, and those that are cheaper still and can lend less. One at the least,
 * which may be none at all where no loan is needed.
 */
function lendersFor(
  option: Option,
  regimes: readonly Regime[],
  { flashes, venue }: Market,
  depth: Depth,
  terms: Terms,
): readonly (FlashSource | undefined)[] {
  if (option.financing.kind !== 'loan') return [undefined];
  if (flashes.length < 2) return [flashes[0]];
  const [leastRaw, mostRaw] = [repaidRaw(option, regimes[0]!.minRaw), repaidRaw(option, regimes.at(-1)!.maxRaw)];
  const price = venue.spot(option.debtAsset, terms.numeraire, depth) ?? 0;
  const offers = flashes.flatMap((flash) => {
    // Fees are linear in the amount, so one amount says what every one costs.
    for (const amountRaw of [mostRaw, mostRaw / 2n, mostRaw / 8n, leastRaw]) {
      const offer = amountRaw > 0n ? flash.feeRaw(option.debtAsset, amountRaw, []) : undefined;
      if (offer === undefined) continue;
      const feeWei = (Number(offer.feeRaw) * price * Number(mostRaw)) / Number(amountRaw);
      return [{ flash, whole: amountRaw === mostRaw, costWei: feeWei + Number(offer.gasUnits * terms.gasPriceWei) }];
    }
    return [];
  });
  offers.sort((a, b) => a.costWei - b.costWei);
  const cheapest = offers.findIndex(({ whole }) => whole);
  const chosen = offers.slice(0, cheapest < 0 ? offers.length : cheapest + 1).map(({ flash }) => flash);
  return chosen.length > 0 ? chosen : [flashes[0]];
}

/** Of what is owed at a venue the venue knows the worth. */
function priceOfDebt({ financing, debtAsset }: Option, usd: UsdPrices, at: Moment): ReturnType<UsdPrices['usd8']> {
  return financing.kind === 'margin' ? { priceUsd8: financing.debtUsd8, decimals: 18 } : usd.usd8(debtAsset, at);
}

/** The option's regimes cut to the operator's largest position; partial liquidations stay possible below it. */
function withinPositionLimit(
  option: Option,
  usdPrices: UsdPrices,
  terms: Terms,
  at: Moment,
): readonly Regime[] | 'no-usd-price' | 'position-too-large' {
  const price = priceOfDebt(option, usdPrices, at);
  if (price === undefined || price.priceUsd8 <= 0n) return 'no-usd-price';
  const maxRaw = (terms.maxPositionUsd8 * 10n ** BigInt(price.decimals)) / price.priceUsd8;
  const repaid = (amountRaw: bigint) => repaidRaw(option, amountRaw);
  const cut = option.regimes.flatMap((regime) => (repaid(regime.minRaw) > maxRaw ? [] : [cutAt(regime, maxRaw, repaid)]));
  return cut.length > 0 ? cut : 'position-too-large';
}

/** The amounts of a regime that repay no more than this; what is repaid never falls as the amount rises. Its least amount does. */
function cutAt(regime: Regime, mostRaw: bigint, repaid: (amountRaw: bigint) => bigint): Regime {
  if (repaid(regime.maxRaw) <= mostRaw) return regime;
  let fits = regime.minRaw;
  let exceeds = regime.maxRaw;
  while (exceeds - fits > 1n) {
    const middle = (fits + exceeds) / 2n;
    if (repaid(middle) <= mostRaw) fits = middle;
    else exceeds = middle;
  }
  return { minRaw: regime.minRaw, maxRaw: fits };
}

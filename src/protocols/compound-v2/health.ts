/**
 * Whether a position can be liquidated, as the liquidation itself will find it: every market as it is stored, but for the two that it accrues. Accruing others
 * before it is a step that anybody may take; it is taken where the position is liquidatable only then.
 */
import { mulDivDown, WAD } from '../../lib/math.ts';
import type { Lens, MarketNow } from './lens.ts';
import { borrowBalance, exchangeRateWad, healthWad, wadMulDown } from './math.ts';
import { type Account, forcedKey, type Holding, termsOf } from './state.ts';

/** A holding's part of the two sums, in the oracle's currency, wad. */
export type Worth = { readonly heldUsd: bigint; readonly owedUsd: bigint };

/** A market that an account is in, with what that is worth as stored and as accrued. */
export type Side = {
  readonly holding: Holding;
  readonly now: MarketNow;
  readonly price: bigint;
  readonly thresholdWad: bigint;
  readonly stored: Worth;
  readonly accrued: Worth;
};

/** A debt, and the collateral that is taken for it. */
export type Pair = {
  readonly debt: Side;
  readonly collateral: Side;
  readonly healthFactorWad: bigint;
  /** Both sums of the account as the call finds them. */
  readonly worth: Worth;
  /** Whatever its health: governance says so. */
  readonly forced: boolean;
  /** Whose interest is accrued first, beside the two. */
  readonly accrueFirst: readonly Side[];
  /** Whether the contracts still find a shortfall while so much is being repaid. */
  stillShort(repaidRaw: bigint): boolean;
};

export type Standing =
  | {
      readonly ok: true;
      readonly healthFactorWad: bigint;
      readonly liquidatable: boolean;
      readonly sides: readonly Side[];
      /** All pairs that can be liquidated as far as health goes. */
      readonly pairs: readonly Pair[];
    }
  | { readonly ok: false; readonly reason: string };

/** Comptroller.getHypotheticalAccountLiquidityInternal, for each pair that a liquidation may name. */
export function standingOf(account: Account, lens: Lens): Standing {
  if (!account.known) return { ok: false, reason: 'what it holds is being read' };
  const sides: Side[] = [];
  for (const holding of account.holdings.values()) {
    if (holding.tokens === 0n && holding.principal === 0n) continue;
    const side = sideOf(holding, account, lens);
    if (typeof side === 'string') return { ok: false, reason: side };
    sides.push(side);
  }
  const stored = storedWorth(sides, vaiOwed(account, lens.vaiIndex()));
  const losing = sides.filter((side) => loss(side) > 0n).sort((a, b) => (loss(a) > loss(b) ? -1 : 1));
  const worths = { stored, losing, lost: losing.reduce(moved, stored) };
  const debts = sides.filter(({ holding }) => holding.principal > 0n);
  const collaterals = sides.filter(({ holding }) => holding.tokens > 0n);
  const pairs = debts.flatMap((debt) => collaterals.map((collateral) => pairOf(debt, collateral, worths, account, lens)));
  const least = pairs.reduce<bigint | undefined>(
    (least, { healthFactorWad }) => (least === undefined || healthFactorWad < least ? healthFactorWad : least),
    undefined,
  );
  const healthFactorWad = least ?? healthWad(stored.heldUsd, stored.owedUsd);
  const open = pairs.filter(({ healthFactorWad, forced }) => forced || healthFactorWad < WAD);
  return { ok: true, healthFactorWad, liquidatable: open.length > 0 || healthFactorWad < WAD, sides, pairs: open };
}

/** Both sums as stored; the sides that accruing takes from, those first that it takes most from; and the sums once all of these are accrued. */
type Worths = { readonly stored: Worth; readonly losing: readonly Side[]; readonly lost: Worth };

/** NOTE: anybody may enter every market there is, so what a pair costs here must not grow with them while it is healthy whatever is accrued. */
function pairOf(debt: Side, collateral: Side, { stored, losing, lost }: Worths, account: Account, { state }: Lens): Pair {
  const own = debt === collateral ? [debt] : [debt, collateral];
  const least = own.filter((side) => loss(side) <= 0n).reduce(moved, lost);
  let worth = least;
  const accrueFirst: Side[] = [];
  if (least.owedUsd > least.heldUsd) {
    worth = own.reduce(moved, stored);
    // No more than it takes: each costs gas.
    for (const side of losing) {
      if (worth.owedUsd > worth.heldUsd) break;
      if (own.includes(side)) continue;
      worth = moved(worth, side);
      accrueFirst.push(side);
    }
  }
  const market = debt.holding.market.address;
  const forced = state.rules.switches.get(market)?.forced === true || state.forcedFor.has(forcedKey(account.address, market));
  return {
    ...{ debt, collateral, worth, healthFactorWad: healthWad(worth.heldUsd, worth.owedUsd), forced },
    accrueFirst,
    stillShort: (repaidRaw) => forced || worth.owedUsd > worth.heldUsd + inflation(debt, repaidRaw),
  };
}

/**
 * What a repayment adds to the worth of what the borrower holds in the same market, while health is looked at.
 *
 * NOTE: native tokens are in the market's hands before anything else happens, and are still owed to it: its exchange rate counts them twice.
 */
export function inflation({ holding: { market, tokens }, now, price, thresholdWad, accrued }: Side, repaidRaw: bigint): bigint {
  if (!market.native || tokens === 0n) return 0n;
  const rateWad = exchangeRateWad(now.accrued, now.cash + repaidRaw, market.initialRateWad);
  return heldWorth(thresholdWad, rateWad, price, tokens) - accrued.heldUsd;
}

/** What of so many market tokens counts for health. */
export function heldWorth(thresholdWad: bigint, rateWad: bigint, price: bigint, tokens: bigint): bigint {
  return wadMulDown(wadMulDown(wadMulDown(thresholdWad, rateWad), price), tokens);
}

function sideOf(holding: Holding, account: Account, lens: Lens): Side | string {
  const now = lens.market(holding.market);
  if ('missing' in now) return now.missing;
  const terms = termsOf(holding.market, account.pool, lens.state.rules);
  if (terms === undefined) return `market ${holding.market.address} tells no terms`;
  if (!now.price.ok) return now.price.reason;
  const { price } = now.price;
  const worthBy = ({ rateWad, borrowIndex }: MarketNow['stored']): Worth => ({
    heldUsd: heldWorth(terms.thresholdWad, rateWad, price, holding.tokens),
    owedUsd: mulDivDown(price, borrowBalance(holding, borrowIndex), WAD),
  });
  return { holding, now, price, thresholdWad: terms.thresholdWad, stored: worthBy(now.stored), accrued: worthBy(now.accrued) };
}

/** VAIController.getVAIRepayAmount: a dollar each. */
export function vaiOwed({ vai }: Account, index: bigint): bigint {
  if (vai === undefined) return 0n;
  return vai.minted + mulDivDown(index - vai.index, vai.minted - vai.pastInterest, WAD);
}

/** Both sums with every market as it is stored. @param vaiRaw the debt in VAI */
export function storedWorth(sides: readonly Side[], vaiRaw: bigint): Worth {
  let worth: Worth = { heldUsd: 0n, owedUsd: vaiRaw };
  for (const { stored } of sides) worth = { heldUsd: worth.heldUsd + stored.heldUsd, owedUsd: worth.owedUsd + stored.owedUsd };
  return worth;
}

/** The sums after the market of one side accrued its interest. */
function moved({ heldUsd, owedUsd }: Worth, { stored, accrued }: Side): Worth {
  return { heldUsd: heldUsd + accrued.heldUsd - stored.heldUsd, owedUsd: owedUsd + accrued.owedUsd - stored.owedUsd };
}

/** What accruing takes from the account. */
function loss({ stored, accrued }: Side): bigint {
  return accrued.owedUsd - stored.owedUsd - (accrued.heldUsd - stored.heldUsd);
}

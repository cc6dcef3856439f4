/** A deployment as of one moment: each market's prices and funding worked out once, however many accounts ask. */
import type { Address } from '../../lib/types.ts';
import type { Moment } from '../../oracles/types.ts';
import { creditOf } from './collateral.ts';
import { growthAt, sqrtTwapX96 } from './funding.ts';
import { indexPriceAt } from './index-price.ts';
import { abs, fundingPayment, medianOf, mulDivToZero, mulPipsToZero, priceX96Of, settlementDown, WAD, wadOfX96 } from './math.ts';
import { type Account, isWorkedOut, type PerpMarket, type PerpState, positionOf } from './state.ts';

export type MarketNow = {
  readonly market: PerpMarket;
  readonly markWad: bigint;
  readonly indexWad: bigint;
  readonly growthX96: bigint;
};

/** What an account is worth, in wad: AccountBalance and Vault in one. */
export type Standing =
  | {
      readonly ok: true;
      /** ClearingHouse.getAccountValue. */
      readonly valueWad: bigint;
      /** AccountBalance.getMarginRequirementForLiquidation. */
      readonly requirementWad: bigint;
    }
  | { readonly ok: false; readonly reason: string };

/** The parts of an account's value. Rounded as the contracts do, before they round to the settlement token's units. */
export type Worth = {
  /** In the vault: settlement tokens, what is owed to or by the account, funding up to the moment. */
  readonly settledWad: bigint;
  readonly unrealizedWad: bigint;
  /** AccountBalance.getTotalAbsPositionValue. */
  readonly exposureWad: bigint;
  /** Vault._getNonSettlementTokenValue. */
  readonly collateralWad: bigint;
};

export class Lens {
  readonly at: Moment;
  readonly #state: PerpState;
  readonly #markets = new Map<PerpMarket, MarketNow | string>();

  constructor(state: PerpState, at: Moment) {
    this.#state = state;
    this.at = at;
  }

  /** A market's prices, or why there are none. */
  market(market: PerpMarket): MarketNow | string {
    let now = this.#markets.get(market);
    if (now === undefined) {
      now = this.#marketNow(market);
      this.#markets.set(market, now);
    }
    return now;
  }

  standing(account: Account): Standing {
    if (!isWorkedOut(account)) {
      const { valueWad, requirementWad } = account.read ?? {};
      if (valueWad === undefined || requirementWad === undefined) return { ok: false, reason: 'its value could not be read' };
      return { ok: true, valueWad, requirementWad };
    }
    const worth = this.worth(account);
    if (typeof worth === 'string') return { ok: false, reason: worth };
    const { unitWad } = this.#state.settlement;
    const valueWad = settlementDown(worth.collateralWad + worth.settledWad + worth.unrealizedWad, unitWad) * unitWad;
    return { ok: true, valueWad, requirementWad: mulPipsToZero(worth.exposureWad, this.#state.rules.mmPips) };
  }

  /** For accounts that are worked out (`isWorkedOut`); a reason where a price is missing. */
  worth(account: Account): Worth | string {
    let fundingWad = 0n;
    let unrealizedWad = 0n;
    let exposureWad = 0n;
    for (const place of account.places.values()) {
      if (place.sizeWad === 0n && place.openNotionalWad === 0n) continue;
      const now = this.market(place.market);
      if (typeof now === 'string') return now;
      fundingWad += fundingPayment(place.sizeWad, now.growthX96 - place.lastGrowthX96);
      const valueWad = mulDivToZero(positionOf(place), now.markWad, WAD);
      unrealizedWad += valueWad + place.openNotionalWad;
      exposureWad += abs(valueWad);
    }
    let collateralWad = 0n;
    for (const [token, held] of account.collateral) {
      const value = this.#collateralWad(token, held);
      if (value === undefined) return `collateral ${token} has no price`;
      collateralWad += value;
    }
    const settledWad = account.balanceRaw * this.#state.settlement.unitWad - fundingWad + account.owedPnlWad;
    return { settledWad, unrealizedWad, exposureWad, collateralWad };
  }

  /** Vault._getCollateralValue, times its ratio. */
  #collateralWad(token: Address, heldRaw: bigint): bigint | undefined {
    const known = this.#state.collateral.get(token);
    return known?.price === undefined ? undefined : mulPipsToZero(creditOf(known, known.price, heldRaw), known.ratioPips);
  }

  #marketNow(market: PerpMarket): MarketNow | string {
    const { rules } = this.#state;
    const { timestamp } = this.at;
    if (!market.open) return `market ${market.symbol} is not open`;
    const index = (seconds: number) => this.#index(market, seconds);
    const [spotWad, averageWad] = [index(0), index(rules.premiumSeconds)];
    if (spotWad === undefined || averageWad === undefined) return `the index of ${market.symbol} has no price`;
    const price = (seconds: number) => {
      const sqrt = sqrtTwapX96(market, timestamp, seconds);
      return sqrt === undefined ? undefined : wadOfX96(priceX96Of(sqrt));
    };
    const [short, long, premium] = [price(MARK_SECONDS), price(rules.markTwapSeconds), price(rules.premiumSeconds)];
    if (short === undefined || long === undefined || premium === undefined) return `the pool of ${market.symbol} does not remember enough`;
    const withPremium = spotWad + premium - averageWad;
    if (withPremium < 0n) return `the mark price of ${market.symbol} would be negative`;
    const growthX96 = growthAt(market, rules, this.at, index);
    if (growthX96 === undefined) return `the funding of ${market.symbol} is not known`;
    return { market, markWad: medianOf(short, long, withPremium), indexWad: spotWad, growthX96 };
  }

  /** NOTE: within a block the first to ask fixes an average for all who follow (CachedTwap), so of the mirrored block it is read. */
  #index(market: PerpMarket, seconds: number): bigint | undefined {
    const { head, rules } = this.#state;
    if (this.at.number === head.number && this.at.timestamp === head.timestamp) {
      if (seconds === 0) return market.readIndex.spot;
      if (seconds === rules.premiumSeconds) return market.readIndex.average;
    }
    return market.index === undefined ? undefined : indexPriceAt(market.index, this.at, seconds);
  }
}

/** AccountBalance._getMarkPrice. */
const MARK_SECONDS = 15;

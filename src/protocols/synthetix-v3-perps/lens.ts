/** A deployment as of one moment: each price, each market's funding and the interest worked out once, however many accounts ask. */
import type { FeedId, Moment } from '../../oracles/types.ts';
import { keeperReward, type RewardParts, reservedReward } from './liquidation.ts';
import { abs, daysWad, divWadToZero, greater, lesser, mulWadToZero, WAD, yearsWad } from './math.ts';
import { answerOf, believed, type NodePrice, type PriceNode } from './nodes.ts';
import { type Account, type Collateral, type PerpMarket, type Position, pricesBehind, SNX_USD, type SynthetixState } from './state.ts';
import { servedIn } from './windows.ts';

export type MarketNow = {
  readonly market: PerpMarket;
  readonly priceWad: bigint;
  /** PerpsMarket.calculateNextFunding. */
  readonly fundingWad: bigint;
};

/** An account's margin, in snxUSD. */
export type Standing =
  | {
      readonly ok: true;
      /** PerpsAccount.getAvailableMargin. */
      readonly availableWad: bigint;
      /** What it has to be to be left alone: maintenance margin with the reward, or the reward alone where there are debts and no positions. */
      readonly requiredWad: bigint;
      readonly initialWad: bigint;
      readonly parts: RewardParts;
    }
  | { readonly ok: false; readonly reason: string };

export class Lens {
  readonly at: Moment;
  readonly state: SynthetixState;
  readonly #mirrored: Moment;
  readonly #markets = new Map<PerpMarket, MarketNow | string>();
  readonly #nodes = new Map<NodePrice, PriceNode | undefined>();
  readonly #prices = new Map<NodePrice, bigint | undefined>();
  #interest: bigint | undefined;
  #served: ReadonlySet<Account> | undefined;

  /** @param mirrored the mirrored block: prices are worked out while they agree with what was read there */
  constructor(state: SynthetixState, at: Moment, mirrored: Moment) {
    this.state = state;
    this.at = at;
    this.#mirrored = mirrored;
  }

  /** A market's price and funding, or why there are none. */
  market(market: PerpMarket): MarketNow | string {
    let now = this.#markets.get(market);
    if (now === undefined) {
      const priceWad = this.price(market.price);
      now = priceWad === undefined ? `${market.symbol} has no price` : { market, priceWad, fundingWad: this.#funding(market, priceWad) };
      this.#markets.set(market, now);
    }
    return now;
  }

  /** However old it is; what may not be old is asked for by `tooOld`. */
  price(of: NodePrice): bigint | undefined {
    if (!this.#prices.has(of)) this.#prices.set(of, this.#priceNow(of));
    return this.#prices.get(of);
  }

  /** What the nodes of a price are, while they agree with what was read. */
  node(of: NodePrice): PriceNode | undefined {
    if (!this.#nodes.has(of)) this.#nodes.set(of, believed(of, this.#mirrored));
    return this.#nodes.get(of);
  }

  /** The feeds that are older than a liquidation of the account tolerates (PerpsPrice.Tolerance.STRICT). */
  tooOld({ positions, collateral, flagged }: Account): readonly FeedId[] {
    const old = (of: NodePrice, strictSeconds: bigint) => {
      const node = this.node(of);
      const answer = node && answerOf(node, this.at, strictSeconds);
      return answer === undefined || answer.ok ? [] : (answer.stale?.feeds ?? []);
    };
    const found = [...positions.values()].flatMap(({ market }) => old(market.price, market.strictSeconds));
    // What was flagged has no collateral left to be valued.
    if (!flagged)
      for (const kind of collateral.keys()) {
        const known = this.state.collateral.get(kind);
        if (known !== undefined) found.push(...old(known.price, known.strictSeconds));
      }
    return [...new Set(found)];
  }

  standing(account: Account): Standing {
    const { rules, costs } = this.state;
    const held = this.#held(account);
    if (typeof held === 'string') return { ok: false, reason: held };
    const liquidateCostUsd = costs.liquidate;
    const flagCostUsd = costs.flag.get(pricesBehind(account));
    if (liquidateCostUsd === undefined || flagCostUsd === undefined) return { ok: false, reason: 'what gas counts for is not known' };
    let availableWad = held.discountedUsd - account.debt;
    let maintenanceWad = 0n;
    let initialWad = 0n;
    let flagUsd = 0n;
    for (const position of account.positions.values()) {
      const now = this.market(position.market);
      if (typeof now === 'string') return { ok: false, reason: now };
      const notionalWad = mulWadToZero(abs(position.size), now.priceWad);
      availableWad += this.#pnl(position, now, notionalWad);
      const ratios = ratiosOf(position);
      const { minimumPositionMargin, flagRewardRatio } = position.market.rules;
      initialWad += mulWadToZero(notionalWad, ratios.initial) + minimumPositionMargin;
      maintenanceWad += mulWadToZero(notionalWad, ratios.maintenance) + minimumPositionMargin;
      flagUsd += mulWadToZero(notionalWad, flagRewardRatio);
    }
    const parts: RewardParts = { flagUsd, collateralUsd: held.fullUsd, flagCostUsd, liquidateCostUsd, rules };
    if (account.positions.size === 0) {
      // PerpsAccount.isEligibleForMarginLiquidation
      const costUsd = flagCostUsd + liquidateCostUsd;
      const requiredWad = keeperReward(mulWadToZero(held.fullUsd, rules.collateralRewardRatio), costUsd, held.fullUsd, rules);
      return { ok: true, availableWad, requiredWad: account.debt > 0n ? requiredWad : 0n, initialWad, parts };
    }
    const rewardWad = reservedReward(parts, account);
    return { ok: true, availableWad, requiredWad: maintenanceWad + rewardWad, initialWad: initialWad + rewardWad, parts };
  }

  /** The flagged accounts that windows have room for in this block, all together. */
  get served(): ReadonlySet<Account> {
    this.#served ??= servedIn(this);
    return this.#served;
  }

  /** What the account's positions have earned of funding since their last change; below zero where they owe it. 0 where a market has no price. */
  funding({ positions }: Account): bigint {
    let sum = 0n;
    for (const { market, size, funding } of positions.values()) {
      const now = this.market(market);
      if (typeof now !== 'string') sum += mulWadToZero(size, now.fundingWad - funding);
    }
    return sum;
  }

  #priceNow(of: NodePrice): bigint | undefined {
    const node = this.node(of);
    if (node === undefined) return of.read;
    const answer = answerOf(node, this.at, undefined);
    return answer.ok ? answer.price : answer.stale?.price;
  }

  /** Position.getPnl. */
  #pnl({ market, size, price, funding, interest }: Position, now: MarketNow, notionalWad: bigint): bigint {
    const pricePnl = mulWadToZero(size, now.priceWad - price);
    const accruedFunding = mulWadToZero(size, now.fundingWad - funding);
    const lockedWad = mulWadToZero(notionalWad, market.rules.lockedOiRatio);
    return pricePnl + accruedFunding - mulWadToZero(lockedWad, this.#interestNow() - interest);
  }

  /** InterestRate.calculateNextInterest. */
  #interestNow(): bigint {
    const { accrued, rate, time } = this.state.interest;
    this.#interest ??= accrued + mulWadToZero(rate, yearsWad(BigInt(this.at.timestamp) - time));
    return this.#interest;
  }

  /** PerpsMarket.calculateNextFunding. */
  #funding({ rules, funding }: PerpMarket, priceWad: bigint): bigint {
    const days = daysWad(BigInt(this.at.timestamp) - funding.time);
    const rate = funding.rate + mulWadToZero(velocityOf(rules, funding.skew), days);
    const average = -divWadToZero(funding.rate + rate, 2n * WAD);
    return funding.value + mulWadToZero(mulWadToZero(average, days), priceWad);
  }

  /** PerpsAccount.getTotalCollateralValue, with the discounts of a sale and without. */
  #held({ collateral }: Account): { readonly discountedUsd: bigint; readonly fullUsd: bigint } | string {
    let discountedUsd = 0n;
    let fullUsd = 0n;
    for (const [kind, amount] of collateral) {
      if (kind === SNX_USD) {
        discountedUsd += amount;
        fullUsd += amount;
        continue;
      }
      const known = this.state.collateral.get(kind);
      const priceWad = known && this.price(known.price);
      if (known === undefined || priceWad === undefined) return `collateral ${known?.symbol ?? kind} has no price`;
      const usd = mulWadToZero(amount, priceWad);
      fullUsd += usd;
      discountedUsd += mulWadToZero(usd, WAD - discountOf(known, amount));
    }
    return { discountedUsd, fullUsd };
  }
}

/** PerpsMarketConfiguration.calculateRequiredMargins. */
function ratiosOf({ market, size }: Position): { readonly initial: bigint; readonly maintenance: bigint } {
  const { skewScale, initialMarginRatio, minimumInitialMarginRatio, maintenanceMarginScalar } = market.rules;
  const impact = skewScale === 0n ? 0n : divWadToZero(abs(size), skewScale);
  const initial = mulWadToZero(impact, initialMarginRatio) + minimumInitialMarginRatio;
  return { initial, maintenance: mulWadToZero(initial, maintenanceMarginScalar) };
}

/** PerpsMarket.currentFundingVelocity. */
function velocityOf({ skewScale, maxFundingVelocity }: PerpMarket['rules'], skew: bigint): bigint {
  if (skewScale === 0n) return 0n;
  const share = greater(-WAD, lesser(divWadToZero(skew, skewScale), WAD));
  return mulWadToZero(share, maxFundingVelocity);
}

/** PerpsCollateralConfiguration.valueInUsd. */
function discountOf({ skewScale, discountScalar, lowerDiscount, upperDiscount }: Collateral, amount: bigint): bigint {
  if (skewScale === 0n) return 0n;
  const impact = mulWadToZero(divWadToZero(amount, skewScale), discountScalar);
  return lesser(greater(impact, lowerDiscount), upperDiscount);
}

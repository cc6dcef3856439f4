/** Pure: what the protocol pays for liquidations, and how much of a position a block may take. Sources: LiquidationModule and what it calls. */
import { abs, divWadToZero, greater, lesser, mulWadToZero, WAD } from './math.ts';
import type { Account, MarketRules, PerpMarket, Rules } from './state.ts';

/** PerpsMarketConfiguration.maxLiquidationAmountInWindow; 0 where nothing limits liquidations. */
export function windowSize({ feesRatio, skewScale, windowMultiplier, windowSeconds }: MarketRules): bigint {
  return mulWadToZero(mulWadToZero(feesRatio, skewScale), windowMultiplier) * windowSeconds;
}

/** PerpsMarketConfiguration.numberOfLiquidationWindows. */
export function windowsFor(size: bigint, rules: MarketRules): bigint {
  const window = windowSize(rules);
  return window === 0n ? 0n : (abs(size) + window - 1n) / window;
}

/** PerpsMarket.currentLiquidationCapacity: what of the window is left. */
export function capacityAt({ rules, liquidated }: PerpMarket, timestamp: bigint): bigint {
  const from = timestamp - rules.windowSeconds;
  let used = 0n;
  for (let place = liquidated.length - 1; place >= 0 && liquidated[place]!.timestamp > from; place--) used += liquidated[place]!.amount;
  return greater(windowSize(rules) - used, 0n);
}

/** PerpsMarket.maxLiquidatableAmount, for everybody but the liquidator that a market may have endorsed. */
export function liquidatableAt(market: PerpMarket, size: bigint, timestamp: bigint): bigint {
  const { rules, liquidated, funding } = market;
  const window = windowSize(rules);
  if (window === 0n) return abs(size);
  const capacity = capacityAt(market, timestamp);
  if (capacity > 0n) return lesser(capacity, abs(size));
  if (rules.maxLiquidationPd === 0n || liquidated.at(-1)?.timestamp === timestamp || rules.skewScale === 0n) return 0n;
  return divWadToZero(abs(funding.skew), rules.skewScale) < rules.maxLiquidationPd ? lesser(window, abs(size)) : 0n;
}

/**
 * GlobalPerpsMarketConfiguration.keeperReward.
 *
 * @param marginUsd what was seized; with 0 only the fixed maximum limits the reward
 */
export function keeperReward(rewardUsd: bigint, costUsd: bigint, marginUsd: bigint, rules: Rules): bigint {
  const least = greater(costUsd + rules.minRewardUsd, mulWadToZero(costUsd, rules.minProfitRatio + WAD));
  const most = marginUsd === 0n ? rules.maxRewardUsd : lesser(mulWadToZero(marginUsd, rules.maxScalingRatio), rules.maxRewardUsd);
  return lesser(greater(least, rewardUsd + costUsd), most);
}

/** What the rewards of one account are made of. */
export type RewardParts = {
  /** PerpsMarketConfiguration.calculateFlagReward, of all its positions. */
  readonly flagUsd: bigint;
  /** Its collateral at full price. */
  readonly collateralUsd: bigint;
  readonly flagCostUsd: bigint;
  readonly liquidateCostUsd: bigint;
  readonly rules: Rules;
};

/** For flagging an account, or for liquidating the margin of one without positions: paid at once, however much of its positions a window lets go. */
export function flaggingReward(parts: RewardParts): bigint {
  const { flagUsd, collateralUsd, flagCostUsd, liquidateCostUsd, rules } = parts;
  const rewardUsd = greater(flagUsd, mulWadToZero(collateralUsd, rules.collateralRewardRatio));
  const costUsd = flagCostUsd + liquidateCostUsd;
  return rewardUsd + costUsd === 0n ? 0n : keeperReward(rewardUsd, costUsd, collateralUsd, rules);
}

/** For every later call that liquidates something of a flagged account. */
export function windowReward(liquidateCostUsd: bigint, rules: Rules): bigint {
  return liquidateCostUsd === 0n ? 0n : keeperReward(0n, liquidateCostUsd, 0n, rules);
}

/** PerpsAccount.getPossibleLiquidationReward: what an account with positions has to have left for its liquidation. NOTE: without costs a least reward counts here all the same. */
export function reservedReward(parts: RewardParts, account: Account): bigint {
  const { flagUsd, collateralUsd, flagCostUsd, liquidateCostUsd, rules } = parts;
  const rewardUsd = greater(flagUsd, mulWadToZero(collateralUsd, rules.collateralRewardRatio));
  const first = keeperReward(rewardUsd, flagCostUsd + liquidateCostUsd, collateralUsd, rules);
  let windows = 0n;
  for (const { market, size } of account.positions.values()) windows = greater(windows, windowsFor(size, market.rules));
  return first + (windows === 0n ? 0n : keeperReward(0n, liquidateCostUsd, 0n, rules) * (windows - 1n));
}
